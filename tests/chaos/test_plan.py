"""A plan is the same for the same seed, and holds something of everything."""

from collections import Counter

from tests.chaos.plan import BUS, make_plan


def test_the_same_seed_makes_the_same_plan() -> None:
    assert make_plan(100, seed=3) == make_plan(100, seed=3)
    assert make_plan(100, seed=3) != make_plan(100, seed=4)


def test_a_plan_sends_duplicates_disorder_and_what_nobody_can_read() -> None:
    plan = make_plan(1_000, seed=1)

    placed = [message.detail["orderId"] for message in plan.messages if message.name == "OrderPlaced"]
    assert set(plan.orders) <= set(placed)
    assert max(Counter(placed).values()) > 1
    first: dict[tuple[str, object], int] = {}
    for at, message in enumerate(plan.messages):
        first.setdefault((message.name, message.detail.get("orderId")), at)
    early = [
        order_id
        for (name, order_id), at in first.items()
        if name in ("OrderCancellationRequested", "RefundRequested")
        and at < first.get(("OrderPlaced", order_id), -1)
    ]
    assert early
    assert {poison.reason for poison in plan.poison} == {
        "invalid_event",
        "invalid_json",
        "invalid_envelope",
        "unexpected_event",
    }
    assert {message.to for message in plan.messages} == {BUS, "order", "payment", "expiry"}


def test_a_plan_has_every_kind_of_order() -> None:
    plan = make_plan(1_000, seed=1)

    assert len({planned.kind for planned in plan.orders.values()}) == 14

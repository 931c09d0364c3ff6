"""The pipeline as deployed: every way an order can go, and every fault one process can meet."""

import json
from collections.abc import Iterator

import pytest

from scripts.ops.dlq.dlq import redrive
from scripts.ops.dlq.messages import Filter
from tests.conftest import RunningStack
from tests.integration.shop import Shop, Witness, until

pytestmark = pytest.mark.stack


@pytest.fixture
def shop(stack: RunningStack) -> Shop:
    return Shop(stack.environment)


@pytest.fixture(scope="module")
def witness(stack: RunningStack) -> Iterator[Witness]:
    with Witness(stack.environment) as watching:
        yield watching


def test_a_paid_order_takes_its_stock_and_tells_every_step(shop: Shop, witness: Witness) -> None:
    sku = shop.stocked(5)

    shop.place(shop.order("paid", sku, 2))

    order = shop.comes_to("paid", "CONFIRMED")
    assert (order.amount_minor, order.currency) == (1_000, "USD")
    assert shop.levels(sku) == (3, 0, 3)
    witness.hears(shop.order_id("paid"), "PaymentRequested", "PaymentProcessed", "OrderConfirmed")


def test_a_declined_order_gives_its_stock_back(shop: Shop, witness: Witness) -> None:
    sku = shop.stocked(5)

    shop.place(shop.order("declined", sku, 2, paymentMethod="sim_declined"))

    shop.comes_to("declined", "CANCELLED payment_failed")
    assert shop.levels(sku) == (5, 0, 5)
    witness.hears(shop.order_id("declined"), "PaymentRequested", "PaymentFailed", "OrderCancelled")


def test_what_is_not_there_is_not_sold(shop: Shop, witness: Witness) -> None:
    sku = shop.stocked(1)

    shop.place(shop.order("greedy", sku, 2))

    shop.comes_to("greedy", "REJECTED out_of_stock")
    assert shop.levels(sku) == (1, 0, 1)
    witness.hears(shop.order_id("greedy"), "OrderRejected")


def test_two_lines_of_one_sku_cannot_oversell_together(shop: Shop) -> None:
    sku = shop.stocked(3)
    lines = [{"sku": sku, "quantity": 2}, {"sku": sku, "quantity": 2}]

    shop.place(shop.order("twice", sku) | {"items": lines})

    shop.comes_to("twice", "REJECTED out_of_stock")


def test_an_order_delivered_many_times_counts_once(shop: Shop, witness: Witness) -> None:
    sku = shop.stocked(5)
    order = shop.order("again", sku)

    shop.place(*[order] * 7)
    shop.comes_to("again", "CONFIRMED")
    shop.place(*[order] * 5)

    marker = shop.order("after", sku)
    shop.place(marker)
    shop.comes_to("after", "CONFIRMED")
    assert shop.levels(sku) == (3, 0, 3)
    for event in ("PaymentRequested", "PaymentProcessed", "OrderConfirmed"):
        assert len(witness.event_ids_of(shop.order_id("again"), event)) == 1


def test_an_unpaid_order_is_called_off_at_once(shop: Shop, witness: Witness) -> None:
    sku = shop.stocked(5)
    shop.place(shop.order("waiting", sku, paymentMethod="sim_unavailable"))
    shop.comes_to("waiting", "RESERVED")

    shop.say("OrderCancellationRequested", [{"orderId": shop.order_id("waiting")}])

    shop.comes_to("waiting", "CANCELLED customer_request")
    assert shop.levels(sku) == (5, 0, 5)
    witness.hears(shop.order_id("waiting"), "OrderCancelled")


def test_a_paid_order_that_is_called_off_is_refunded_and_restocked(shop: Shop, witness: Witness) -> None:
    sku = shop.stocked(5)
    shop.place(shop.order("regretted", sku))
    shop.comes_to("regretted", "CONFIRMED")

    shop.say("OrderCancellationRequested", [{"orderId": shop.order_id("regretted")}])

    shop.comes_to("regretted", "REFUNDED")
    assert shop.levels(sku) == (5, 0, 5)
    witness.hears(shop.order_id("regretted"), "RefundRequested", "RefundProcessed")


def test_a_refund_without_restock_leaves_the_shelf_alone(shop: Shop) -> None:
    sku = shop.stocked(5)
    shop.place(shop.order("broken", sku))
    shop.comes_to("broken", "CONFIRMED")

    shop.say("RefundRequested", [{"orderId": shop.order_id("broken"), "reason": "broken on arrival"}])

    shop.comes_to("broken", "REFUNDED")
    assert shop.levels(sku) == (4, 0, 4)


def test_a_cancellation_that_overtakes_its_order_still_counts(shop: Shop) -> None:
    sku = shop.stocked(5)
    shop.say("OrderCancellationRequested", [{"orderId": shop.order_id("overtaken")}])

    shop.place(shop.order("overtaken", sku))

    ended = ("CANCELLED customer_request", "REFUNDED")
    until(
        lambda: (
            (order := shop.find("overtaken")) is not None
            and (order.status.value in ended or f"{order.status.value} {order.reason}" in ended)
        ),
        "the order is called off",
    )
    assert shop.levels(sku) == (5, 0, 5)


def test_an_order_nobody_can_charge_expires_and_its_payment_ends_as_a_dead_letter(
    shop: Shop, witness: Witness
) -> None:
    sku = shop.stocked(5)

    shop.place(shop.order("stuck", sku, 2, paymentMethod="sim_unavailable"))

    shop.comes_to("stuck", "CANCELLED reservation_expired")
    assert shop.levels(sku) == (5, 0, 5)
    witness.hears(shop.order_id("stuck"), "OrderCancelled")


def test_a_payment_that_comes_too_late_is_refunded_and_says_so(shop: Shop, witness: Witness) -> None:
    sku = shop.stocked(5)

    shop.place(shop.order("late", sku, paymentMethod="sim_slow"))

    shop.comes_to("late", "CANCELLED reservation_expired")
    until(lambda: shop.found("late").payment is not None, "the late charge is noted")
    payment = shop.found("late").payment
    assert payment is not None
    assert payment.charge_id
    assert payment.refund_id
    assert shop.levels(sku) == (5, 0, 5)
    witness.hears(shop.order_id("late"), "PaymentProcessed", "RefundProcessed", "OrderCancelled")


BAD_ORDERS: dict[str, dict[str, object]] = {
    "no items": {"items": []},
    "zero": {"items": [{"sku": "x", "quantity": 0}]},
    "negative": {"items": [{"sku": "x", "quantity": -1}]},
    "fraction": {"items": [{"sku": "x", "quantity": 1.5}]},
    "text": {"items": [{"sku": "x", "quantity": "2"}]},
    "enormous": {"items": [{"sku": "x", "quantity": 10**30}]},
    "not a list": {"items": {"sku": "x", "quantity": 1}},
    "too many skus": {"items": [{"sku": f"x{n}", "quantity": 1} for n in range(91)]},
    "hash": {"customerId": "a#b"},
    "control": {"customerId": "a\u0007b"},
    "too long": {"customerId": "c" * 129},
    "null": {"customerId": None},
    "bad time": {"placedAt": "yesterday"},
}


def test_orders_that_cannot_be_read_are_set_aside_and_hold_nobody_up(shop: Shop) -> None:
    sku = shop.stocked(50)
    bad = [shop.order(f"bad-{n}", sku) | fault for n, fault in enumerate(BAD_ORDERS.values())]
    good = [shop.order(f"good-{n}", sku) for n in range(5)]

    shop.place(*bad[:6], *good, *bad[6:])
    shop.environment.client("sqs").send_message(
        QueueUrl=shop.environment.queue_url("order"), MessageBody=f"{{not JSON {shop.run}"
    )

    assert {order.status.value for order in shop.all_end([f"good-{n}" for n in range(5)]).values()} == {
        "CONFIRMED"
    }
    until(lambda: len(shop.dlq("order")) == len(bad) + 1, "every unreadable order is set aside")
    reasons = sorted(shop.dlq("order").values())
    assert reasons == ["invalid_event"] * len(bad) + ["invalid_json"]


def test_a_message_that_keeps_failing_ends_as_a_dead_letter_that_can_be_sent_again(shop: Shop) -> None:
    sku = shop.stocked(5)
    name = shop.order_id("early")
    shop.say("RefundRequested", [{"orderId": name, "restock": True}])
    until(lambda: len(shop.dlq("payment")) == 1, "five deliveries are enough")
    shop.place(shop.order("early", sku))
    shop.comes_to("early", "CONFIRMED")

    (body,) = shop.dlq("payment")
    assert json.loads(body)["detail"]["orderId"] == name
    refunds = Filter(events=frozenset({"RefundRequested"}))
    redrive(shop.ops, shop.ops.dlq("payment"), refunds, rate=None, seen=lambda _: None)

    shop.comes_to("early", "REFUNDED")
    assert shop.levels(sku) == (5, 0, 5)

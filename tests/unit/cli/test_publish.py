"""`pulsequeue publish` sends orders unchanged, and invalid ones only with --no-validate."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from scripts.common.clock import Clock
from scripts.ops.orders.load_generator import generate_orders, send
from scripts.ops.orders.order_input import OrderInput
from services.shared.ledger import Key, Order, Payment, Status
from tests.support.fakes import START, ManualClock, RecordingBus
from tests.support.ops_context import MemoryOpsContext, an_order
from tests.unit.conftest import CommandLine

ITS_ORDER = ("publish", "--order-id", "o-1", "--customer-id", "c-1", "--item", "prod-001=2")
"""What `an_order` was published with."""
SCENARIOS = Path(__file__).parents[3] / "scripts" / "data" / "order-service-events.json"


def _wire(ops: MemoryOpsContext) -> list[dict[str, Any]]:
    return [json.loads(event.wire()) for event in ops.bus.published]


def confirmed(order: Order) -> Order:
    return order.moved(Status.CONFIRMED, START, "e", payment=Payment(charge_id="ch"))


def _file(folder: Path, document: object) -> str:
    path = folder / "orders.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return str(path)


def test_flags_make_one_order_and_add_only_its_time_and_event_id(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ran = pulsequeue(
        *("publish", "--order-id", "o-1", "--customer-id", "c-1", "--item", "prod-001=2", "--item", "b=1"),
        *("--region", "eu"),
    )

    [sent] = _wire(ops)
    assert sent.pop("eventId")
    assert sent == {
        "orderId": "o-1",
        "customerId": "c-1",
        "items": [{"sku": "prod-001", "quantity": 2}, {"sku": "b", "quantity": 1}],
        "region": "eu",
        "placedAt": "2026-01-31T12:00:00.000Z",
    }
    assert ops.bus.names() == ["OrderPlaced"]
    assert (ran.code, ran.out) == (0, "o-1\n")


def test_the_same_order_published_twice_is_recognisably_the_same_event(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    for _ in range(2):
        pulsequeue("publish", "--order-id", "o-1", "--item", "prod-001=2")

    first, second = _wire(ops)
    assert first["eventId"] == second["eventId"]


def test_a_file_is_sent_as_it_is_with_fields_nobody_knows(
    pulsequeue: CommandLine, ops: MemoryOpsContext, tmp_path: Path
) -> None:
    given = {"orderId": "o", "customerId": "c", "items": [{"sku": "s", "quantity": 1}], "gift": True}
    given |= {"placedAt": "2020-01-01T00:00:00Z", "eventId": "mine"}

    pulsequeue("publish", _file(tmp_path, given))

    assert _wire(ops) == [given]


def test_named_scenarios_are_all_sent_or_the_one_that_is_chosen(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    both = pulsequeue("publish", str(SCENARIOS), "--json").json["orderIds"]
    one = pulsequeue("publish", str(SCENARIOS), "--scenario", "failure", "--json").json["orderIds"]

    assert both == ["test-order-123", "test-failure-123"]
    assert one == ["test-failure-123"]
    assert len(ops.bus.published) == 3


def test_an_unknown_scenario_is_refused_with_the_names_there_are(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("publish", str(SCENARIOS), "--scenario", "sucess")

    assert ran.code == 2
    assert "scenario 'sucess' not found; choose one of success, failure." in ran.err


def test_orders_come_from_standard_input(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    order = '{"orderId": "o-in", "customerId": "c", "items": [{"sku": "s", "quantity": 1}]}'

    ran = pulsequeue("publish", "-", stdin=order)

    assert ran.out == "o-in\n"
    assert len(ops.bus.published) == 1


def test_every_fault_names_its_order_and_its_line_and_nothing_is_sent(
    pulsequeue: CommandLine, ops: MemoryOpsContext, tmp_path: Path
) -> None:
    good = {"orderId": "a", "customerId": "c", "items": [{"sku": "s", "quantity": 1}]}
    orders = [
        good,
        {"orderId": "b", "items": [{"sku": "s", "quantity": 1}, {"sku": " x", "quantity": 0}]},
        7,
        good,
    ]

    ran = pulsequeue("publish", _file(tmp_path, orders))

    assert ran.code == 1
    assert ops.bus.published == []
    for fault in (
        "order 2 (b): customerId: Field required",
        "order 2 (b): items[1].sku: has leading or trailing blanks",
        "order 2 (b): items[1].quantity: must be at least 1",
        "order 3: should be an object",
        "order 4: order id 'a' is already used by order 1",
    ):
        assert fault in ran.err


def test_what_is_wrong_is_sent_when_validation_is_off(
    pulsequeue: CommandLine, ops: MemoryOpsContext, tmp_path: Path
) -> None:
    ran = pulsequeue("publish", _file(tmp_path, [{"orderId": "poison"}, "text"]), "--no-validate")

    assert ran.code == 0
    assert [json.loads(event.wire()) for event in ops.bus.published][1] == "text"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{\n "orderId": "a",,\n}', "at line 2, column 17"),
        ("", "is empty"),
        ("[]", "is an empty list"),
        ('{"a": NaN}', "NaN is not a JSON number"),
    ],
)
def test_a_broken_document_is_refused_with_its_place(
    pulsequeue: CommandLine, tmp_path: Path, text: str, complaint: str
) -> None:
    ran = pulsequeue("publish", _file(tmp_path, text))

    assert ran.code == 1
    assert complaint in ran.err


def test_a_file_that_is_not_there_is_one_sentence(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("publish", "nowhere.json")

    assert (ran.code, ran.err) == (1, "pulsequeue: cannot read nowhere.json: No such file or directory.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--item", "prod-001"),
        ("--item", "prod#1=2"),
        ("--item", "prod-001=0"),
        ("--item", "prod-001=-1"),
        ("--scenario", "success"),
        ("--count", "0"),
        ("--count", "2", "--order-id", "x"),
        ("--rate", "0", "--count", "1"),
        (str(SCENARIOS), "--item", "a=1"),
    ],
)
def test_wrong_usage_exits_with_2_and_sends_nothing(
    pulsequeue: CommandLine, ops: MemoryOpsContext, arguments: tuple[str, ...]
) -> None:
    ran = pulsequeue("publish", *arguments)

    assert ran.code == 2
    assert ran.err
    assert ops.bus.published == []


def test_an_order_the_bus_does_not_take_fails_the_command(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.bus.refuse = 1

    ran = pulsequeue("publish", "--order-id", "o-1", "--item", "prod-001=1", "--json")

    assert ran.code == 1
    assert ran.json["unpublished"] == ["o-1"]
    assert "the bus did not accept 1 orders" in ran.err


def test_waiting_tells_what_became_of_the_order(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    order = an_order("o-1")
    ops.add_orders(order)
    ops.while_asleep = [confirmed(order)]

    ran = pulsequeue(*ITS_ORDER, "--wait")

    assert ran.code == 0
    assert "CONFIRMED" in ran.out
    assert "20.00 USD" in ran.out


@pytest.mark.parametrize(
    ("given", "differs"),
    [
        (("--customer-id", "bob", "--item", "prod-001=2"), "customer"),
        (("--customer-id", "c-1", "--item", "prod-001=1"), "items"),
        (
            ("--customer-id", "c-1", "--item", "prod-001=2", "--payment-method", "sim_declined"),
            "payment_method",
        ),
    ],
)
def test_a_different_order_under_the_id_is_not_taken_for_the_published_one(
    pulsequeue: CommandLine, ops: MemoryOpsContext, given: tuple[str, ...], differs: str
) -> None:
    ops.add_orders(confirmed(an_order("o-1")))

    ran = pulsequeue("publish", "--order-id", "o-1", *given, "--wait", "--json")

    assert ran.code == 1
    assert json.loads(ran.out)["orders"] == [{"orderId": "o-1", "status": None, "differences": [differs]}]
    assert "different orders have these ids already: o-1; publish yours under new ids" in ran.err


def test_an_order_published_again_is_the_order_that_is_there(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.add_orders(confirmed(an_order("o-1")))

    ran = pulsequeue(*ITS_ORDER, "--wait")

    assert ran.code == 0
    assert "CONFIRMED" in ran.out


def test_an_order_that_does_not_end_in_time_fails_the_command(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.add_orders(an_order("o-1"))

    ran = pulsequeue(*ITS_ORDER, "--wait", "--timeout", "5")

    assert ran.code == 1
    assert "RESERVED" in ran.out
    assert "1 orders were not settled before the timeout" in ran.err


def test_a_load_names_its_orders_after_its_run_and_takes_the_skus_in_turn(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ran = pulsequeue("publish", "--count", "120", "--json")

    sent = _wire(ops)
    assert ran.json["published"] == 120
    assert len({order["orderId"].rpartition("-")[0] for order in sent}) == 1
    assert len({order["orderId"] for order in sent}) == 120
    assert [order["items"][0]["sku"] for order in sent[:3]] == ["prod-001", "prod-002", "prod-001"]


def test_a_load_is_made_up_while_it_is_sent_and_only_its_first_orders_are_remembered() -> None:
    made, sent_when_made = 0, []
    bus = RecordingBus()

    def orders() -> Iterator[OrderInput]:
        nonlocal made
        for order in generate_orders("run", 1_000, [{"sku": "a", "quantity": 1}], {"customerId": "c"}):
            made += 1
            sent_when_made.append(len(bus.published))
            yield order

    sent = send(bus, orders(), rate=None, clock=Clock(now=ManualClock()), keep=3)

    assert (made, sent.published) == (1_000, 1_000)
    assert max(number - published for number, published in enumerate(sent_when_made)) < 200
    assert [key.id for key in sent.keys] == ["run-0001", "run-0002", "run-0003"]
    assert sent.last == Key("default", "run-1000")


def test_a_load_of_something_that_cannot_be_ordered_sends_nothing(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ran = pulsequeue("publish", "--count", "1000", "--item", "prod-001=1", "--customer-id", "a#b")

    assert ran.code == 1
    assert "customerId" in ran.err
    assert ops.bus.published == []


def test_a_load_keeps_to_its_rate(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    pulsequeue("publish", "--count", "100", "--rate", "10", "--item", "prod-001=1")

    assert len(ops.bus.published) == 100
    assert 9.9 <= (ops.time.now - START).total_seconds() <= 10.2


def test_a_load_without_any_sku_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    ran = CommandLine(MemoryOpsContext(), capsys)("publish", "--count", "3")

    assert ran.code == 1
    assert "run `pulsequeue inventory seed`" in ran.err


def test_a_load_that_is_followed_is_summed_up(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    class Settling(type(ops.bus)):  # type: ignore[misc]
        def publish(self, events: Any) -> Any:  # noqa: ANN401 - as its base
            for event in events:
                order = an_order(json.loads(event.wire())["orderId"])
                ops.add_orders(
                    order.moved(Status.CONFIRMED, ops.time.now, "e", payment=Payment(charge_id="c"))
                )
            return super().publish(events)

    ops.bus = Settling()

    ran = pulsequeue("publish", "--count", "60", "--rate", "30", "--item", "a=1", "--wait", "--json")

    assert ran.json["statuses"] == {"CONFIRMED": 60}
    assert ran.json["ordersPerSecond"] > 0


@pytest.mark.parametrize("arguments", [("--item", "prod-001=1"), ("--count", "3")])
def test_an_unknown_payment_method_is_refused_with_the_known_ones(
    pulsequeue: CommandLine, ops: MemoryOpsContext, arguments: tuple[str, ...]
) -> None:
    ran = pulsequeue("publish", *arguments, "--payment-method", "sim_declned")

    assert ran.code == 1
    assert "paymentMethod: 'sim_declned' is unknown; known are bank_transfer, sim_declined," in ran.err
    assert "; add --no-validate to send it anyway" in ran.err
    assert ops.bus.published == []


def test_an_unknown_payment_method_in_a_file_is_refused(
    pulsequeue: CommandLine, ops: MemoryOpsContext, tmp_path: Path
) -> None:
    order = {"orderId": "a", "customerId": "c", "items": [{"sku": "s", "quantity": 1}], "paymentMethod": "x"}

    assert pulsequeue("publish", _file(tmp_path, order)).code == 1
    assert ops.bus.published == []


def test_an_unknown_payment_method_is_sent_without_validation(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ran = pulsequeue("publish", "--item", "prod-001=1", "--payment-method", "card", "--no-validate")

    assert (ran.code, _wire(ops)[0]["paymentMethod"]) == (0, "card")


class _Interrupting(RecordingBus):
    """Accepts one batch; Ctrl-C is pressed during the next."""

    def publish(self, events: Any) -> Any:  # noqa: ANN401 - as its base
        if self.published:
            raise KeyboardInterrupt
        return super().publish(events)


def test_an_interrupted_load_says_how_many_were_sent_and_how_to_go_on(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.bus = _Interrupting()

    ran = pulsequeue("publish", "--count", "250", "--item", "prod-001=1")

    assert ran.code == 130
    assert "interrupted: up to 200 of 250 orders were sent (load-" in ran.err
    assert "-100 for certain); check with `pulsequeue order ls` how many, then" in ran.err
    assert "send the rest with the same command and --count 50 to 150." in ran.err


def test_an_interrupt_between_two_batches_leaves_no_doubt(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    def interrupt(_seconds: float) -> None:
        if ops.bus.published:
            raise KeyboardInterrupt
        ops.time.now += timedelta(seconds=1)

    ops.clock = Clock(now=ops.time, sleep=interrupt)

    ran = pulsequeue("publish", "--count", "5", "--rate", "2", "--item", "prod-001=1")

    sent = len(ops.bus.published)
    assert ran.code == 130
    assert f"interrupted: {sent} of 5 orders were sent" in ran.err
    assert ran.err.endswith(f"and --count {5 - sent}.\n")


def test_an_interrupted_file_can_be_published_again(
    pulsequeue: CommandLine, ops: MemoryOpsContext, tmp_path: Path
) -> None:
    ops.bus = _Interrupting()
    orders = [
        {"orderId": f"o-{number}", "customerId": "c", "items": [{"sku": "s", "quantity": 1}]}
        for number in range(150)
    ]

    ran = pulsequeue("publish", _file(tmp_path, orders))

    assert ran.code == 130
    assert "interrupted: up to 150 of 150 orders were sent" in ran.err
    assert "repeat the command: an order that was sent already is not placed twice" in ran.err


def test_an_interrupted_wait_says_that_all_orders_were_sent(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    ops.clock = Clock(now=ops.time, sleep=interrupt)
    ops.add_orders(an_order("o-1"))

    ran = pulsequeue(*ITS_ORDER, "--wait")

    assert ran.code == 130
    assert "interrupted: all 1 orders were sent; the pipeline goes on without this command" in ran.err
    assert "pulsequeue order watch o-1" in ran.err


def _disconnected() -> EndpointConnectionError:
    return EndpointConnectionError(endpoint_url="https://events.eu-west-1.amazonaws.com")


def test_a_lost_connection_says_how_many_were_sent_and_how_to_go_on(
    pulsequeue: CommandLine, ops: MemoryOpsContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = ops.bus.publish

    def publish_once(events: list[Any]) -> Any:  # noqa: ANN401 - as of the bus
        if ops.bus.published:
            raise _disconnected()
        return publish(events)

    monkeypatch.setattr(ops.bus, "publish", publish_once)

    ran = pulsequeue("publish", "--count", "250", "--item", "prod-001=1")

    assert ran.code == 1
    assert "pulsequeue: cannot reach AWS: " in ran.err
    assert "Sending stopped: up to 200 of 250 orders were sent (load-" in ran.err
    assert ran.err.endswith("send the rest with the same command and --count 50 to 150.\n")


def test_a_bus_that_accepts_nothing_any_more_is_not_sent_the_rest(
    pulsequeue: CommandLine, ops: MemoryOpsContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = ops.bus.publish
    calls: list[int] = []

    def accept_once(events: list[Any]) -> Any:  # noqa: ANN401 - as of the bus
        calls.append(len(events))
        return publish(events) if len(calls) == 1 else events

    monkeypatch.setattr(ops.bus, "publish", accept_once)

    ran = pulsequeue("publish", "--count", "1000", "--item", "prod-001=1")

    assert (ran.code, calls) == (1, [100, 100])
    assert "see `pulsequeue status`. Sending stopped: 100 of 1000 orders were sent" in ran.err
    assert ran.err.endswith("to go on, send the rest with the same command and --count 900.\n")

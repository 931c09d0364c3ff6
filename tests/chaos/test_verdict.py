"""The checker of a chaos run can fail: whatever way honest books are doctored, it is found out."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scripts.ops.dlq.messages import RETRIES_EXHAUSTED, DeadLetter, parse_dead_letter
from services.order.service import OrderService
from services.payment.service import PaymentService
from services.payment.simulated_gateway import SimulatedGateway
from services.shared.events import Event, by_name
from services.shared.group_commit import GroupCommit
from services.shared.ledger import Key, Order, Status
from services.shared.messages import Delivery
from tests.chaos.plan import Plan, make_plan
from tests.chaos.verdict import Store, Told, Wrong, check
from tests.support.fakes import START, ManualClock, MemoryStore, RecordingBus, RecordingTelemetry

HOLD = timedelta(minutes=2)
AFTERWARDS = START + timedelta(hours=1)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(300, seed=5)


@pytest.fixture(scope="module")
def honest(plan: Plan) -> Store:
    """Carry a plan out in memory, until nothing moves any more."""
    store, bus, clock, telemetry = (
        MemoryStore(plan.stock),
        RecordingBus(),
        ManualClock(),
        RecordingTelemetry(),
    )
    ledger = GroupCommit(store, waits=lambda: iter(()))
    orders = OrderService(ledger, bus, telemetry, clock=clock, hold=HOLD)
    payments = PaymentService(ledger, bus, SimulatedGateway(slow_seconds=0), telemetry, clock=clock)
    sent = [
        Delivery(str(n), _event(message.name, message.detail, n))
        for n, message in enumerate(plan.messages)
        if message.name and not message.detail.get("mark")
    ]
    routes = (
        (orders.handle, {"OrderPlaced", "OrderCancellationRequested"}),
        (payments.handle, {"PaymentRequested", "RefundRequested"}),
        (orders.expire, {"PaymentRequested"}),
    )
    queues = [[one for one in sent if one.event.detail_type() in names] for _, names in routes]
    for _ in range(8):
        heard = len(bus.published)
        for n, (handle, _) in enumerate(routes):
            again = set(handle(queues[n]))
            queues[n] = [one for one in queues[n] if one.message_id in again]
        for event in bus.published[heard:]:
            for queue, (_, names) in zip(queues, routes, strict=True):
                if event.detail_type() in names:
                    queue.append(Delivery(f"{event.event_id} {heard}", event))
        clock.advance(HOLD)
    told = [Told(event.detail_type(), json.loads(event.wire())) for event in bus.published]
    letters = [
        _letter(function, poison.mark, poison.reason)
        for poison in plan.poison
        for function in poison.functions
    ]
    return Store(list(store.orders.values()), list(store.stock.values()), letters, told)


def _event(name: str, detail: dict[str, Any], n: int) -> Event:
    model = by_name(name)
    assert model is not None
    return model.model_validate({"eventId": f"e{n}", "occurredAt": START, **detail})


def _letter(function: str, mark: str, reason: str) -> DeadLetter:
    message = {"MessageId": mark, "ReceiptHandle": "r", "Body": f'{{"detail": {{"orderId": "{mark}"}}}}'}
    attributes = {} if reason == RETRIES_EXHAUSTED else {"reason": {"StringValue": reason}}
    return parse_dead_letter(function, {**message, "MessageAttributes": attributes})


def _first(books: Store, status: Status, **having: object) -> Order:
    return next(
        order
        for order in books.orders
        if order.status is status and all(getattr(order, name) == value for name, value in having.items())
    )


def _with(books: Store, old: Order, new: Order | None) -> Store:
    kept = [order for order in books.orders if order is not old]
    return replace(books, orders=[*kept, new] if new else kept)


def _paid(books: Store) -> list[Order]:
    return [order for order in books.orders if order.status is Status.CONFIRMED and order.amount_minor]


def test_honest_books_are_in_order(plan: Plan, honest: Store) -> None:
    assert check(plan, honest, AFTERWARDS) == []
    assert {order.status for order in honest.orders} == set(Status) - {Status.RESERVED}
    assert {"OrderConfirmed", "RefundProcessed", "OrderRejected"} <= {event.name for event in honest.told}


def _lose_an_order(books: Store) -> Store:
    return _with(books, _first(books, Status.REJECTED), None)


def _invent_an_order(books: Store) -> Store:
    rejected = _first(books, Status.REJECTED)
    return replace(books, orders=[*books.orders, replace(rejected, key=Key("default", "nobody's"))])


def _leave_an_order_open(books: Store) -> Store:
    order = _first(books, Status.CANCELLED)
    return _with(books, order, replace(order, status=Status.RESERVED, history=order.history[:1]))


def _end_an_order_as_it_cannot_end(books: Store) -> Store:
    order = _first(books, Status.REJECTED, reason="unknown_sku")
    return _with(books, order, replace(order, reason="out_of_stock"))


def _sell_somebody_something_else(books: Store) -> Store:
    order = _first(books, Status.REJECTED)
    return _with(books, order, replace(order, lines=(replace(order.lines[0], quantity=99),)))


def _lose_a_unit(books: Store) -> Store:
    first, *others = books.stock
    return replace(
        books, stock=[replace(first, stock=first.stock - 1, available=first.available - 1), *others]
    )


def _keep_a_unit_reserved(books: Store) -> Store:
    first, *others = books.stock
    return replace(books, stock=[replace(first, reserved=1, available=first.available - 1), *others])


def _count_more_available_than_there_is(books: Store) -> Store:
    first, *others = books.stock
    return replace(books, stock=[replace(first, available=first.available + 1), *others])


def _charge_two_orders_as_one(books: Store) -> Store:
    one, other, *_ = _paid(books)
    return _with(books, one, replace(one, payment=other.payment))


def _tell_of_a_second_charge(books: Store) -> Store:
    charge = next(event for event in books.told if event.name == "PaymentProcessed")
    again = Told(charge.name, {**charge.detail, "chargeId": "ch-other", "eventId": "other"})
    return replace(books, told=[*books.told, again])


def _tell_one_event_in_two_ways(books: Store) -> Store:
    first = books.told[0]
    return replace(books, told=[*books.told, Told(first.name, {**first.detail, "occurredAt": "later"})])


def _tell_one_step_as_two_events(books: Store) -> Store:
    first = books.told[0]
    return replace(books, told=[*books.told, Told(first.name, {**first.detail, "eventId": "another"})])


def _tell_nobody_of_a_confirmation(books: Store) -> Store:
    told = [event for event in books.told if event.name == "OrderConfirmed"]
    return replace(books, told=[event for event in books.told if event is not told[0]])


def _tell_of_an_end_that_was_none(books: Store) -> Store:
    order = _first(books, Status.CONFIRMED)
    detail = {"eventId": "lie", "correlationId": order.key.id, "orderId": order.key.id}
    return replace(books, told=[*books.told, Told("OrderRejected", detail)])


def _lose_a_malformed_message(books: Store) -> Store:
    return replace(books, letters=books.letters[1:])


def _bury_for_another_reason(books: Store) -> Store:
    first, *others = books.letters
    return replace(books, letters=[replace(first, reason=RETRIES_EXHAUSTED), *others])


def _leave_a_good_message_in_the_dead_letters(books: Store) -> Store:
    return replace(books, letters=[*books.letters, _letter("order", "order-1", RETRIES_EXHAUSTED)])


@pytest.mark.parametrize(
    ("doctor", "wrong"),
    [
        (_lose_an_order, Wrong.LOST),
        (_invent_an_order, Wrong.OTHER),
        (_leave_an_order_open, Wrong.LOST),
        (_end_an_order_as_it_cannot_end, Wrong.OTHER),
        (_sell_somebody_something_else, Wrong.OTHER),
        (_lose_a_unit, Wrong.LEAKED),
        (_keep_a_unit_reserved, Wrong.LEAKED),
        (_count_more_available_than_there_is, Wrong.LEAKED),
        (_charge_two_orders_as_one, Wrong.DOUBLED),
        (_tell_of_a_second_charge, Wrong.DOUBLED),
        (_tell_one_event_in_two_ways, Wrong.DOUBLED),
        (_tell_one_step_as_two_events, Wrong.DOUBLED),
        (_tell_nobody_of_a_confirmation, Wrong.LOST),
        (_tell_of_an_end_that_was_none, Wrong.OTHER),
        (_lose_a_malformed_message, Wrong.LOST),
        (_bury_for_another_reason, Wrong.OTHER),
        (_leave_a_good_message_in_the_dead_letters, Wrong.LOST),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else value.value,
)
def test_doctored_books_are_found_out(
    plan: Plan, honest: Store, doctor: Callable[[Store], Store], wrong: Wrong
) -> None:
    findings = check(plan, doctor(honest), AFTERWARDS)

    assert wrong in {finding.wrong for finding in findings}


def test_an_order_charged_and_never_confirmed_is_found_out(plan: Plan, honest: Store) -> None:
    order = _first(honest, Status.CANCELLED, reason="reservation_expired")
    charged = replace(order, payment=_paid(honest)[0].payment)

    findings = check(plan, _with(honest, order, charged), AFTERWARDS)

    assert any("but charged" in finding.says for finding in findings)

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
from tests.chaos.verdict import PublishedEvent, SystemState, Wrong, check
from tests.support.fakes import START, ManualClock, MemoryStore, RecordingBus, RecordingTelemetry

HOLD = timedelta(minutes=2)
AFTERWARDS = START + timedelta(hours=1)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(300, seed=5)


@pytest.fixture(scope="module")
def honest(plan: Plan) -> SystemState:
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
        (payments.handle, {"PaymentRequested", "OrderCancelled", "RefundRequested"}),
        (orders.expire, {"PaymentRequested"}),
    )
    queues = [[one for one in sent if one.event.detail_type() in names] for _, names in routes]
    for _ in range(16):
        count = len(bus.published)
        for n, (handle, _) in enumerate(routes):
            retry = set(handle(queues[n]))
            queues[n] = [one for one in queues[n] if one.message_id in retry]
        for event in bus.published[count:]:
            for queue, (_, names) in zip(queues, routes, strict=True):
                if event.detail_type() in names:
                    queue.append(Delivery(f"{event.event_id} {count}", event))
        clock.advance(HOLD / 2)  # what is requested in one round is charged in the next, before it is overdue
    events = [PublishedEvent(event.detail_type(), json.loads(event.wire())) for event in bus.published]
    dead_letters = [
        _letter(function, poison.mark, poison.reason)
        for poison in plan.poison
        for function in poison.functions
    ]
    return SystemState(list(store.orders.values()), list(store.stock.values()), dead_letters, events)


def _event(name: str, detail: dict[str, Any], n: int) -> Event:
    model = by_name(name)
    assert model is not None
    return model.model_validate({"eventId": f"e{n}", "occurredAt": START, **detail})


def _letter(function: str, mark: str, reason: str) -> DeadLetter:
    message = {"MessageId": mark, "ReceiptHandle": "r", "Body": f'{{"detail": {{"orderId": "{mark}"}}}}'}
    attributes = {} if reason == RETRIES_EXHAUSTED else {"reason": {"StringValue": reason}}
    return parse_dead_letter(function, {**message, "MessageAttributes": attributes})


def _first(state: SystemState, status: Status, **having: object) -> Order:
    return next(
        order
        for order in state.orders
        if order.status is status and all(getattr(order, name) == value for name, value in having.items())
    )


def _with(state: SystemState, old: Order, new: Order | None) -> SystemState:
    others = [order for order in state.orders if order is not old]
    return replace(state, orders=[*others, new] if new else others)


def _paid(state: SystemState) -> list[Order]:
    return [order for order in state.orders if order.status is Status.CONFIRMED and order.amount_minor]


def test_honest_books_are_in_order(plan: Plan, honest: SystemState) -> None:
    assert check(plan, honest, AFTERWARDS) == []
    assert {order.status for order in honest.orders} == set(Status) - {Status.RESERVED}
    assert {"OrderConfirmed", "RefundProcessed", "OrderRejected"} <= {event.name for event in honest.events}


def _lose_an_order(state: SystemState) -> SystemState:
    return _with(state, _first(state, Status.REJECTED), None)


def _invent_an_order(state: SystemState) -> SystemState:
    rejected = _first(state, Status.REJECTED)
    return replace(state, orders=[*state.orders, replace(rejected, key=Key("default", "nobody's"))])


def _leave_an_order_open(state: SystemState) -> SystemState:
    order = _first(state, Status.CANCELLED)
    return _with(state, order, replace(order, status=Status.RESERVED, history=order.history[:1]))


def _end_an_order_as_it_cannot_end(state: SystemState) -> SystemState:
    order = _first(state, Status.REJECTED, reason="unknown_sku")
    return _with(state, order, replace(order, reason="out_of_stock"))


def _sell_somebody_something_else(state: SystemState) -> SystemState:
    order = _first(state, Status.REJECTED)
    return _with(state, order, replace(order, lines=(replace(order.lines[0], quantity=99),)))


def _lose_a_unit(state: SystemState) -> SystemState:
    first, *others = state.stock
    return replace(
        state, stock=[replace(first, stock=first.stock - 1, available=first.available - 1), *others]
    )


def _keep_a_unit_reserved(state: SystemState) -> SystemState:
    first, *others = state.stock
    return replace(state, stock=[replace(first, reserved=1, available=first.available - 1), *others])


def _count_more_available_than_there_is(state: SystemState) -> SystemState:
    first, *others = state.stock
    return replace(state, stock=[replace(first, available=first.available + 1), *others])


def _charge_two_orders_as_one(state: SystemState) -> SystemState:
    one, other, *_ = _paid(state)
    return _with(state, one, replace(one, payment=other.payment))


def _add_a_second_charge(state: SystemState) -> SystemState:
    charge = next(event for event in state.events if event.name == "PaymentProcessed")
    duplicate = PublishedEvent(charge.name, {**charge.detail, "chargeId": "ch-other", "eventId": "other"})
    return replace(state, events=[*state.events, duplicate])


def _change_one_event(state: SystemState) -> SystemState:
    first = state.events[0]
    return replace(
        state, events=[*state.events, PublishedEvent(first.name, {**first.detail, "occurredAt": "later"})]
    )


def _split_one_transition(state: SystemState) -> SystemState:
    first = state.events[0]
    return replace(
        state, events=[*state.events, PublishedEvent(first.name, {**first.detail, "eventId": "another"})]
    )


def _drop_a_confirmation(state: SystemState) -> SystemState:
    events = [event for event in state.events if event.name == "OrderConfirmed"]
    return replace(state, events=[event for event in state.events if event is not events[0]])


def _add_a_false_end(state: SystemState) -> SystemState:
    order = _first(state, Status.CONFIRMED)
    detail = {"eventId": "lie", "correlationId": order.key.id, "orderId": order.key.id}
    return replace(state, events=[*state.events, PublishedEvent("OrderRejected", detail)])


def _lose_a_malformed_message(state: SystemState) -> SystemState:
    return replace(state, dead_letters=state.dead_letters[1:])


def _change_a_reason(state: SystemState) -> SystemState:
    first, *others = state.dead_letters
    return replace(state, dead_letters=[replace(first, reason=RETRIES_EXHAUSTED), *others])


def _add_a_valid_dead_letter(state: SystemState) -> SystemState:
    return replace(state, dead_letters=[*state.dead_letters, _letter("order", "order-1", RETRIES_EXHAUSTED)])


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
        (_add_a_second_charge, Wrong.DOUBLED),
        (_change_one_event, Wrong.DOUBLED),
        (_split_one_transition, Wrong.DOUBLED),
        (_drop_a_confirmation, Wrong.LOST),
        (_add_a_false_end, Wrong.OTHER),
        (_lose_a_malformed_message, Wrong.LOST),
        (_change_a_reason, Wrong.OTHER),
        (_add_a_valid_dead_letter, Wrong.LOST),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else value.value,
)
def test_doctored_books_are_found_out(
    plan: Plan, honest: SystemState, doctor: Callable[[SystemState], SystemState], wrong: Wrong
) -> None:
    findings = check(plan, doctor(honest), AFTERWARDS)

    assert wrong in {finding.wrong for finding in findings}


def test_an_order_charged_and_never_confirmed_is_found_out(plan: Plan, honest: SystemState) -> None:
    order = _first(honest, Status.CANCELLED, reason="reservation_expired")
    charged = replace(order, payment=_paid(honest)[0].payment)

    findings = check(plan, _with(honest, order, charged), AFTERWARDS)

    assert any("but charged" in finding.description for finding in findings)

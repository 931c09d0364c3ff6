"""Demo data is reproducible, and contains every kind of event."""

import pickle
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from pydantic_core import from_json

from scripts.demo_data.generator import DemoData, SubjectKind
from services.shared import events
from services.shared.events import (
    Event,
    InventoryAdjusted,
    OrderCancelled,
    OrderConfirmed,
    OrderEvent,
    OrderPlaced,
    PaymentRequested,
    RefundProcessed,
    SubscriptionCancelled,
    SubscriptionEvent,
    SubscriptionStarted,
    SubscriptionTerms,
)

UNTIL = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
DATA = DemoData(orders=2_000, customers=400, months=14, seed=7, tenant="acme", until=UNTIL)
EVENTS = tuple(DATA.events())
"""Generated once: events are immutable, and tests that compare runs generate their own."""


def _wires(events: Iterable[Event]) -> list[str]:
    return [event.wire() for event in events]


def _of(data: DemoData, kind: type[Event]) -> list[str]:
    return _wires(event for event in data.events() if isinstance(event, kind))


def test_the_same_arguments_give_the_same_events_byte_for_byte() -> None:
    assert _wires(EVENTS) == _wires(replace(DATA).events())


def test_another_process_generates_the_same_events() -> None:
    copy: DemoData = pickle.loads(pickle.dumps(DATA))  # noqa: S301 - pickled in the line itself

    assert _wires(copy.events()) == _wires(EVENTS)


@pytest.mark.parametrize(
    "other",
    [replace(DATA, seed=8), replace(DATA, tenant="globex"), replace(DATA, until=UNTIL - timedelta(days=1))],
)
def test_other_arguments_give_other_event_ids(other: DemoData) -> None:
    ids = {event.event_id for event in EVENTS}

    assert ids.isdisjoint(event.event_id for event in other.events())


def test_more_orders_leave_subscriptions_as_they_are() -> None:
    assert _of(replace(DATA, orders=50), SubscriptionEvent) == _of(DATA, SubscriptionEvent)


def test_a_chunk_is_the_same_without_the_others() -> None:
    chunks = DATA.chunks()

    backwards = [list(DATA.event_groups([chunk])) for chunk in reversed(chunks)]

    assert [group for groups in reversed(backwards) for group in groups] == list(DATA.event_groups(chunks))
    assert Counter(chunk.kind for chunk in chunks) == {
        SubjectKind.PRODUCTS: 1,
        SubjectKind.CUSTOMERS: 1,
        SubjectKind.ORDERS: 2,
    }


def test_every_event_is_what_the_bus_would_carry() -> None:
    for event in EVENTS:
        assert type(event).model_validate(from_json(event.wire())) == event


def test_no_two_events_have_the_same_id() -> None:
    ids = [event.event_id for event in EVENTS]

    assert len(set(ids)) == len(ids)


def test_nothing_has_happened_yet_after_the_end_nor_before_the_beginning() -> None:
    times = [event.occurred_at for event in EVENTS]

    assert datetime(2025, 10, 1, tzinfo=UTC) == DATA.start
    assert DATA.start <= min(times)
    assert DATA.until - timedelta(days=1) < max(times) < DATA.until


def test_there_are_as_many_orders_as_asked_for_placed_one_after_the_other() -> None:
    placed = [event.placed_at for event in EVENTS if isinstance(event, OrderPlaced)]

    assert len(placed) == DATA.orders
    assert placed == sorted(placed, key=lambda at: at or UNTIL)


def test_every_event_of_an_honest_shop_occurs() -> None:
    # Publishers that reuse an order id are no part of the demo data.
    assert {type(event) for event in EVENTS} == set(events.CATALOGUE) - {events.OrderConflicted}


def test_an_order_ends_in_every_way_an_order_can() -> None:
    names: dict[str, set[str]] = defaultdict(set)
    for event in EVENTS:
        if isinstance(event, OrderEvent):
            names[event.order_id].add(event.detail_type())
    reasons = Counter(event.reason for event in EVENTS if isinstance(event, OrderCancelled))
    ends = Counter(
        tuple(sorted(emitted & {"OrderConfirmed", "OrderRejected", "OrderCancelled", "RefundProcessed"}))
        for emitted in names.values()
    )

    assert set(reasons) == {"payment_failed", "reservation_expired", "customer_request"}
    assert ends[("OrderConfirmed",)] > 0.75 * DATA.orders
    assert ends[("OrderConfirmed", "RefundProcessed")] > 0.03 * DATA.orders
    assert ends[("OrderRejected",)] > 0.02 * DATA.orders
    assert ends[("OrderCancelled", "RefundProcessed")], "a late charge that was refunded"


def test_what_is_charged_and_given_back_is_what_the_lines_cost() -> None:
    amounts: dict[str, int] = {}
    for event in EVENTS:
        if isinstance(event, PaymentRequested):
            amounts[event.order_id] = sum(item.quantity * item.unit_price_minor for item in event.items)
        if isinstance(event, PaymentRequested | OrderConfirmed | RefundProcessed):
            assert event.amount_minor == amounts[event.order_id]


def test_the_most_popular_product_sells_many_times_as_often_as_the_tenth() -> None:
    sold = Counter(item.sku for event in EVENTS if isinstance(event, OrderPlaced) for item in event.items)

    assert sold["usd-001"] > 5 * sold["usd-010"] > 0


def test_a_december_is_busier_than_the_february_after_it() -> None:
    months = Counter(event.occurred_at.month for event in EVENTS if isinstance(event, OrderPlaced))

    assert months[12] > 1.3 * months[2]


def test_subscriptions_are_raised_lowered_paused_resumed_ended_and_reactivated() -> None:
    subscriptions: dict[str, list[SubscriptionEvent]] = defaultdict(list)
    for event in replace(DATA, customers=3_000, months=24).events():
        if isinstance(event, SubscriptionEvent):
            subscriptions[event.subscription_id].append(event)

    steps = Counter(
        _step(before, after) for events in subscriptions.values() for before, after in pairwise(events)
    )

    assert {step for step, times in steps.items() if times > 3} >= {
        *("raised", "lowered", "paused", "resumed", "ended", "reactivated")
    }
    assert all(
        events == sorted(events, key=lambda event: event.effective) for events in subscriptions.values()
    )
    assert any(subscription.endswith("-2") for subscription in subscriptions)


def _step(before: SubscriptionEvent, after: SubscriptionEvent) -> str:
    match before, after:
        case _, SubscriptionCancelled():
            return "ended"
        case SubscriptionCancelled(), SubscriptionStarted():
            return "reactivated"
        case SubscriptionTerms(amount_minor=0), SubscriptionTerms():
            return "resumed"
        case SubscriptionTerms(), SubscriptionTerms(amount_minor=0):
            return "paused"
        case SubscriptionTerms(amount_minor=less), SubscriptionTerms(amount_minor=more):
            return "raised" if more > less else "lowered"
    return "something else"


def test_there_is_a_rate_for_every_day_on_which_terms_in_another_currency_begin() -> None:
    rates = DATA.rates()
    currencies = {event.currency for event in EVENTS if isinstance(event, SubscriptionTerms)}

    assert currencies == {"USD", *(rate.currency for rate in rates)}
    assert len({rate.rate for rate in rates}) > 1
    assert [rate.valid_from for rate in rates] == sorted(rate.valid_from for rate in rates)
    assert rates[0].valid_from == DATA.start.date()
    assert rates[-1].valid_from <= UNTIL.date() < rates[-1].valid_from + timedelta(days=31)


def test_every_product_that_is_sold_was_counted() -> None:
    counted = {event.sku for event in EVENTS if isinstance(event, InventoryAdjusted)}

    sold = {item.sku for event in EVENTS if isinstance(event, OrderPlaced) for item in event.items}
    assert sold <= counted


def test_data_that_ends_with_a_month_is_of_whole_months() -> None:
    data = replace(DATA, orders=100, months=1, until=datetime(2026, 11, 1, tzinfo=UTC))

    placed = [event.occurred_at for event in data.events() if isinstance(event, OrderPlaced)]

    assert len(placed) == 100
    assert {at.month for at in placed} == {10}
    assert [rate.valid_from.month for rate in data.rates()] == [10]


def test_demo_data_needs_at_least_one_customer() -> None:
    with pytest.raises(ValueError, match="at least one order, one customer and one month"):
        replace(DATA, customers=0)

"""A made-up past is the same each time, and has everything in it that a real one has."""

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
PAST = DemoData(orders=2_000, customers=400, months=14, seed=7, tenant="acme", until=UNTIL)


def _wires(told: Iterable[Event]) -> list[str]:
    return [event.wire() for event in told]


def _of(past: DemoData, kind: type[Event]) -> list[str]:
    return _wires(event for event in past.events() if isinstance(event, kind))


def test_the_same_past_is_told_to_the_byte() -> None:
    assert _wires(PAST.events()) == _wires(replace(PAST).events())


def test_another_process_tells_the_same_past() -> None:
    list(PAST.events())

    there: DemoData = pickle.loads(pickle.dumps(PAST))  # noqa: S301 - pickled in the line itself

    assert _wires(there.events()) == _wires(PAST.events())


@pytest.mark.parametrize(
    "other",
    [replace(PAST, seed=8), replace(PAST, tenant="globex"), replace(PAST, until=UNTIL - timedelta(days=1))],
)
def test_another_past_is_about_other_orders(other: DemoData) -> None:
    ids = {event.event_id for event in PAST.events()}

    assert ids.isdisjoint(event.event_id for event in other.events())


def test_more_orders_leave_subscriptions_as_they_are() -> None:
    assert _of(replace(PAST, orders=50), SubscriptionEvent) == _of(PAST, SubscriptionEvent)


def test_a_chunk_tells_the_same_without_the_others() -> None:
    chunks = PAST.chunks()

    backwards = [list(PAST.stories([chunk])) for chunk in reversed(chunks)]

    assert [story for stories in reversed(backwards) for story in stories] == list(PAST.stories(chunks))
    assert Counter(chunk.about for chunk in chunks) == {
        SubjectKind.PRODUCTS: 1,
        SubjectKind.CUSTOMERS: 1,
        SubjectKind.ORDERS: 2,
    }


def test_every_event_is_what_the_bus_would_carry() -> None:
    for event in PAST.events():
        assert type(event).model_validate(from_json(event.wire())) == event


def test_no_two_events_have_the_same_id() -> None:
    ids = [event.event_id for event in PAST.events()]

    assert len(set(ids)) == len(ids)


def test_nothing_has_happened_yet_after_the_end_nor_before_the_beginning() -> None:
    times = [event.occurred_at for event in PAST.events()]

    assert datetime(2025, 10, 1, tzinfo=UTC) == PAST.begins
    assert PAST.begins <= min(times)
    assert PAST.until - timedelta(days=1) < max(times) < PAST.until


def test_there_are_as_many_orders_as_asked_for_placed_one_after_the_other() -> None:
    placed = [event.placed_at for event in PAST.events() if isinstance(event, OrderPlaced)]

    assert len(placed) == PAST.orders
    assert placed == sorted(placed, key=lambda at: at or UNTIL)


def test_every_event_of_the_catalogue_is_told() -> None:
    assert {type(event) for event in PAST.events()} == set(events.CATALOGUE)


def test_an_order_ends_in_every_way_an_order_can() -> None:
    names: dict[str, set[str]] = defaultdict(set)
    for event in PAST.events():
        if isinstance(event, OrderEvent):
            names[event.order_id].add(event.detail_type())
    reasons = Counter(event.reason for event in PAST.events() if isinstance(event, OrderCancelled))
    ends = Counter(
        tuple(sorted(told & {"OrderConfirmed", "OrderRejected", "OrderCancelled", "RefundProcessed"}))
        for told in names.values()
    )

    assert set(reasons) == {"payment_failed", "reservation_expired", "customer_request"}
    assert ends[("OrderConfirmed",)] > 0.75 * PAST.orders
    assert ends[("OrderConfirmed", "RefundProcessed")] > 0.03 * PAST.orders
    assert ends[("OrderRejected",)] > 0.02 * PAST.orders
    assert ends[("OrderCancelled", "RefundProcessed")], "a charge that came too late and was given back"


def test_what_is_charged_and_given_back_is_what_the_lines_cost() -> None:
    amounts: dict[str, int] = {}
    for event in PAST.events():
        if isinstance(event, PaymentRequested):
            amounts[event.order_id] = sum(item.quantity * item.unit_price_minor for item in event.items)
        if isinstance(event, PaymentRequested | OrderConfirmed | RefundProcessed):
            assert event.amount_minor == amounts[event.order_id]


def test_the_most_popular_product_sells_many_times_as_often_as_the_tenth() -> None:
    sold = Counter(
        item.sku for event in PAST.events() if isinstance(event, OrderPlaced) for item in event.items
    )

    assert sold["usd-001"] > 5 * sold["usd-010"] > 0


def test_a_december_is_busier_than_the_february_after_it() -> None:
    months = Counter(event.occurred_at.month for event in PAST.events() if isinstance(event, OrderPlaced))

    assert months[12] > 1.3 * months[2]


def test_subscriptions_are_raised_lowered_paused_resumed_ended_and_begun_anew() -> None:
    courses: dict[str, list[SubscriptionEvent]] = defaultdict(list)
    for event in replace(PAST, customers=3_000, months=24).events():
        if isinstance(event, SubscriptionEvent):
            courses[event.subscription_id].append(event)

    steps = Counter(_step(before, after) for told in courses.values() for before, after in pairwise(told))

    assert {step for step, times in steps.items() if times > 3} >= {
        *("raised", "lowered", "paused", "resumed", "ended", "begun anew")
    }
    assert all(told == sorted(told, key=lambda event: event.effective) for told in courses.values())
    assert any(subscription.endswith("-2") for subscription in courses)


def _step(before: SubscriptionEvent, after: SubscriptionEvent) -> str:
    match before, after:
        case _, SubscriptionCancelled():
            return "ended"
        case SubscriptionCancelled(), SubscriptionStarted():
            return "begun anew"
        case SubscriptionTerms(amount_minor=0), SubscriptionTerms():
            return "resumed"
        case SubscriptionTerms(), SubscriptionTerms(amount_minor=0):
            return "paused"
        case SubscriptionTerms(amount_minor=less), SubscriptionTerms(amount_minor=more):
            return "raised" if more > less else "lowered"
    return "something else"


def test_there_is_a_rate_for_every_day_on_which_terms_in_another_currency_begin() -> None:
    rates = PAST.rates()
    currencies = {event.currency for event in PAST.events() if isinstance(event, SubscriptionTerms)}

    assert currencies == {"USD", *(rate.currency for rate in rates)}
    assert len({rate.rate for rate in rates}) > 1
    assert [rate.valid_from for rate in rates] == sorted(rate.valid_from for rate in rates)
    assert rates[0].valid_from == PAST.begins.date()
    assert rates[-1].valid_from <= UNTIL.date() < rates[-1].valid_from + timedelta(days=31)


def test_every_product_that_is_sold_was_counted() -> None:
    counted = {event.sku for event in PAST.events() if isinstance(event, InventoryAdjusted)}

    sold = {item.sku for event in PAST.events() if isinstance(event, OrderPlaced) for item in event.items}
    assert sold <= counted


def test_a_past_that_ends_with_a_month_is_of_whole_months() -> None:
    past = replace(PAST, orders=100, months=1, until=datetime(2026, 11, 1, tzinfo=UTC))

    placed = [event.occurred_at for event in past.events() if isinstance(event, OrderPlaced)]

    assert len(placed) == 100
    assert {at.month for at in placed} == {10}
    assert [rate.valid_from.month for rate in past.rates()] == [10]


def test_a_past_needs_somebody_in_it() -> None:
    with pytest.raises(ValueError, match="at least one order, one customer and one month"):
        replace(PAST, customers=0)

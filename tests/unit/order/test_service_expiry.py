"""What the order service does when the time of a reservation is over."""

from collections.abc import Collection, Mapping
from datetime import timedelta

import pytest

from services.shared.events import (
    Event,
    OrderCancelled,
)
from services.shared.ledger import Key, Status
from services.shared.log_events import LogEvent
from tests.support.builders import HOLD, cancellation, payment_request, placed
from tests.support.fakes import (
    START,
)
from tests.support.order_service import OrderFixture


def test_a_reservation_past_its_time_is_released() -> None:
    fixture = OrderFixture()
    fixture.handle(placed(quantity=2))
    (requested,) = fixture.bus.published
    fixture.clock.advance(HOLD)

    retry = fixture.expire(requested)

    assert retry == set()
    assert (fixture.order().status, fixture.order().reason) == (Status.CANCELLED, "reservation_expired")
    assert fixture.stock() == (10, 0, 10)
    event = fixture.bus.published[-1]
    assert isinstance(event, OrderCancelled)
    assert event.reason == "reservation_expired"
    assert fixture.telemetry.counted("orders_total", outcome="expired") == 1


def test_an_expiry_that_comes_early_goes_back() -> None:
    fixture = OrderFixture()
    fixture.handle(placed())
    fixture.clock.advance(HOLD - timedelta(milliseconds=1))

    assert fixture.expire(*fixture.bus.published) == {"m0"}
    assert fixture.order().status is Status.RESERVED


def test_an_expiry_of_an_order_that_is_not_there_goes_back() -> None:
    fixture = OrderFixture()
    fixture.clock.advance(HOLD)

    assert fixture.expire(payment_request()) == {"m0"}


@pytest.mark.parametrize("settle", ["pay", "cancel"])
def test_the_expiry_of_a_settled_order_does_nothing(settle: str) -> None:
    fixture = OrderFixture()
    fixture.handle(placed())
    if settle == "pay":
        fixture.pay()
    else:
        fixture.handle(cancellation())
    fixture.clock.advance(HOLD)
    order, stock = fixture.order(), fixture.stock()
    fixture.bus.published.clear()

    assert fixture.expire(payment_request()) == set()
    assert (fixture.order(), fixture.stock()) == (order, stock)
    assert fixture.bus.published == []


def test_a_repeated_expiry_has_no_second_effect_and_the_same_event() -> None:
    fixture = OrderFixture()
    fixture.handle(placed())
    fixture.clock.advance(HOLD)

    fixture.expire(payment_request(), payment_request())
    fixture.clock.advance(HOLD)
    fixture.expire(payment_request())

    assert fixture.stock() == (10, 0, 10)
    assert fixture.bus.names() == ["PaymentRequested", "OrderCancelled", "OrderCancelled"]
    assert fixture.bus.published[1] == fixture.bus.published[2]
    assert fixture.telemetry.counted("orders_total", outcome="expired") == 1


def test_a_crash_between_expiring_and_publishing_is_finished_by_the_redelivery() -> None:
    fixture = OrderFixture()
    fixture.handle(placed())
    fixture.clock.advance(HOLD)
    fixture.bus.refuse = 1

    lost = fixture.expire(payment_request())
    delivered = fixture.expire(payment_request())

    assert (lost, delivered) == ({"m0"}, set())
    assert fixture.bus.names() == ["PaymentRequested", "OrderCancelled"]


def test_a_reservation_whose_time_is_not_over_is_not_forgotten_by_a_wrong_expiry() -> None:
    fixture = OrderFixture()
    fixture.handle(placed())
    fixture.clock.advance(HOLD - timedelta(minutes=1))

    retry = fixture.expire(payment_request(expires_at=START))

    assert retry == {"m0"}
    assert fixture.order().status is Status.RESERVED


class RecordingDelayedQueue:
    def __init__(self, *, refuses: bool = False) -> None:
        self.delays: list[timedelta] = []
        self._refuses = refuses

    def send(self, events: Mapping[Key, tuple[Event, timedelta]]) -> Collection[Key]:
        self.delays += [delay for _, delay in events.values()]
        return list(events) if self._refuses else []


def test_a_bank_transfer_is_held_for_three_days_and_released_then() -> None:
    later = RecordingDelayedQueue()
    fixture = OrderFixture(later=later)
    fixture.handle(placed(paymentMethod="bank_transfer"))
    (requested,) = fixture.bus.published
    fixture.clock.advance(timedelta(days=3) - timedelta(milliseconds=1))

    early = fixture.expire(requested)
    status = fixture.order().status
    fixture.clock.advance(timedelta(milliseconds=1))
    fixture.expire(requested)

    assert (early, status, later.delays) == (set(), Status.RESERVED, [timedelta(milliseconds=1)])
    assert (fixture.order().status, fixture.order().reason) == (Status.CANCELLED, "reservation_expired")


def test_any_other_payment_is_held_as_long_as_usual() -> None:
    fixture = OrderFixture()

    fixture.handle(placed(paymentMethod="card"))

    assert fixture.order().expires_at == START + HOLD


def test_an_expiry_that_comes_early_is_sent_again_once_for_an_order_and_until_its_own_time() -> None:
    later = RecordingDelayedQueue()
    fixture = OrderFixture(later=later)
    fixture.handle(placed())
    fixture.clock.advance(timedelta(minutes=5))

    retry = fixture.expire(payment_request(expires_at=START), payment_request(expires_at=START + 2 * HOLD))

    assert (retry, later.delays) == (set(), [HOLD - timedelta(minutes=5)])


def test_an_expiry_that_cannot_be_sent_again_goes_back() -> None:
    fixture = OrderFixture(later=RecordingDelayedQueue(refuses=True))
    fixture.handle(placed())

    retry = fixture.expire(payment_request(), payment_request())

    assert retry == {"m0", "m1"}
    assert LogEvent.EXPIRY_NOT_POSTPONED in fixture.logged()


def test_the_messages_of_a_long_hold_end_with_its_payment() -> None:
    later = RecordingDelayedQueue()
    fixture = OrderFixture(later=later)
    fixture.handle(placed(paymentMethod="bank_transfer"))
    (requested,) = fixture.bus.published
    fixture.pay()

    assert fixture.expire(requested) == set()
    assert later.delays == []

"""What the order service does when the time of a reservation is over."""

from datetime import timedelta

import pytest

from services.shared.events import (
    OrderCancelled,
)
from services.shared.ledger import Status
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

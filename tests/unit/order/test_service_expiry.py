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
from tests.support.order_service import Shop


def test_a_reservation_past_its_time_is_released() -> None:
    shop = Shop()
    shop.handle(placed(quantity=2))
    (requested,) = shop.bus.published
    shop.clock.advance(HOLD)

    again = shop.expire(requested)

    assert again == set()
    assert (shop.order().status, shop.order().reason) == (Status.CANCELLED, "reservation_expired")
    assert shop.stock() == (10, 0, 10)
    event = shop.bus.published[-1]
    assert isinstance(event, OrderCancelled)
    assert event.reason == "reservation_expired"
    assert shop.telemetry.counted("orders_total", outcome="expired") == 1


def test_an_expiry_that_comes_early_goes_back() -> None:
    shop = Shop()
    shop.handle(placed())
    shop.clock.advance(HOLD - timedelta(milliseconds=1))

    assert shop.expire(*shop.bus.published) == {"m0"}
    assert shop.order().status is Status.RESERVED


def test_an_expiry_of_an_order_that_is_not_there_goes_back() -> None:
    shop = Shop()
    shop.clock.advance(HOLD)

    assert shop.expire(payment_request()) == {"m0"}


@pytest.mark.parametrize("settle", ["pay", "cancel"])
def test_the_expiry_of_a_settled_order_does_nothing(settle: str) -> None:
    shop = Shop()
    shop.handle(placed())
    if settle == "pay":
        shop.pay()
    else:
        shop.handle(cancellation())
    shop.clock.advance(HOLD)
    order, stock = shop.order(), shop.stock()
    shop.bus.published.clear()

    assert shop.expire(payment_request()) == set()
    assert (shop.order(), shop.stock()) == (order, stock)
    assert shop.bus.published == []


def test_a_repeated_expiry_has_no_second_effect_and_the_same_event() -> None:
    shop = Shop()
    shop.handle(placed())
    shop.clock.advance(HOLD)

    shop.expire(payment_request(), payment_request())
    shop.clock.advance(HOLD)
    shop.expire(payment_request())

    assert shop.stock() == (10, 0, 10)
    assert shop.bus.names() == ["PaymentRequested", "OrderCancelled", "OrderCancelled"]
    assert shop.bus.published[1] == shop.bus.published[2]
    assert shop.telemetry.counted("orders_total", outcome="expired") == 1


def test_a_crash_between_expiring_and_publishing_is_finished_by_the_redelivery() -> None:
    shop = Shop()
    shop.handle(placed())
    shop.clock.advance(HOLD)
    shop.bus.refuse = 1

    lost = shop.expire(payment_request())
    delivered = shop.expire(payment_request())

    assert (lost, delivered) == ({"m0"}, set())
    assert shop.bus.names() == ["PaymentRequested", "OrderCancelled"]


def test_a_reservation_whose_time_is_not_over_is_not_forgotten_by_a_wrong_expiry() -> None:
    shop = Shop()
    shop.handle(placed())
    shop.clock.advance(HOLD - timedelta(minutes=1))

    again = shop.expire(payment_request(expires_at=START))

    assert again == {"m0"}
    assert shop.order().status is Status.RESERVED

"""What the payment service does with refunds that are asked for."""

from datetime import timedelta

import pytest

from services.shared.events import RefundProcessed
from services.shared.ledger import Status
from tests.support.builders import payment_request, refund_request
from tests.support.payment_service import Till


@pytest.mark.parametrize(("restock", "stock"), [(True, (10, 0, 10)), (False, (8, 0, 8))])
def test_a_refund_puts_the_goods_back_only_when_asked(restock: bool, stock: tuple[int, int, int]) -> None:
    till = Till()
    till.handle(payment_request())

    again = till.handle(refund_request(restock=restock))

    assert again == set()
    assert (till.order().status, till.stock()) == (Status.REFUNDED, stock)
    event = till.bus.published[-1]
    assert isinstance(event, RefundProcessed)
    assert (event.restocked, event.reason, event.charge_id) == (restock, "requested", "ch-order-1")
    assert till.gateway.refunds == {"ch-order-1": "re-ch-order-1-2000USD"}
    assert till.telemetry.counted("payments_total", outcome="refunded") == 1
    assert till.telemetry.counted("inventory_units_total", operation="restock") == (2 if restock else 0)


def test_a_refund_asked_for_twice_is_made_once_and_announced_the_same() -> None:
    till = Till()
    till.handle(payment_request())
    till.handle(refund_request(restock=True), refund_request(restock=True))
    till.clock.advance(timedelta(minutes=1))
    stock = till.stock()

    again = till.handle(refund_request(restock=True))

    assert again == set()
    assert till.stock() == stock
    assert till.bus.names()[2:] == ["RefundProcessed", "RefundProcessed"]
    assert till.bus.published[2] == till.bus.published[3]
    assert till.telemetry.counted("payments_total", outcome="refunded") == 1


def test_a_payment_asked_for_again_after_its_refund_announces_the_same_payment() -> None:
    till = Till()
    till.handle(payment_request())
    till.clock.advance(timedelta(minutes=1))
    till.handle(refund_request())

    till.handle(payment_request())

    assert till.bus.published[3:] == till.bus.published[:2]
    assert till.order().status is Status.REFUNDED


def test_a_refund_that_overtakes_its_payment_goes_back() -> None:
    till = Till()

    assert till.handle(refund_request()) == {"m0"}
    assert till.order().status is Status.RESERVED
    assert till.gateway.refunds == {}


def test_a_payment_and_its_refund_in_one_batch_are_both_made() -> None:
    till = Till()

    again = till.handle(refund_request(), payment_request())

    assert again == set()
    assert till.order().status is Status.REFUNDED
    assert till.bus.names() == ["PaymentProcessed", "OrderConfirmed", "RefundProcessed"]


def test_a_refund_of_an_order_that_is_not_there_goes_back() -> None:
    assert Till().handle(refund_request("order-9")) == {"m0"}


def test_a_refund_of_an_order_that_was_never_paid_changes_nothing() -> None:
    till = Till()
    till.expire()

    assert till.handle(refund_request(restock=True)) == set()
    assert till.order().status is Status.CANCELLED
    assert (till.gateway.refunds, till.bus.published) == ({}, [])


def test_a_refund_waits_for_a_gateway_that_is_down() -> None:
    till = Till()
    till.handle(payment_request())
    till.gateway.down = True

    assert till.handle(refund_request()) == {"m0"}
    assert till.order().status is Status.CONFIRMED


def test_a_refund_that_could_not_be_settled_is_made_once() -> None:
    till = Till()
    till.handle(payment_request())
    till.store.busy = True
    contended = till.handle(refund_request(restock=True))
    till.store.busy = False

    delivered = till.handle(refund_request(restock=True))

    assert (contended, delivered) == ({"m0"}, set())
    assert len(till.gateway.refunds) == 1
    assert (till.order().status, till.stock()) == (Status.REFUNDED, (10, 0, 10))


def test_a_crash_between_refunding_and_publishing_is_finished_by_the_redelivery() -> None:
    till = Till()
    till.handle(payment_request())
    till.bus.refuse = 1

    lost = till.handle(refund_request(restock=True))
    delivered = till.handle(refund_request(restock=True))

    assert (lost, delivered) == ({"m0"}, set())
    assert till.bus.names()[2:] == ["RefundProcessed"]
    assert till.stock() == (10, 0, 10)


def test_a_free_order_is_refunded_without_the_gateway() -> None:
    till = Till(price=0)
    till.handle(payment_request())
    till.gateway.down = True

    assert till.handle(refund_request(restock=True)) == set()
    assert (till.order().status, till.gateway.refunds) == (Status.REFUNDED, {})

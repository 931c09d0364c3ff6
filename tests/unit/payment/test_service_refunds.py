"""What the payment service does with refunds that are asked for."""

from datetime import timedelta

import pytest

from services.shared.events import RefundProcessed
from services.shared.ledger import Status
from tests.support.builders import payment_request, refund_request
from tests.support.payment_service import PaymentFixture


@pytest.mark.parametrize(("restock", "stock"), [(True, (10, 0, 10)), (False, (8, 0, 8))])
def test_a_refund_puts_the_goods_back_only_when_asked(restock: bool, stock: tuple[int, int, int]) -> None:
    fixture = PaymentFixture()
    fixture.handle(payment_request())

    retry = fixture.handle(refund_request(restock=restock))

    assert retry == set()
    assert (fixture.order().status, fixture.stock()) == (Status.REFUNDED, stock)
    event = fixture.bus.published[-1]
    assert isinstance(event, RefundProcessed)
    assert (event.restocked, event.reason, event.charge_id) == (restock, "requested", "ch-order-1")
    assert fixture.gateway.refunds == {"ch-order-1": "re-ch-order-1-2000USD"}
    assert fixture.telemetry.counted("payments_total", outcome="refunded") == 1
    assert fixture.telemetry.counted("inventory_units_total", operation="restock") == (2 if restock else 0)


def test_a_refund_asked_for_twice_is_made_once_and_announced_the_same() -> None:
    fixture = PaymentFixture()
    fixture.handle(payment_request())
    fixture.handle(refund_request(restock=True), refund_request(restock=True))
    fixture.clock.advance(timedelta(minutes=1))
    stock = fixture.stock()

    retry = fixture.handle(refund_request(restock=True))

    assert retry == set()
    assert fixture.stock() == stock
    assert fixture.bus.names()[2:] == ["RefundProcessed", "RefundProcessed"]
    assert fixture.bus.published[2] == fixture.bus.published[3]
    assert fixture.telemetry.counted("payments_total", outcome="refunded") == 1


def test_a_payment_asked_for_again_after_its_refund_announces_the_same_payment() -> None:
    fixture = PaymentFixture()
    fixture.handle(payment_request())
    fixture.clock.advance(timedelta(minutes=1))
    fixture.handle(refund_request())

    fixture.handle(payment_request())

    assert fixture.bus.published[3:] == fixture.bus.published[:2]
    assert fixture.order().status is Status.REFUNDED


def test_a_refund_that_overtakes_its_payment_goes_back() -> None:
    fixture = PaymentFixture()

    assert fixture.handle(refund_request()) == {"m0"}
    assert fixture.order().status is Status.RESERVED
    assert fixture.gateway.refunds == {}


def test_a_payment_and_its_refund_in_one_batch_are_both_made() -> None:
    fixture = PaymentFixture()

    retry = fixture.handle(refund_request(), payment_request())

    assert retry == set()
    assert fixture.order().status is Status.REFUNDED
    assert fixture.bus.names() == ["PaymentProcessed", "OrderConfirmed", "RefundProcessed"]


def test_a_refund_of_an_order_that_is_not_there_goes_back() -> None:
    assert PaymentFixture().handle(refund_request("order-9")) == {"m0"}


def test_a_refund_of_an_order_that_was_never_paid_changes_nothing() -> None:
    fixture = PaymentFixture()
    fixture.expire()

    assert fixture.handle(refund_request(restock=True)) == set()
    assert fixture.order().status is Status.CANCELLED
    assert (fixture.gateway.refunds, fixture.bus.published) == ({}, [])


def test_a_refund_waits_for_a_gateway_that_is_down() -> None:
    fixture = PaymentFixture()
    fixture.handle(payment_request())
    fixture.gateway.down = True

    assert fixture.handle(refund_request()) == {"m0"}
    assert fixture.order().status is Status.CONFIRMED


def test_a_refund_that_could_not_be_settled_is_made_once() -> None:
    fixture = PaymentFixture()
    fixture.handle(payment_request())
    fixture.store.busy = True
    contended = fixture.handle(refund_request(restock=True))
    fixture.store.busy = False

    delivered = fixture.handle(refund_request(restock=True))

    assert (contended, delivered) == ({"m0"}, set())
    assert len(fixture.gateway.refunds) == 1
    assert (fixture.order().status, fixture.stock()) == (Status.REFUNDED, (10, 0, 10))


def test_a_crash_between_refunding_and_publishing_is_finished_by_the_redelivery() -> None:
    fixture = PaymentFixture()
    fixture.handle(payment_request())
    fixture.bus.refuse = 1

    lost = fixture.handle(refund_request(restock=True))
    delivered = fixture.handle(refund_request(restock=True))

    assert (lost, delivered) == ({"m0"}, set())
    assert fixture.bus.names()[2:] == ["RefundProcessed"]
    assert fixture.stock() == (10, 0, 10)


def test_a_free_order_is_refunded_without_the_gateway() -> None:
    fixture = PaymentFixture(price=0)
    fixture.handle(payment_request())
    fixture.gateway.down = True

    assert fixture.handle(refund_request(restock=True)) == set()
    assert (fixture.order().status, fixture.gateway.refunds) == (Status.REFUNDED, {})

"""What the payment service does with refunds that are asked for."""

from datetime import timedelta

import pytest

from services.payment.domain import MAX_REFUNDS
from services.payment.gateway import RefundRequest
from services.shared.errors import GatewayUnavailableError
from services.shared.events import RefundProcessed
from services.shared.ledger import Status
from services.shared.log_events import LogEvent
from tests.support.builders import payment_request, refund_request
from tests.support.fakes import FakeGateway
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
    assert fixture.gateway.refunded == {"ch-order-1": 2_000}
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


def test_parts_of_a_payment_are_given_back_one_by_one_until_nothing_is_left() -> None:
    fixture = PaymentFixture()
    fixture.handle(payment_request())

    fixture.handle(refund_request(amount_minor=500, event_id="first"))
    first = fixture.order()
    fixture.handle(refund_request(event_id="rest"))

    assert (first.status, fixture.order().status) == (Status.CONFIRMED, Status.REFUNDED)
    assert fixture.gateway.refunded == {"ch-order-1": 2_000}
    refunds = [event for event in fixture.bus.published if isinstance(event, RefundProcessed)]
    assert [refund.amount_minor for refund in refunds] == [500, 1_500]
    assert len({refund.event_id for refund in refunds}) == 2
    assert fixture.telemetry.counted("payments_total", outcome="refunded") == 2


def test_each_request_of_a_batch_is_a_refund_and_a_repeated_one_is_not() -> None:
    fixture = PaymentFixture()
    fixture.handle(payment_request())
    part, other = (refund_request(amount_minor=300, event_id=name) for name in ("part", "other"))

    retry = fixture.handle(part, other, part)

    assert retry == set()
    assert fixture.gateway.refunded == {"ch-order-1": 600}
    assert fixture.bus.names()[2:] == ["RefundProcessed", "RefundProcessed"]


def test_more_than_is_left_is_not_given_back() -> None:
    fixture = PaymentFixture()
    fixture.handle(payment_request())
    fixture.handle(refund_request(amount_minor=1_500, event_id="first"))

    retry = fixture.handle(refund_request(amount_minor=501, event_id="second"))

    assert retry == set()
    assert fixture.gateway.refunded == {"ch-order-1": 1_500}
    assert fixture.logged()[-1] is LogEvent.REFUND_REFUSED


def test_what_another_run_is_giving_back_is_not_given_back_again() -> None:
    class Gateway(FakeGateway):
        def refund(self, request: RefundRequest) -> str:
            refund_id = super().refund(request)
            if len(self.refunds) == 1:
                fixture.handle(refund_request(event_id="meanwhile"))
            return refund_id

    fixture = PaymentFixture(gateway=Gateway())
    fixture.handle(payment_request())

    fixture.handle(refund_request(amount_minor=1_500, event_id="first"))

    assert fixture.gateway.refunded == {"ch-order-1": 2_000}
    assert fixture.order().status is Status.REFUNDED


def test_an_amount_stays_what_it_was_when_its_request_comes_again() -> None:
    fixture = PaymentFixture()
    fixture.handle(payment_request())
    fixture.gateway.down = True
    assert fixture.handle(refund_request(event_id="rest")) == {"m0"}
    fixture.gateway.down = False

    fixture.handle(refund_request(amount_minor=100, event_id="part"))
    fixture.handle(refund_request(event_id="rest"))

    assert fixture.gateway.refunded == {"ch-order-1": 2_000}
    assert [refund.amount_minor for refund in fixture.gateway.refunds.values()] == [2_000]


def test_a_refund_that_the_gateway_refuses_holds_up_no_other_of_its_order() -> None:
    class Gateway(FakeGateway):
        def refund(self, request: RefundRequest) -> str:
            if request.amount_minor == 300:
                raise GatewayUnavailableError("refused")
            return super().refund(request)

    fixture = PaymentFixture(gateway=Gateway())
    fixture.handle(payment_request())
    assert fixture.handle(refund_request(amount_minor=300, event_id="stuck")) == {"m0"}

    assert fixture.handle(refund_request(amount_minor=500, event_id="other")) == set()
    assert fixture.gateway.refunded == {"ch-order-1": 500}


def test_the_goods_come_back_once() -> None:
    fixture = PaymentFixture()
    fixture.handle(payment_request())

    fixture.handle(refund_request(amount_minor=500, restock=True, event_id="first"))
    after_first = fixture.stock()
    fixture.handle(refund_request(restock=True, event_id="rest"))

    assert (after_first, fixture.stock()) == ((10, 0, 10), (10, 0, 10))
    assert fixture.telemetry.counted("inventory_units_total", operation="restock") == 2


def test_an_order_has_a_limit_of_refunds() -> None:
    fixture = PaymentFixture()
    fixture.handle(payment_request())

    fixture.handle(*(refund_request(amount_minor=1, event_id=f"r{n}") for n in range(MAX_REFUNDS + 1)))

    assert fixture.gateway.refunded == {"ch-order-1": MAX_REFUNDS}
    assert fixture.logged()[-1] is LogEvent.REFUND_REFUSED

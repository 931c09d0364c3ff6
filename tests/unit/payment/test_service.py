"""What the payment service does with payments that are asked for, in time and too late."""

from datetime import timedelta

import pytest

from services.payment.gateway import ChargeRequest
from services.shared.events import (
    OrderCancelled,
    OrderConfirmed,
    PaymentFailed,
    PaymentProcessed,
    PricedItem,
    RefundProcessed,
)
from services.shared.ledger import Status
from services.shared.log_events import LogEvent
from tests.support.builders import a_key, payment_request, released
from tests.support.fakes import START
from tests.support.payment_service import PaymentFixture, RecordingGateway, late_payment_fixture

# --- payments -----------------------------------------------------------------------------------------


def test_a_charge_confirms_the_order_and_takes_its_goods_from_stock() -> None:
    fixture = PaymentFixture()
    fixture.clock.advance(timedelta(seconds=3))

    retry = fixture.handle(payment_request())

    assert retry == set()
    assert (fixture.order().status, fixture.stock()) == (Status.CONFIRMED, (8, 0, 8))
    processed, confirmed = fixture.bus.published
    assert isinstance(processed, PaymentProcessed)
    assert (processed.charge_id, processed.amount_minor, processed.currency) == ("ch-order-1", 2_000, "USD")
    assert isinstance(confirmed, OrderConfirmed)
    assert confirmed.items == (PricedItem(sku="prod-001", quantity=2, unit_price_minor=1_000),)
    assert {event.occurred_at for event in fixture.bus.published} == {START + timedelta(seconds=3)}


def test_a_settlement_is_counted_told_and_timed() -> None:
    fixture = PaymentFixture()
    fixture.clock.advance(timedelta(seconds=3))

    fixture.handle(payment_request())

    assert fixture.telemetry.counted("payments_total", outcome="succeeded") == 1
    assert fixture.telemetry.counted("inventory_units_total", operation="confirm") == 2
    assert fixture.telemetry.lines == [
        (LogEvent.ORDER_CONFIRMED, a_key("order-1"), {"amount_minor": 2_000, "currency": "USD"})
    ]
    assert ("order_settlement_duration_seconds", 3.0) in fixture.telemetry.observations


def test_what_the_order_says_is_charged_and_not_what_the_event_says() -> None:
    gateway = RecordingGateway()
    fixture = PaymentFixture(gateway=gateway)

    fixture.handle(payment_request().model_copy(update={"amount_minor": 1}))

    assert gateway.requests == [ChargeRequest("default#order-1", "order-1", 2_000, "USD", None)]
    assert [event.amount_minor for event in fixture.bus.published if isinstance(event, PaymentProcessed)] == [
        2_000
    ]


def test_a_declined_payment_cancels_the_order_and_releases_its_stock() -> None:
    fixture = PaymentFixture()
    fixture.gateway.declining.add("order-1")

    retry = fixture.handle(payment_request())

    assert retry == set()
    assert (fixture.order().status, fixture.order().reason) == (Status.CANCELLED, "payment_failed")
    assert fixture.stock() == (10, 0, 10)
    failed, cancelled = fixture.bus.published
    assert isinstance(failed, PaymentFailed)
    assert failed.reason == "card_declined"
    assert isinstance(cancelled, OrderCancelled)
    assert cancelled.reason == "payment_failed"
    assert fixture.telemetry.counted("payments_total", outcome="failed") == 1


def test_one_batch_settles_each_order_by_its_own_answer() -> None:
    fixture = PaymentFixture()
    fixture.reserve("order-2")
    fixture.gateway.declining.add("order-2")

    fixture.handle(payment_request("order-1"), payment_request("order-2"))

    assert (fixture.order("order-1").status, fixture.order("order-2").status) == (
        Status.CONFIRMED,
        Status.CANCELLED,
    )
    assert fixture.stock() == (8, 0, 8)


@pytest.mark.parametrize("declining", [False, True])
def test_a_payment_asked_for_twice_is_made_once_and_announced_the_same(declining: bool) -> None:
    fixture = PaymentFixture()
    fixture.gateway.declining |= {"order-1"} if declining else set()

    fixture.handle(payment_request(), payment_request())
    fixture.clock.advance(timedelta(minutes=1))
    stock, order = fixture.stock(), fixture.order()
    fixture.handle(payment_request())

    assert fixture.gateway.calls == ["default#order-1"]
    assert (fixture.stock(), fixture.order()) == (stock, order)
    assert fixture.bus.published[:2] == fixture.bus.published[2:]
    assert fixture.telemetry.counted("payments_total", outcome="duplicate") == 1


def test_a_payment_for_an_order_that_is_not_there_goes_back() -> None:
    fixture = PaymentFixture()

    assert fixture.handle(payment_request("order-9")) == {"m0"}
    assert fixture.gateway.calls == []


def test_a_payment_for_a_rejected_order_charges_nothing() -> None:
    fixture = PaymentFixture()
    fixture.reserve("order-2", quantity=99)

    assert fixture.handle(payment_request("order-2")) == set()
    assert (fixture.gateway.calls, fixture.bus.published) == ([], [])


def test_a_gateway_that_is_down_sends_only_its_payments_back() -> None:
    fixture = PaymentFixture()
    fixture.reserve("order-2")
    fixture.handle(payment_request("order-2"))
    fixture.gateway.down = True

    retry = fixture.handle(payment_request("order-1"), payment_request("order-2"))

    assert retry == {"m0"}
    assert fixture.order("order-1").status is Status.RESERVED


def test_a_charge_whose_answer_was_lost_is_made_once() -> None:
    fixture = PaymentFixture()
    fixture.gateway.silent_after_charging = True
    lost = fixture.handle(payment_request())
    fixture.gateway.silent_after_charging = False

    delivered = fixture.handle(payment_request())

    assert (lost, delivered) == ({"m0"}, set())
    assert len(fixture.gateway.charges) == 1
    assert fixture.order().status is Status.CONFIRMED


def test_a_charge_that_could_not_be_settled_is_made_once() -> None:
    fixture = PaymentFixture()
    fixture.store.busy = True
    contended = fixture.handle(payment_request())
    fixture.store.busy = False

    delivered = fixture.handle(payment_request())

    assert (contended, delivered) == ({"m0"}, set())
    assert len(fixture.gateway.charges) == 1
    assert (fixture.order().status, fixture.stock()) == (Status.CONFIRMED, (8, 0, 8))
    assert fixture.gateway.refunds == {}


@pytest.mark.parametrize("declining", [False, True])
def test_a_crash_between_settling_and_publishing_is_finished_by_the_redelivery(declining: bool) -> None:
    fixture = PaymentFixture()
    fixture.gateway.declining |= {"order-1"} if declining else set()
    fixture.bus.refuse = 1

    lost = fixture.handle(payment_request())
    order = fixture.order()
    delivered = fixture.handle(payment_request())

    assert (lost, delivered) == ({"m0"}, set())
    assert fixture.order() == order
    assert len({event.event_id for event in fixture.bus.published}) == 2


def test_a_free_order_is_confirmed_without_the_gateway() -> None:
    fixture = PaymentFixture(price=0)
    fixture.gateway.down = True

    retry = fixture.handle(payment_request())

    assert retry == set()
    assert fixture.order().status is Status.CONFIRMED
    assert fixture.gateway.calls == []


def test_a_free_order_called_off_needs_no_gateway_either() -> None:
    fixture = PaymentFixture(price=0)
    fixture.expire()
    fixture.gateway.down = True

    assert fixture.handle(payment_request(), released()) == set()
    assert fixture.bus.published == []


def test_a_free_order_released_while_it_was_confirmed_has_nothing_to_refund() -> None:
    fixture = PaymentFixture(price=0)
    seen = fixture.order()
    fixture.expire()
    fixture.ledger.orders = lambda keys: dict.fromkeys(keys, seen)  # type: ignore[method-assign]

    retry = fixture.handle(payment_request())

    assert retry == set()
    assert fixture.telemetry.counted("payments_total", outcome="refunded") == 0
    assert fixture.bus.published == []


# --- payments that come too late ----------------------------------------------------------------------


def test_a_payment_that_succeeds_too_late_is_refunded_and_says_so() -> None:
    fixture, _ = late_payment_fixture()

    retry = fixture.handle(payment_request())

    assert retry == set()
    order = fixture.order()
    assert (order.status, order.reason) == (Status.CANCELLED, "reservation_expired")
    assert order.payment is not None
    assert (order.payment.charge_id, order.payment.refunded_minor) == ("ch-order-1", 2_000)
    assert fixture.gateway.refunded == {"ch-order-1": 2_000}
    processed, refunded = fixture.bus.published
    assert isinstance(processed, PaymentProcessed)
    assert isinstance(refunded, RefundProcessed)
    assert (refunded.refund_id, refunded.amount_minor) == ("re-ch-order-1-2000USD", 2_000)
    assert (refunded.restocked, refunded.reason) == (False, "order_no_longer_reserved")
    assert fixture.telemetry.counted("payments_total", outcome="refunded") == 1


def test_a_late_payment_delivered_again_is_refunded_and_noted_once() -> None:
    fixture, _ = late_payment_fixture()
    fixture.handle(payment_request())
    order = fixture.order()
    fixture.clock.advance(timedelta(minutes=1))

    fixture.handle(payment_request())

    assert fixture.order() == order
    assert len(fixture.gateway.refunds) == 1
    assert fixture.bus.published[:2] == fixture.bus.published[2:]
    assert fixture.telemetry.counted("payments_total", outcome="refunded") == 1


def test_a_late_payment_whose_process_died_before_the_refund_is_found_and_refunded() -> None:
    fixture = PaymentFixture()
    fixture.gateway.silent_after_charging = True
    fixture.handle(payment_request())
    fixture.gateway.silent_after_charging = False
    fixture.expire()

    retry = fixture.handle(payment_request())

    assert retry == set()
    assert list(fixture.gateway.refunded) == ["ch-order-1"]
    assert fixture.bus.names() == ["PaymentProcessed", "RefundProcessed"]


def test_a_late_payment_whose_process_died_between_refund_and_note_is_noted_once() -> None:
    fixture = PaymentFixture()
    fixture.gateway.charge(ChargeRequest("default#order-1", "order-1", 2_000, "USD", None))
    fixture.expire()
    fixture.store.busy = True
    unnoted = fixture.handle(payment_request())
    refunds = dict(fixture.gateway.refunds)
    fixture.store.busy = False

    retry = fixture.handle(payment_request())

    assert (unnoted, retry) == ({"m0"}, set())
    assert fixture.gateway.refunds == refunds
    assert fixture.gateway.refunded == {"ch-order-1": 2_000}
    assert fixture.order().payment is not None
    assert fixture.bus.names() == ["PaymentProcessed", "RefundProcessed"]
    assert fixture.telemetry.counted("payments_total", outcome="refunded") == 1


def test_a_late_payment_waits_for_a_gateway_that_is_down() -> None:
    fixture = PaymentFixture()
    fixture.gateway.charge(ChargeRequest("default#order-1", "order-1", 2_000, "USD", None))
    fixture.expire()
    fixture.gateway.down = True

    assert fixture.handle(payment_request()) == {"m0"}

    fixture.gateway.down = False
    assert fixture.handle(payment_request()) == set()
    assert list(fixture.gateway.refunded) == ["ch-order-1"]


def test_an_order_called_off_before_it_was_charged_is_not_charged() -> None:
    fixture = PaymentFixture()
    fixture.expire()

    retry = fixture.handle(payment_request())

    assert retry == set()
    assert (fixture.gateway.calls, fixture.gateway.refunds, fixture.bus.published) == ([], {}, [])


def test_no_messages_are_no_work() -> None:
    fixture = PaymentFixture()

    assert fixture.handle() == set()
    assert (fixture.bus.published, fixture.telemetry.lines, fixture.telemetry.counts) == ([], [], {})

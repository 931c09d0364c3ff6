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
from tests.support.builders import a_key, payment_request
from tests.support.fakes import START
from tests.support.payment_service import AttentiveGateway, Till, a_late_till

# --- payments -----------------------------------------------------------------------------------------


def test_a_charge_confirms_the_order_and_takes_its_goods_from_stock() -> None:
    till = Till()
    till.clock.advance(timedelta(seconds=3))

    again = till.handle(payment_request())

    assert again == set()
    assert (till.order().status, till.stock()) == (Status.CONFIRMED, (8, 0, 8))
    processed, confirmed = till.bus.published
    assert isinstance(processed, PaymentProcessed)
    assert (processed.charge_id, processed.amount_minor, processed.currency) == ("ch-order-1", 2_000, "USD")
    assert isinstance(confirmed, OrderConfirmed)
    assert confirmed.items == (PricedItem(sku="prod-001", quantity=2, unit_price_minor=1_000),)
    assert {event.occurred_at for event in till.bus.published} == {START + timedelta(seconds=3)}


def test_a_settlement_is_counted_told_and_timed() -> None:
    till = Till()
    till.clock.advance(timedelta(seconds=3))

    till.handle(payment_request())

    assert till.telemetry.counted("payments_total", outcome="succeeded") == 1
    assert till.telemetry.counted("inventory_units_total", operation="confirm") == 2
    assert till.telemetry.lines == [
        (LogEvent.ORDER_CONFIRMED, a_key("order-1"), {"amount_minor": 2_000, "currency": "USD"})
    ]
    assert ("order_settlement_duration_seconds", 3.0) in till.telemetry.observations


def test_what_the_order_says_is_charged_and_not_what_the_event_says() -> None:
    gateway = AttentiveGateway()
    till = Till(gateway=gateway)

    till.handle(payment_request().model_copy(update={"amount_minor": 1}))

    assert gateway.requests == [ChargeRequest("default#order-1", "order-1", 2_000, "USD", None)]
    assert [event.amount_minor for event in till.bus.published if isinstance(event, PaymentProcessed)] == [
        2_000
    ]


def test_a_declined_payment_cancels_the_order_and_releases_its_stock() -> None:
    till = Till()
    till.gateway.declining.add("order-1")

    again = till.handle(payment_request())

    assert again == set()
    assert (till.order().status, till.order().reason) == (Status.CANCELLED, "payment_failed")
    assert till.stock() == (10, 0, 10)
    failed, cancelled = till.bus.published
    assert isinstance(failed, PaymentFailed)
    assert failed.reason == "card_declined"
    assert isinstance(cancelled, OrderCancelled)
    assert cancelled.reason == "payment_failed"
    assert till.telemetry.counted("payments_total", outcome="failed") == 1


def test_one_batch_settles_each_order_by_its_own_answer() -> None:
    till = Till()
    till.reserve("order-2")
    till.gateway.declining.add("order-2")

    till.handle(payment_request("order-1"), payment_request("order-2"))

    assert (till.order("order-1").status, till.order("order-2").status) == (
        Status.CONFIRMED,
        Status.CANCELLED,
    )
    assert till.stock() == (8, 0, 8)


@pytest.mark.parametrize("declining", [False, True])
def test_a_payment_asked_for_twice_is_made_once_and_announced_the_same(declining: bool) -> None:
    till = Till()
    till.gateway.declining |= {"order-1"} if declining else set()

    till.handle(payment_request(), payment_request())
    till.clock.advance(timedelta(minutes=1))
    stock, order = till.stock(), till.order()
    till.handle(payment_request())

    assert till.gateway.calls == ["default#order-1"]
    assert (till.stock(), till.order()) == (stock, order)
    assert till.bus.published[:2] == till.bus.published[2:]
    assert till.telemetry.counted("payments_total", outcome="duplicate") == 1


def test_a_payment_for_an_order_that_is_not_there_goes_back() -> None:
    till = Till()

    assert till.handle(payment_request("order-9")) == {"m0"}
    assert till.gateway.calls == []


def test_a_payment_for_a_rejected_order_charges_nothing() -> None:
    till = Till()
    till.reserve("order-2", quantity=99)

    assert till.handle(payment_request("order-2")) == set()
    assert (till.gateway.calls, till.bus.published) == ([], [])


def test_a_gateway_that_is_down_sends_only_its_payments_back() -> None:
    till = Till()
    till.reserve("order-2")
    till.handle(payment_request("order-2"))
    till.gateway.down = True

    again = till.handle(payment_request("order-1"), payment_request("order-2"))

    assert again == {"m0"}
    assert till.order("order-1").status is Status.RESERVED


def test_a_charge_whose_answer_was_lost_is_made_once() -> None:
    till = Till()
    till.gateway.silent_after_charging = True
    lost = till.handle(payment_request())
    till.gateway.silent_after_charging = False

    delivered = till.handle(payment_request())

    assert (lost, delivered) == ({"m0"}, set())
    assert len(till.gateway.charges) == 1
    assert till.order().status is Status.CONFIRMED


def test_a_charge_that_could_not_be_settled_is_made_once() -> None:
    till = Till()
    till.store.busy = True
    contended = till.handle(payment_request())
    till.store.busy = False

    delivered = till.handle(payment_request())

    assert (contended, delivered) == ({"m0"}, set())
    assert len(till.gateway.charges) == 1
    assert (till.order().status, till.stock()) == (Status.CONFIRMED, (8, 0, 8))
    assert till.gateway.refunds == {}


@pytest.mark.parametrize("declining", [False, True])
def test_a_crash_between_settling_and_publishing_is_finished_by_the_redelivery(declining: bool) -> None:
    till = Till()
    till.gateway.declining |= {"order-1"} if declining else set()
    till.bus.refuse = 1

    lost = till.handle(payment_request())
    order = till.order()
    delivered = till.handle(payment_request())

    assert (lost, delivered) == ({"m0"}, set())
    assert till.order() == order
    assert len({event.event_id for event in till.bus.published}) == 2


def test_a_free_order_is_confirmed_without_the_gateway() -> None:
    till = Till(price=0)
    till.gateway.down = True

    again = till.handle(payment_request())

    assert again == set()
    assert till.order().status is Status.CONFIRMED
    assert till.gateway.calls == []


def test_a_free_order_called_off_needs_no_gateway_either() -> None:
    till = Till(price=0)
    till.expire()
    till.gateway.down = True

    assert till.handle(payment_request()) == set()
    assert till.bus.published == []


def test_a_free_order_released_while_it_was_confirmed_has_nothing_to_refund() -> None:
    till = Till(price=0)
    seen = till.order()
    till.expire()
    till.ledger.orders = lambda keys: dict.fromkeys(keys, seen)  # type: ignore[method-assign]

    again = till.handle(payment_request())

    assert again == set()
    assert till.telemetry.counted("payments_total", outcome="refunded") == 0
    assert till.bus.published == []


# --- payments that come too late ----------------------------------------------------------------------


def test_a_payment_that_succeeds_too_late_is_refunded_and_says_so() -> None:
    till, _ = a_late_till()

    again = till.handle(payment_request())

    assert again == set()
    order = till.order()
    assert (order.status, order.reason) == (Status.CANCELLED, "reservation_expired")
    assert order.payment is not None
    assert (order.payment.charge_id, order.payment.refund_reason) == (
        "ch-order-1",
        "order_no_longer_reserved",
    )
    assert list(till.gateway.refunds) == ["ch-order-1"]
    processed, refunded = till.bus.published
    assert isinstance(processed, PaymentProcessed)
    assert isinstance(refunded, RefundProcessed)
    assert (refunded.refund_id, refunded.amount_minor) == ("re-ch-order-1-2000USD", 2_000)
    assert (refunded.restocked, refunded.reason) == (False, "order_no_longer_reserved")
    assert till.telemetry.counted("payments_total", outcome="refunded") == 1


def test_a_late_payment_delivered_again_is_refunded_and_noted_once() -> None:
    till, _ = a_late_till()
    till.handle(payment_request())
    order = till.order()
    till.clock.advance(timedelta(minutes=1))

    till.handle(payment_request())

    assert till.order() == order
    assert len(till.gateway.refunds) == 1
    assert till.bus.published[:2] == till.bus.published[2:]
    assert till.telemetry.counted("payments_total", outcome="refunded") == 1


def test_a_late_payment_whose_process_died_before_the_refund_is_found_and_refunded() -> None:
    till = Till()
    till.gateway.silent_after_charging = True
    till.handle(payment_request())
    till.gateway.silent_after_charging = False
    till.expire()

    again = till.handle(payment_request())

    assert again == set()
    assert list(till.gateway.refunds) == ["ch-order-1"]
    assert till.bus.names() == ["PaymentProcessed", "RefundProcessed"]


def test_a_late_payment_whose_process_died_between_refund_and_note_is_noted_once() -> None:
    till = Till()
    till.gateway.charge(ChargeRequest("default#order-1", "order-1", 2_000, "USD", None))
    till.expire()
    till.store.busy = True
    unnoted = till.handle(payment_request())
    refunds = dict(till.gateway.refunds)
    till.store.busy = False

    again = till.handle(payment_request())

    assert (unnoted, again) == ({"m0"}, set())
    assert till.gateway.refunds == refunds == {"ch-order-1": "re-ch-order-1-2000USD"}
    assert till.order().payment is not None
    assert till.bus.names() == ["PaymentProcessed", "RefundProcessed"]
    assert till.telemetry.counted("payments_total", outcome="refunded") == 1


def test_a_late_payment_waits_for_a_gateway_that_is_down() -> None:
    till = Till()
    till.gateway.charge(ChargeRequest("default#order-1", "order-1", 2_000, "USD", None))
    till.expire()
    till.gateway.down = True

    assert till.handle(payment_request()) == {"m0"}

    till.gateway.down = False
    assert till.handle(payment_request()) == set()
    assert list(till.gateway.refunds) == ["ch-order-1"]


def test_an_order_called_off_before_it_was_charged_is_not_charged() -> None:
    till = Till()
    till.expire()

    again = till.handle(payment_request())

    assert again == set()
    assert (till.gateway.calls, till.gateway.refunds, till.bus.published) == ([], {}, [])


def test_no_messages_are_no_work() -> None:
    till = Till()

    assert till.handle() == set()
    assert (till.bus.published, till.telemetry.lines, till.telemetry.counts) == ([], [], {})

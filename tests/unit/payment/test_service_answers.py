"""What the payment service does when the gateway's answer is open, lost, late or contradictory."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from services.payment.gateway import Answer, ChargeRequest, RefundRequest
from services.shared.events import PaymentAnswered, PaymentFailed, PaymentProcessed
from services.shared.ledger import Status
from services.shared.log_events import LogEvent
from tests.support.builders import HOLD, payment_request, refund_request, released
from tests.support.fakes import START, FakeGateway
from tests.support.payment_service import PaymentFixture

# --- the intent ---------------------------------------------------------------------------------------


class IntentGateway(FakeGateway):
    """Names what is to be charged, and notes what the order said when it was charged."""

    def __init__(self) -> None:
        super().__init__()
        self.names_intents = True
        self.fixture: PaymentFixture | None = None
        self.written: list[tuple[str | None, str | None]] = []

    def charge(self, request: ChargeRequest) -> Answer:
        assert self.fixture is not None
        payment = self.fixture.order(request.order_id).payment
        self.written.append((request.intent_id, payment.intent_id if payment else None))
        return super().charge(request)


def intent_fixture() -> tuple[PaymentFixture, IntentGateway]:
    gateway = IntentGateway()
    fixture = PaymentFixture(gateway=gateway)
    gateway.fixture = fixture
    return fixture, gateway


def test_what_is_charged_is_written_into_the_order_before() -> None:
    fixture, gateway = intent_fixture()

    assert fixture.handle(payment_request()) == set()

    assert gateway.written == [("intent-order-1", "intent-order-1")]
    order = fixture.order()
    assert [step.status for step in order.history] == [Status.RESERVED, Status.RESERVED, Status.CONFIRMED]
    assert order.payment is not None
    assert (order.payment.intent_id, order.payment.charge_id) == ("intent-order-1", "ch-order-1")
    assert (fixture.stock(), fixture.bus.names()) == ((8, 0, 8), ["PaymentProcessed", "OrderConfirmed"])


def test_a_redelivery_charges_the_intent_that_the_order_names() -> None:
    fixture, gateway = intent_fixture()
    gateway.silent_after_charging = True
    fixture.handle(payment_request())
    gateway.silent_after_charging = False
    prepared: list[None] = []
    gateway.on_prepare = lambda: prepared.append(None)

    assert fixture.handle(payment_request()) == set()

    assert (gateway.written, prepared) == ([("intent-order-1", "intent-order-1")] * 2, [])


def test_an_order_released_before_its_intent_is_written_is_not_charged() -> None:
    fixture, gateway = intent_fixture()
    gateway.on_prepare = fixture.expire

    assert fixture.handle(payment_request()) == set()

    assert (gateway.calls, gateway.charges, fixture.order().status) == ([], {}, Status.CANCELLED)


def test_an_intent_that_cannot_be_written_is_not_charged_yet() -> None:
    fixture, gateway = intent_fixture()
    fixture.store.busy = True

    assert fixture.handle(payment_request()) == {"m0"}

    assert gateway.calls == []


# --- pending, unknown, not found ----------------------------------------------------------------------


def test_a_pending_payment_keeps_its_reservation_and_is_noted() -> None:
    fixture = PaymentFixture()
    fixture.gateway.pending.add("order-1")

    assert fixture.handle(payment_request(), payment_request()) == set()
    assert fixture.handle(payment_request()) == set()

    order = fixture.order()
    assert order.payment is not None
    assert (order.status, order.version, order.payment.pending) == (Status.RESERVED, 2, True)
    assert (fixture.stock(), fixture.bus.published) == ((10, 2, 8), [])
    assert fixture.logged() == [LogEvent.PAYMENT_PENDING]
    assert not any(name == "payments_total" for name, _ in fixture.telemetry.counts)


@pytest.mark.parametrize(("declining", "end"), [(False, Status.CONFIRMED), (True, Status.CANCELLED)])
def test_a_pending_payment_is_settled_once_the_bank_has_decided(declining: bool, end: Status) -> None:
    fixture = PaymentFixture()
    fixture.gateway.pending.add("order-1")
    fixture.handle(payment_request())
    fixture.gateway.pending.clear()
    fixture.gateway.declining |= {"order-1"} if declining else set()

    assert fixture.handle(payment_request()) == set()

    order = fixture.order()
    assert order.payment is not None
    assert (order.status, order.payment.pending) == (end, False)


def test_a_pending_payment_of_a_released_order_is_voided() -> None:
    fixture = PaymentFixture()
    fixture.gateway.pending.add("order-1")
    fixture.handle(payment_request())
    fixture.expire()

    assert fixture.handle(released()) == set()

    assert (fixture.gateway.charges, fixture.bus.published) == ({}, [])


def test_not_found_is_not_taken_for_not_charged_while_the_gateway_may_still_find_it() -> None:
    fixture = PaymentFixture()
    fixture.gateway.settles_within = timedelta(minutes=1)
    fixture.gateway.silent_after_charging = fixture.gateway.hides_charges = True
    fixture.handle(payment_request())
    fixture.expire()

    hidden = fixture.handle(released())
    fixture.gateway.hides_charges = False
    shown = fixture.handle(released())

    assert (hidden, shown) == ({"m0"}, set())
    assert list(fixture.gateway.refunded) == ["ch-order-1"]
    assert fixture.bus.names() == ["PaymentProcessed", "RefundProcessed"]


def test_what_the_gateway_can_no_longer_find_is_not_charged() -> None:
    fixture = PaymentFixture()
    fixture.gateway.settles_within = timedelta(minutes=1)
    fixture.expire()

    early = fixture.handle(released())
    fixture.clock.advance(timedelta(minutes=1))
    late = fixture.handle(released())

    assert (early, late) == ({"m0"}, set())


def test_a_release_after_a_declined_payment_asks_nothing() -> None:
    fixture = PaymentFixture()
    fixture.gateway.declining.add("order-1")
    fixture.handle(payment_request())
    fixture.gateway.down = True

    assert fixture.handle(released(reason="payment_failed"), released()) == set()


# --- overdue, contradictory ---------------------------------------------------------------------------


@pytest.mark.parametrize("late_by", [timedelta(0), timedelta(days=13)])
def test_an_overdue_reservation_is_not_charged(late_by: timedelta) -> None:
    fixture = PaymentFixture()
    fixture.clock.advance(HOLD + late_by)

    assert fixture.handle(payment_request()) == set()

    assert (fixture.gateway.calls, fixture.order().status) == ([], Status.RESERVED)
    assert fixture.logged() == [LogEvent.PAYMENT_OVERDUE]


def test_a_lost_charge_of_an_overdue_reservation_is_refunded_when_it_is_released() -> None:
    fixture = PaymentFixture()
    fixture.gateway.silent_after_charging = True
    fixture.handle(payment_request())
    fixture.clock.advance(HOLD)
    fixture.handle(payment_request())
    fixture.expire()

    assert fixture.handle(released()) == set()

    assert list(fixture.gateway.refunded) == ["ch-order-1"]


def test_a_charge_after_a_decline_is_refunded_and_told_by_table_and_event() -> None:
    fixture = PaymentFixture()
    reserved = fixture.order()
    fixture.gateway.declining.add("order-1")
    fixture.handle(payment_request())
    fixture.gateway.declining.clear()
    fixture.ledger.orders = lambda keys: dict.fromkeys(keys, reserved)  # type: ignore[method-assign]

    for _ in range(2):
        assert fixture.handle(payment_request()) == set()

    payment = fixture.order().payment
    assert payment is not None
    assert (payment.declined, payment.charge_id) == ("card_declined", "ch-order-1")
    assert list(fixture.gateway.refunded) == ["ch-order-1"]
    names = ["PaymentFailed", "OrderCancelled", "PaymentProcessed", "RefundProcessed"]
    assert fixture.bus.names() == [*names[:2], *names, *names]
    assert fixture.bus.published[2:6] == fixture.bus.published[6:]
    failed, processed = fixture.bus.published[2], fixture.bus.published[4]
    assert isinstance(failed, PaymentFailed)
    assert isinstance(processed, PaymentProcessed)


# --- time ---------------------------------------------------------------------------------------------


class MeetingGateway(FakeGateway):
    """Answers refunds only when several are asked for at once."""

    def __init__(self, parties: int) -> None:
        super().__init__()
        self.barrier = Barrier(parties, timeout=60)

    def refund(self, request: RefundRequest) -> str:
        self.barrier.wait()
        return super().refund(request)


def test_refunds_are_made_at_the_same_time() -> None:
    with ThreadPoolExecutor(2) as pool:
        fixture = PaymentFixture(gateway=MeetingGateway(2), run=pool.map)
        fixture.reserve("order-2")
        fixture.handle(payment_request("order-1"), payment_request("order-2"))

        assert fixture.handle(refund_request("order-1"), refund_request("order-2")) == set()

    assert {fixture.order(name).status for name in ("order-1", "order-2")} == {Status.REFUNDED}


def test_what_is_settled_is_announced_before_any_late_charge_is_refunded() -> None:
    announced: list[list[str]] = []

    class Gateway(FakeGateway):
        def charge(self, request: ChargeRequest) -> Answer:
            answer = super().charge(request)
            if request.order_id == "order-1":
                fixture.expire()
            return answer

        def refund(self, request: RefundRequest) -> str:
            announced.append(fixture.bus.names())
            return super().refund(request)

    fixture = PaymentFixture(gateway=Gateway())
    fixture.reserve("order-2")

    assert fixture.handle(payment_request("order-1"), payment_request("order-2")) == set()

    assert announced == [["PaymentProcessed", "OrderConfirmed"]]


def test_no_call_starts_when_the_invocation_is_about_to_end() -> None:
    late = False
    fixture = PaymentFixture(out_of_time=lambda: late)
    fixture.reserve("order-2")
    fixture.reserve("order-3")
    fixture.handle(payment_request("order-2"))
    fixture.gateway.silent_after_charging = True
    fixture.handle(payment_request("order-3"))
    fixture.expire("order-3")
    calls = list(fixture.gateway.calls)
    late = True

    retry = fixture.handle(payment_request("order-1"), refund_request("order-2"), released("order-3"))

    assert retry == {"m0", "m1", "m2"}
    assert (fixture.gateway.calls, fixture.gateway.refunds) == (calls, {})


# --- asynchronous answers -----------------------------------------------------------------------------


def answered(event_id: str = "answer-1") -> PaymentAnswered:
    return PaymentAnswered(event_id=event_id, order_id="order-1", occurred_at=START, outcome="succeeded")


def test_an_answer_settles_a_pending_payment_by_what_the_gateway_says() -> None:
    fixture = PaymentFixture()
    fixture.gateway.pending.add("order-1")
    fixture.handle(payment_request())
    fixture.gateway.pending.clear()
    fixture.gateway.declining.add("order-1")

    assert fixture.handle(answered()) == set()

    # The event said that it succeeded; the gateway, asked, that it did not.
    assert (fixture.order().status, fixture.order().reason) == (Status.CANCELLED, "payment_failed")
    assert fixture.bus.names() == ["PaymentFailed", "OrderCancelled"]


def test_an_answer_to_a_payment_that_is_still_pending_changes_nothing() -> None:
    fixture = PaymentFixture()
    fixture.gateway.pending.add("order-1")
    fixture.handle(payment_request())
    before = fixture.order()

    assert fixture.handle(answered()) == set()
    assert (fixture.order(), fixture.bus.published) == (before, [])


def test_an_answer_to_a_payment_that_was_settled_at_once_does_nothing() -> None:
    fixture = PaymentFixture()
    fixture.handle(payment_request())
    order, published = fixture.order(), list(fixture.bus.published)

    assert fixture.handle(answered()) == set()

    assert (fixture.order(), fixture.bus.published) == (order, published)
    assert fixture.telemetry.counted("payments_total", outcome="duplicate") == 0


def test_an_answer_that_settled_its_order_announces_it_again_when_it_comes_again() -> None:
    fixture = PaymentFixture()
    fixture.bus.refuse = 2

    assert fixture.handle(answered()) == {"m0"}
    assert fixture.handle(answered("answer-2")) == set()
    assert fixture.bus.published == []
    assert fixture.handle(answered()) == set()
    assert fixture.bus.names() == ["PaymentProcessed", "OrderConfirmed"]

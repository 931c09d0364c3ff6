"""What the payment service does with its events, over a ledger in memory and a gateway that keeps books."""

from collections.abc import Collection, Sequence
from datetime import timedelta

import pytest

from services.payment.gateway import Charged, ChargeRequest, Declined
from services.payment.service import PaymentService
from services.shared.events import (
    Event,
    OrderCancelled,
    OrderConfirmed,
    PaymentFailed,
    PaymentProcessed,
    PricedItem,
    RefundProcessed,
)
from services.shared.group_commit import GroupCommit
from services.shared.ledger import Busy, Order, OrderWrite, Passed, Status, Verdict, Write
from tests.builders import a_key, deliveries, no_waiting, payment_request, placement, refund_request
from tests.fakes import (
    START,
    BookkeepingGateway,
    ManualClock,
    MemoryStore,
    RecordingBus,
    RecordingTelemetry,
    a_stock,
)


class ContendedStore(MemoryStore):
    """A MemoryStore that can be told to be busy with everything."""

    busy = False

    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        if self.busy:
            return [Busy() if isinstance(write, OrderWrite) else Passed() for write in writes]
        return super().transact(writes)


class Till:
    """The payment service and everything around it, with one order reserved."""

    def __init__(self, *, price: int = 1_000, gateway: BookkeepingGateway | None = None) -> None:
        self.store = ContendedStore([a_stock(price=price)])
        self.bus = RecordingBus()
        self.gateway = gateway or BookkeepingGateway()
        self.telemetry = RecordingTelemetry()
        self.clock = ManualClock()
        self.ledger = GroupCommit(self.store, waits=no_waiting(2))
        self.service = PaymentService(self.ledger, self.bus, self.gateway, self.telemetry, clock=self.clock)
        self.reserve("order-1")

    def reserve(self, name: str, quantity: int = 2) -> None:
        self.ledger.reserve([placement(name, {"prod-001": quantity})])

    def expire(self, name: str = "order-1") -> None:
        """Let the order service have released an order."""
        order = self.order(name)
        self.store.orders[order.key] = order.moved(
            Status.CANCELLED, self.clock(), "expiry", reason="reservation_expired"
        )

    def handle(self, *events: Event) -> Collection[str]:
        return self.service.handle(deliveries(*events))

    def order(self, name: str = "order-1") -> Order:
        return self.store.orders[a_key(name)]

    def stock(self) -> tuple[int, int, int]:
        stock = self.store.stock[a_key("prod-001")]
        return stock.stock, stock.reserved, stock.available

    def messages(self) -> list[str]:
        return [message for message, _, _ in self.telemetry.lines]


class AttentiveGateway(BookkeepingGateway):
    """A gateway that remembers what it was asked to charge."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[ChargeRequest] = []

    def charge(self, request: ChargeRequest) -> Charged | Declined:
        self.requests.append(request)
        return super().charge(request)


class LateGateway(BookkeepingGateway):
    """A gateway whose first answer comes after the order was released."""

    till: Till | None = None

    def charge(self, request: ChargeRequest) -> Charged | Declined:
        answer = super().charge(request)
        if self.till is not None:
            self.till.expire(request.order_id)
        return answer


def a_late_till() -> tuple[Till, LateGateway]:
    gateway = LateGateway()
    till = Till(gateway=gateway)
    gateway.till = till
    return till, gateway


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
        ("order confirmed", a_key("order-1"), {"amount_minor": 2_000, "currency": "USD"})
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


# --- refunds ------------------------------------------------------------------------------------------


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


def test_no_messages_are_no_work() -> None:
    till = Till()

    assert till.handle() == set()
    assert (till.bus.published, till.telemetry.lines, till.telemetry.counts) == ([], [], {})

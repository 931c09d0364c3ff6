"""Charges what is reserved and settles it; gives back what came too late or is asked back.

The state of the order is the truth: it is read before anything is charged, its amount is what is charged,
and a charge that could not confirm its order is refunded before its message leaves the queue.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from services.payment import domain
from services.payment.gateway import Charged, ChargeRequest, Declined, PaymentGateway, require_name
from services.shared.errors import GatewayUnavailableError
from services.shared.events import OrderEvent, PaymentRequested, RefundRequested
from services.shared.ledger import Committed, Found, Key, Ledger, Move, Order, Status, Unsettled
from services.shared.log_events import LogEvent
from services.shared.messages import Delivery, Group, by_order
from services.shared.metric_names import Metric, PaymentOutcome
from services.shared.outbox import EventBus, Outbox
from services.shared.telemetry import Stopwatch, Telemetry, record_inventory_operation
from services.shared.transitions import advance

E = TypeVar("E", bound=OrderEvent)


class PaymentService:
    def __init__(  # noqa: PLR0913 - its ports
        self,
        ledger: Ledger,
        bus: EventBus,
        gateway: PaymentGateway,
        telemetry: Telemetry,
        *,
        clock: Callable[[], datetime],
        run: Callable[..., Iterable[Any]] = map,
    ) -> None:
        self._ledger = ledger
        self._bus = bus
        self._gateway = gateway
        self._telemetry = telemetry
        self._clock = clock
        self._run = run

    def handle(self, deliveries: Sequence[Delivery]) -> Collection[str]:
        """Pay and refund; returns the messages that must come again."""
        outbox = Outbox()
        again = self._pay(by_order(deliveries, PaymentRequested), outbox)
        again |= self._refund(by_order(deliveries, RefundRequested), outbox)
        return again | outbox.send(self._bus, self._telemetry)

    # --- payments -------------------------------------------------------------------------------------

    def _pay(self, groups: Mapping[Key, Group[PaymentRequested]], outbox: Outbox) -> set[str]:
        if not groups:
            return set()
        watch = Stopwatch()
        orders = self._ledger.orders(groups.keys())
        again = self._unknown(groups, orders)
        answers = self._ask(orders)
        now = self._clock()

        def decide(order: Order) -> Move | None:
            answer = answers.get(order.key)
            if answer is None:
                return None
            return domain.settle(order, answer, now, groups[order.key].first.event_id)

        heard = {key: order for key, order in orders.items() if key in answers}
        for key in orders.keys() - answers.keys():
            again |= groups[key].message_ids
        for key, outcome in advance(self._ledger, heard, decide).items():
            group = groups[key]
            match outcome:
                case Unsettled(why=why):
                    asked = Status.CONFIRMED if isinstance(answers[key], Charged) else Status.CANCELLED
                    record_inventory_operation(self._telemetry, asked, outcome)
                    self._telemetry.warning(LogEvent.PAYMENT_DEFERRED, key, why=why)
                    again |= group.message_ids
                    continue
                case Committed(order=order):
                    record_inventory_operation(self._telemetry, order.status, outcome)
                    self._account_for(order, watch.seconds(), now)
                case Found(order=found):
                    checked = self._without_stray(found, answers[key], group.first.event_id)
                    if checked is None:
                        again |= group.message_ids
                        continue
                    order = checked
            outbox.add(group.message_ids, domain.payment_events_for(order))
        return again

    def _ask(self, orders: Mapping[Key, Order]) -> dict[Key, Charged | Declined | None]:
        """Charge what is reserved, and look for charges of orders called off meanwhile.

        Orders about which the gateway gave no answer are left out; None says that there was no charge.
        """

        def ask(order: Order) -> Charged | Declined | GatewayUnavailableError | None:
            try:
                if order.status is Status.RESERVED:
                    return self._charge(order)
                return self._gateway.find(order.key.pk) if domain.may_hide_a_charge(order) else None
            except GatewayUnavailableError as error:
                return error

        answers: dict[Key, Charged | Declined | None] = {}
        for order, answer in zip(orders.values(), self._run(ask, orders.values()), strict=True):
            if isinstance(answer, GatewayUnavailableError):
                self._telemetry.warning(LogEvent.GATEWAY_UNAVAILABLE, order.key, why=str(answer))
            else:
                answers[order.key] = answer
        return answers

    def _charge(self, order: Order) -> Charged | Declined:
        if order.amount_minor == 0:
            return Charged("free")
        return self._gateway.charge(
            ChargeRequest(
                key=order.key.pk,
                order_id=order.key.id,
                amount_minor=order.amount_minor,
                currency=order.currency or "",
                method=order.payment_method,
            )
        )

    def _account_for(self, order: Order, seconds: float, now: datetime) -> None:
        confirmed = order.status is Status.CONFIRMED
        self._telemetry.count(
            Metric.PAYMENTS, outcome=PaymentOutcome.SUCCEEDED if confirmed else PaymentOutcome.FAILED
        )
        self._telemetry.observe(Metric.PAYMENT_PROCESSING, seconds)
        waited = max(0.0, (now - order.placed_at).total_seconds())
        self._telemetry.observe(Metric.ORDER_SETTLEMENT, waited)
        declined = order.payment.declined if order.payment else None
        self._telemetry.info(
            LogEvent.ORDER_CONFIRMED if confirmed else LogEvent.PAYMENT_DECLINED,
            order.key,
            amount_minor=order.amount_minor,
            currency=order.currency,
            **({"reason": declined} if declined else {}),
        )

    def _without_stray(self, order: Order, answer: Charged | Declined | None, cause: str) -> Order | None:
        """Give back a charge that came too late for its order; None when that has to be tried again."""
        if not isinstance(answer, Charged) or not domain.is_stray(order, answer):
            self._telemetry.count(Metric.PAYMENTS, outcome=PaymentOutcome.DUPLICATE)
            self._telemetry.info(LogEvent.PAYMENT_DUPLICATE, order.key, status=order.status.value)
            return order
        try:
            refund_id = self._give_back(order, answer.charge_id)
        except GatewayUnavailableError as error:
            self._telemetry.warning(LogEvent.LATE_CHARGE_DEFERRED, order.key, why=str(error))
            return None
        now = self._clock()
        noted = advance(
            self._ledger,
            {order.key: order},
            lambda current: domain.note_stray(current, answer, refund_id, now, cause),
        )[order.key]
        if isinstance(noted, Unsettled):
            return None
        self._telemetry.count(Metric.PAYMENTS, outcome=PaymentOutcome.REFUNDED)
        self._telemetry.warning(LogEvent.LATE_CHARGE_REFUNDED, order.key, status=order.status.value)
        return noted.order

    def _give_back(self, order: Order, charge_id: str) -> str:
        if order.amount_minor == 0:
            return "free"
        return require_name(self._gateway.refund(charge_id, order.amount_minor, order.currency or ""))

    # --- refunds --------------------------------------------------------------------------------------

    def _refund(self, groups: Mapping[Key, Group[RefundRequested]], outbox: Outbox) -> set[str]:
        if not groups:
            return set()
        orders = self._ledger.orders(groups.keys())
        again = self._unknown(groups, orders)
        refund_ids, waiting = self._refund_paid(orders)
        for key in waiting:
            again |= groups[key].message_ids
        ready = {key: order for key, order in orders.items() if key not in waiting}
        now = self._clock()

        def decide(order: Order) -> Move | None:
            request = groups[order.key].first
            refund_id = refund_ids.get(order.key)
            return domain.refund(order, refund_id, now, request) if refund_id else None

        for key, outcome in advance(self._ledger, ready, decide).items():
            match outcome:
                case Unsettled(why=why):
                    self._telemetry.warning(LogEvent.REFUND_DEFERRED, key, why=why)
                    again |= groups[key].message_ids
                    continue
                case Committed(order=order):
                    restocked = order.payment is not None and order.payment.restocked
                    record_inventory_operation(self._telemetry, Status.REFUNDED, outcome, restocked=restocked)
                    self._telemetry.count(Metric.PAYMENTS, outcome=PaymentOutcome.REFUNDED)
                    self._telemetry.info(LogEvent.REFUND_PROCESSED, key, restocked=restocked)
                case Found(order=order):
                    self._telemetry.info(LogEvent.REFUND_SKIPPED, key, status=order.status.value)
            if order.status is Status.REFUNDED:
                outbox.add(groups[key].message_ids, domain.refund_events_for(order))
        return again

    def _refund_paid(self, orders: Mapping[Key, Order]) -> tuple[dict[Key, str], set[Key]]:
        """Have the gateway give back what is paid; also says which orders have to be looked at again."""
        refund_ids: dict[Key, str] = {}
        waiting: set[Key] = set()
        for key, order in orders.items():
            try:
                if order.status is Status.RESERVED:
                    self._telemetry.warning(LogEvent.REFUND_DEFERRED, key, why="not paid yet")
                    waiting.add(key)
                elif order.status is Status.CONFIRMED and order.payment and order.payment.charge_id:
                    refund_ids[key] = self._give_back(order, order.payment.charge_id)
            except GatewayUnavailableError as error:
                self._telemetry.warning(LogEvent.GATEWAY_UNAVAILABLE, key, why=str(error))
                waiting.add(key)
        return refund_ids, waiting

    def _unknown(self, groups: Mapping[Key, Group[E]], orders: Mapping[Key, Order]) -> set[str]:
        """Send back what tells of an order that is not there: its placement may still be on the way."""
        missing = [key for key in groups if key not in orders]
        for key in missing:
            self._telemetry.warning(LogEvent.ORDER_NOT_FOUND, key)
        return {message_id for key in missing for message_id in groups[key].message_ids}

"""Charges reserved orders and settles them; gives up or refunds the charges of released ones.

The state of the order is the truth: it is read before anything is charged, its amount is what is charged,
and a charge that could not confirm its order is refunded before its message leaves the queue. No answer, and
"not found" while the gateway may still find it, are never taken for "not charged".
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.payment import domain
from services.payment.domain import Ask
from services.payment.gateway import (
    Answer,
    Charged,
    Declined,
    NotFound,
    PaymentGateway,
    Pending,
    Unknown,
    require_valid_id,
)
from services.payment.refunds import OUT_OF_TIME, Refunds
from services.shared.backoff import Waits, never
from services.shared.errors import GatewayUnavailableError
from services.shared.events import (
    OrderCancelled,
    OrderEvent,
    PaymentAnswered,
    PaymentRequested,
    RefundRequested,
)
from services.shared.ledger import Committed, Found, Key, Ledger, Move, Order, Status, Unsettled
from services.shared.log_events import LogEvent
from services.shared.messages import Delivery, Group, by_order, existing_orders
from services.shared.metric_names import Metric, PaymentOutcome
from services.shared.outbox import EventBus, Outbox
from services.shared.telemetry import Stopwatch, Telemetry, record_inventory_operation, record_settlement_time
from services.shared.transitions import advance_all

Groups = Mapping[Key, Group[OrderEvent]]
Answers = Mapping[Key, Answer | NotFound | None]
"""None: there is nothing to ask the gateway."""


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
        waits: Waits = never,
        out_of_time: Callable[[], bool] = lambda: False,
    ) -> None:
        self._ledger = ledger
        self._bus = bus
        self._gateway = gateway
        self._telemetry = telemetry
        self._clock = clock
        self._run = run
        self._waits = waits
        self._out_of_time = out_of_time
        self._refunds = Refunds(
            ledger, bus, gateway, telemetry, clock=clock, run=run, waits=waits, out_of_time=out_of_time
        )

    def handle(self, deliveries: Sequence[Delivery]) -> Collection[str]:
        """Charge and refund; returns the ids of the messages to retry."""
        retry = self._pay(by_order([one for one in deliveries if _concerns_payment(one.event)], OrderEvent))
        return retry | self._refunds.handle(by_order(deliveries, RefundRequested))

    def _pay(self, groups: Groups) -> set[str]:
        watch = Stopwatch()
        orders, retry = existing_orders(groups, self._ledger.orders(groups.keys()), self._telemetry)
        orders = {key: order for key, order in orders.items() if domain.concerns(order, groups[key].events)}
        undecided = set(orders)
        for part in self._with_intents(orders, groups):
            answers = self._ask_all(part)
            known = {key: part[key] for key, answer in answers.items() if self._is_final(part[key], answer)}
            undecided -= known.keys()
            retry |= self._settle(known, answers, groups, watch)
        return retry.union(*(groups[key].message_ids for key in undecided))

    # --- asking the gateway ---------------------------------------------------------------------------

    def _with_intents(self, orders: Mapping[Key, Order], groups: Groups) -> Iterator[Mapping[Key, Order]]:
        """Write into each order what is going to be charged; orders where that failed are left out.

        What is written is charged and settled before anything waits for an order that is contended.
        """
        now = self._clock()
        new = [
            order
            for order in orders.values()
            if order.amount_minor
            and domain.ask(order, now) is Ask.CHARGE
            and not (order.payment and order.payment.intent_id)
        ]
        prepared = dict(zip([order.key for order in new], self._run(self._prepare, new), strict=True))
        intents = {key: intent for key, intent in prepared.items() if isinstance(intent, str)}

        def decide(order: Order) -> Move | None:
            cause = groups[order.key].first.event_id
            return domain.note_intent(order, intents[order.key], now, cause)

        ready = {key: order for key, order in orders.items() if prepared.get(key) is None}
        for outcomes in advance_all(self._ledger, {key: orders[key] for key in intents}, decide, self._waits):
            for key, outcome in outcomes.items():
                if isinstance(outcome, Unsettled):
                    self._telemetry.warning(LogEvent.PAYMENT_DEFERRED, key, why=outcome.why)
                else:
                    ready[key] = outcome.order
            yield ready
            ready = {}
        if ready:
            yield ready

    def _prepare(self, order: Order) -> str | Unknown | None:
        if self._out_of_time():
            return Unknown(OUT_OF_TIME)
        try:
            return self._gateway.prepare(domain.charge_request(order))
        except GatewayUnavailableError as error:
            self._telemetry.warning(LogEvent.GATEWAY_UNAVAILABLE, order.key, why=str(error))
            return Unknown(str(error))

    def _ask_all(self, orders: Mapping[Key, Order]) -> Answers:
        return dict(zip(orders, self._run(self._ask, orders.values()), strict=True))

    def _ask(self, order: Order) -> Answer | NotFound | None:
        """Charge what is reserved, give up what is released; the clock is read when its turn comes."""
        what = domain.ask(order, self._clock())
        if what is None:
            if order.status is Status.RESERVED:
                self._telemetry.warning(LogEvent.PAYMENT_OVERDUE, order.key, expired_at=order.expires_at)
            return None
        if order.amount_minor == 0:
            return Charged("free")
        if self._out_of_time():
            return Unknown(OUT_OF_TIME)
        call = self._gateway.charge if what is Ask.CHARGE else self._gateway.void
        try:
            return call(domain.charge_request(order))
        except GatewayUnavailableError as error:
            return Unknown(str(error))

    def _is_final(self, order: Order, answer: Answer | NotFound | None) -> bool:
        """Whether an answer decides something, or leaves nothing to decide; the messages of others return."""
        match answer:
            case Unknown(why=why):
                self._telemetry.warning(LogEvent.GATEWAY_UNAVAILABLE, order.key, why=why)
                return False
            case Pending() if order.status is not Status.RESERVED:
                self._telemetry.warning(LogEvent.PAYMENT_UNRESOLVED, order.key, why="still pending")
                return False
            case NotFound() if not domain.is_ruled_out(order, self._clock(), self._gateway.settles_within):
                self._telemetry.warning(LogEvent.PAYMENT_UNRESOLVED, order.key, why="not found yet")
                return False
            case _:
                return True

    # --- settling -------------------------------------------------------------------------------------

    def _settle(
        self, orders: Mapping[Key, Order], answers: Answers, groups: Groups, watch: Stopwatch
    ) -> set[str]:
        now = self._clock()

        def decide(order: Order) -> Move | None:
            cause = groups[order.key].first.event_id
            match answers[order.key]:
                case Charged() | Declined() as result:
                    return domain.settle(order, result, now, cause)
                case Pending():
                    return domain.note_pending(order, now, cause)
                case _:
                    return None

        retry: set[str] = set()
        late: dict[Key, tuple[Order, Charged]] = {}
        for outcomes in advance_all(self._ledger, orders, decide, self._waits):
            outbox = Outbox()
            for key, outcome in outcomes.items():
                answer = answers[key]
                match outcome:
                    case Unsettled():
                        self._record_deferral(key, answer, outcome)
                        retry |= groups[key].message_ids
                        continue
                    case Committed(order=order):
                        self._record(order, outcome, watch.seconds())
                    case Found(order=order) if isinstance(answer, Charged) and domain.is_late_charge(
                        order, answer
                    ):
                        late[key] = order, answer
                        continue
                    case Found(order=order):
                        self._record_repeated(order, answer)
                outbox.add(groups[key].message_ids, domain.payment_events_for(order))
            retry |= outbox.send(self._bus, self._telemetry)
        return retry | self._refund_late(late, groups)

    def _refund_late(self, late: Mapping[Key, tuple[Order, Charged]], groups: Groups) -> set[str]:
        """Refund charges that could not confirm their orders, after what is settled was published."""
        retry: set[str] = set()
        refund_ids = dict(zip(late, self._run(self._refund_charge, late.values()), strict=True))
        refunded = {key: late[key][0] for key, refund_id in refund_ids.items() if refund_id is not None}
        for key in late.keys() - refunded.keys():
            retry |= groups[key].message_ids
        now = self._clock()

        def decide(order: Order) -> Move | None:
            charge, refund_id = late[order.key][1], refund_ids[order.key] or ""
            return domain.record_late_charge(order, charge, refund_id, now, groups[order.key].first.event_id)

        for outcomes in advance_all(self._ledger, refunded, decide, self._waits):
            outbox = Outbox()
            for key, outcome in outcomes.items():
                if isinstance(outcome, Unsettled):
                    self._telemetry.warning(LogEvent.LATE_CHARGE_DEFERRED, key, why=outcome.why)
                    retry |= groups[key].message_ids
                    continue
                self._telemetry.count(Metric.PAYMENTS, outcome=PaymentOutcome.REFUNDED)
                self._telemetry.warning(LogEvent.LATE_CHARGE_REFUNDED, key, status=outcome.order.status.value)
                outbox.add(groups[key].message_ids, domain.payment_events_for(outcome.order))
            retry |= outbox.send(self._bus, self._telemetry)
        return retry

    def _refund_charge(self, late: tuple[Order, Charged]) -> str | None:
        order, charge = late
        request = domain.refund_request(order, charge.charge_id, domain.late_refund(order, charge))
        # Also when time is up: after a long pause the message may have been handled and deleted by another.
        try:
            return require_valid_id(self._gateway.refund(request))
        except GatewayUnavailableError as error:
            self._telemetry.warning(LogEvent.LATE_CHARGE_DEFERRED, order.key, why=str(error))
            return None

    # --- recording ------------------------------------------------------------------------------------

    def _record_deferral(self, key: Key, answer: Answer | NotFound | None, outcome: Unsettled) -> None:
        target = Status.CONFIRMED if isinstance(answer, Charged) else Status.CANCELLED
        if not isinstance(answer, Pending):
            record_inventory_operation(self._telemetry, target, outcome)
        self._telemetry.warning(LogEvent.PAYMENT_DEFERRED, key, why=outcome.why)

    def _record(self, order: Order, outcome: Committed, seconds: float) -> None:
        if order.status is Status.RESERVED:
            self._telemetry.info(LogEvent.PAYMENT_PENDING, order.key)
            return
        record_inventory_operation(self._telemetry, order.status, outcome)
        confirmed = order.status is Status.CONFIRMED
        self._telemetry.count(
            Metric.PAYMENTS, outcome=PaymentOutcome.SUCCEEDED if confirmed else PaymentOutcome.FAILED
        )
        self._telemetry.observe(Metric.PAYMENT_PROCESSING, seconds)
        record_settlement_time(self._telemetry, order, order.entered(order.status).at)
        declined = order.payment.declined if order.payment else None
        self._telemetry.info(
            LogEvent.ORDER_CONFIRMED if confirmed else LogEvent.PAYMENT_DECLINED,
            order.key,
            amount_minor=order.amount_minor,
            currency=order.currency,
            **({"reason": declined} if declined else {}),
        )

    def _record_repeated(self, order: Order, answer: Answer | NotFound | None) -> None:
        """Count a payment that was settled before; an open or a given up one is none."""
        if order.status is Status.RESERVED or (answer is not None and not isinstance(answer, Charged)):
            return
        self._telemetry.count(Metric.PAYMENTS, outcome=PaymentOutcome.DUPLICATE)
        self._telemetry.info(LogEvent.PAYMENT_DUPLICATE, order.key, status=order.status.value)


def _concerns_payment(event: object) -> bool:
    """A payment that failed is settled; any other release may leave a charge behind."""
    if isinstance(event, OrderCancelled):
        return event.reason != "payment_failed"
    return isinstance(event, PaymentRequested | PaymentAnswered)

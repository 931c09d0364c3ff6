"""Charges reserved orders and settles them; refunds late charges, and payments on request.

The state of the order is the truth: it is read before anything is charged, its amount is what is charged,
and a charge that could not confirm its order is refunded before its message leaves the queue.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from services.payment import domain
from services.payment.gateway import Charged, ChargeRequest, Declined, PaymentGateway, require_valid_id
from services.shared.backoff import Waits, never
from services.shared.errors import GatewayUnavailableError
from services.shared.events import OrderEvent, PaymentRequested, RefundRequested
from services.shared.ledger import Committed, Found, Key, Ledger, Move, Order, Outcome, Status, Unsettled
from services.shared.log_events import LogEvent
from services.shared.messages import Delivery, Group, by_order, existing_orders
from services.shared.metric_names import Metric, PaymentOutcome
from services.shared.outbox import EventBus, Outbox
from services.shared.telemetry import Stopwatch, Telemetry, record_inventory_operation, record_settlement_time
from services.shared.transitions import advance, until_settled

E = TypeVar("E", bound=OrderEvent)
ChargeResult = Charged | Declined | None
"""None: the gateway has no charge for the order."""


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
    ) -> None:
        self._ledger = ledger
        self._bus = bus
        self._gateway = gateway
        self._telemetry = telemetry
        self._clock = clock
        self._run = run
        self._waits = waits

    def handle(self, deliveries: Sequence[Delivery]) -> Collection[str]:
        """Charge and refund; returns the ids of the messages to retry."""
        retry = self._pay(by_order(deliveries, PaymentRequested))
        return retry | self._refund(by_order(deliveries, RefundRequested))

    # --- payments -------------------------------------------------------------------------------------

    def _pay(self, groups: Mapping[Key, Group[PaymentRequested]]) -> set[str]:
        watch = Stopwatch()
        orders, retry = self._read(groups)
        results = self._charge_all(orders)
        for key in orders.keys() - results.keys():
            retry |= groups[key].message_ids
        answered = {key: order for key, order in orders.items() if key in results}
        now = self._clock()

        def decide(order: Order) -> Move | None:
            result = results[order.key]
            return domain.settle(order, result, now, groups[order.key].first.event_id) if result else None

        for outcomes in self._advance(answered, decide):
            outbox = Outbox()
            for key, outcome in outcomes.items():
                settled = self._settled(key, outcome, results[key], groups[key].first.event_id, watch)
                if settled is None:
                    retry |= groups[key].message_ids
                else:
                    outbox.add(groups[key].message_ids, domain.payment_events_for(settled))
            retry |= outbox.send(self._bus, self._telemetry)
        return retry

    def _settled(
        self, key: Key, outcome: Outcome, result: ChargeResult, cause: str, watch: Stopwatch
    ) -> Order | None:
        """Record what became of a settlement; None when its messages must be retried."""
        match outcome:
            case Unsettled():
                self._record_deferral(key, result, outcome)
                return None
            case Committed(order=order):
                record_inventory_operation(self._telemetry, order.status, outcome)
                self._record_settlement(order, watch.seconds())
                return order
            case Found(order=order):
                return self._refund_late_charge(order, result, cause)

    def _read(self, groups: Mapping[Key, Group[E]]) -> tuple[dict[Key, Order], set[str]]:
        return existing_orders(groups, self._ledger.orders(groups.keys()), self._telemetry)

    def _advance(
        self, orders: Mapping[Key, Order], decide: Callable[[Order], Move | None]
    ) -> Iterator[Mapping[Key, Outcome]]:
        def attempt(keys: Collection[Key]) -> Mapping[Key, Outcome]:
            return advance(self._ledger, {key: orders[key] for key in keys}, decide)

        return until_settled(attempt, orders.keys(), self._waits)

    def _charge_all(self, orders: Mapping[Key, Order]) -> dict[Key, ChargeResult]:
        """Charge what is reserved, and look up charges of orders that were cancelled meanwhile.

        Orders for which the gateway is unavailable are left out.
        """

        def call(order: Order) -> ChargeResult | GatewayUnavailableError:
            try:
                if order.status is Status.RESERVED:
                    return self._charge(order)
                return self._gateway.find(order.key.pk) if domain.may_have_been_charged(order) else None
            except GatewayUnavailableError as error:
                return error

        results: dict[Key, ChargeResult] = {}
        for order, result in zip(orders.values(), self._run(call, orders.values()), strict=True):
            if isinstance(result, GatewayUnavailableError):
                self._telemetry.warning(LogEvent.GATEWAY_UNAVAILABLE, order.key, why=str(result))
            else:
                results[order.key] = result
        return results

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

    def _record_deferral(self, key: Key, result: ChargeResult, outcome: Unsettled) -> None:
        target = Status.CONFIRMED if isinstance(result, Charged) else Status.CANCELLED
        record_inventory_operation(self._telemetry, target, outcome)
        self._telemetry.warning(LogEvent.PAYMENT_DEFERRED, key, why=outcome.why)

    def _record_settlement(self, order: Order, seconds: float) -> None:
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

    def _refund_late_charge(self, order: Order, result: ChargeResult, cause: str) -> Order | None:
        """Refund a charge that could not confirm its order; None when the message must be retried."""
        if not isinstance(result, Charged) or not domain.is_late_charge(order, result):
            self._telemetry.count(Metric.PAYMENTS, outcome=PaymentOutcome.DUPLICATE)
            self._telemetry.info(LogEvent.PAYMENT_DUPLICATE, order.key, status=order.status.value)
            return order
        try:
            refund_id = self._refund_charge(order, result.charge_id)
        except GatewayUnavailableError as error:
            self._telemetry.warning(LogEvent.LATE_CHARGE_DEFERRED, order.key, why=str(error))
            return None
        now = self._clock()
        recorded = advance(
            self._ledger,
            {order.key: order},
            lambda current: domain.record_late_charge(current, result, refund_id, now, cause),
        )[order.key]
        if isinstance(recorded, Unsettled):
            return None
        self._telemetry.count(Metric.PAYMENTS, outcome=PaymentOutcome.REFUNDED)
        self._telemetry.warning(LogEvent.LATE_CHARGE_REFUNDED, order.key, status=order.status.value)
        return recorded.order

    def _refund_charge(self, order: Order, charge_id: str) -> str:
        if order.amount_minor == 0:
            return "free"
        return require_valid_id(self._gateway.refund(charge_id, order.amount_minor, order.currency or ""))

    # --- refunds --------------------------------------------------------------------------------------

    def _refund(self, groups: Mapping[Key, Group[RefundRequested]]) -> set[str]:
        orders, retry = self._read(groups)
        refund_ids, deferred = self._refund_all(orders)
        for key in deferred:
            retry |= groups[key].message_ids
        ready = {key: order for key, order in orders.items() if key not in deferred}
        now = self._clock()

        def decide(order: Order) -> Move | None:
            request = groups[order.key].first
            refund_id = refund_ids.get(order.key)
            return domain.refund(order, refund_id, now, request) if refund_id else None

        for outcomes in self._advance(ready, decide):
            outbox = Outbox()
            for key, outcome in outcomes.items():
                match outcome:
                    case Unsettled(why=why):
                        self._telemetry.warning(LogEvent.REFUND_DEFERRED, key, why=why)
                        retry |= groups[key].message_ids
                        continue
                    case Committed(order=order):
                        self._record_refund(order, outcome)
                    case Found(order=order):
                        self._telemetry.info(LogEvent.REFUND_SKIPPED, key, status=order.status.value)
                if order.status is Status.REFUNDED:
                    outbox.add(groups[key].message_ids, domain.refund_events_for(order))
            retry |= outbox.send(self._bus, self._telemetry)
        return retry

    def _refund_all(self, orders: Mapping[Key, Order]) -> tuple[dict[Key, str], set[Key]]:
        """Refund what is paid; returns the refund ids, and the orders to retry."""
        refund_ids: dict[Key, str] = {}
        deferred: set[Key] = set()
        for key, order in orders.items():
            try:
                if order.status is Status.RESERVED:
                    self._telemetry.warning(LogEvent.REFUND_DEFERRED, key, why="not paid yet")
                    deferred.add(key)
                elif order.status is Status.CONFIRMED and order.payment and order.payment.charge_id:
                    refund_ids[key] = self._refund_charge(order, order.payment.charge_id)
            except GatewayUnavailableError as error:
                self._telemetry.warning(LogEvent.GATEWAY_UNAVAILABLE, key, why=str(error))
                deferred.add(key)
        return refund_ids, deferred

    def _record_refund(self, order: Order, outcome: Committed) -> None:
        restocked = order.payment is not None and order.payment.restocked
        record_inventory_operation(self._telemetry, Status.REFUNDED, outcome, restocked=restocked)
        self._telemetry.count(Metric.PAYMENTS, outcome=PaymentOutcome.REFUNDED)
        self._telemetry.info(LogEvent.REFUND_PROCESSED, order.key, restocked=restocked)

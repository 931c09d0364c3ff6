"""Refunds payments on request."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from services.payment import domain
from services.payment.gateway import PaymentGateway, require_valid_id
from services.shared.backoff import Waits
from services.shared.errors import GatewayUnavailableError
from services.shared.events import RefundRequested
from services.shared.ledger import Committed, Found, Key, Ledger, Move, Order, Status, Unsettled
from services.shared.log_events import LogEvent
from services.shared.messages import Group, existing_orders
from services.shared.metric_names import Metric, PaymentOutcome
from services.shared.outbox import EventBus, Outbox
from services.shared.telemetry import Telemetry, record_inventory_operation
from services.shared.transitions import advance_all

OUT_OF_TIME = "no time left in this invocation"


class Refunds:
    def __init__(  # noqa: PLR0913 - its ports
        self,
        ledger: Ledger,
        bus: EventBus,
        gateway: PaymentGateway,
        telemetry: Telemetry,
        *,
        clock: Callable[[], datetime],
        run: Callable[..., Iterable[Any]],
        waits: Waits,
        out_of_time: Callable[[], bool],
    ) -> None:
        self._ledger = ledger
        self._bus = bus
        self._gateway = gateway
        self._telemetry = telemetry
        self._clock = clock
        self._run = run
        self._waits = waits
        self._out_of_time = out_of_time

    def handle(self, groups: Mapping[Key, Group[RefundRequested]]) -> set[str]:
        """Refund what is paid; returns the ids of the messages to retry."""
        orders, retry = existing_orders(groups, self._ledger.orders(groups.keys()), self._telemetry)
        refund_ids, deferred = self._refund_all(orders)
        for key in deferred:
            retry |= groups[key].message_ids
        ready = {key: order for key, order in orders.items() if key not in deferred}
        now = self._clock()

        def decide(order: Order) -> Move | None:
            request = groups[order.key].first
            refund_id = refund_ids.get(order.key)
            return domain.refund(order, refund_id, now, request) if refund_id else None

        for outcomes in advance_all(self._ledger, ready, decide, self._waits):
            outbox = Outbox()
            for key, outcome in outcomes.items():
                match outcome:
                    case Unsettled(why=why):
                        self._telemetry.warning(LogEvent.REFUND_DEFERRED, key, why=why)
                        retry |= groups[key].message_ids
                        continue
                    case Committed(order=order):
                        self._record(order, outcome)
                    case Found(order=order):
                        self._telemetry.info(LogEvent.REFUND_SKIPPED, key, status=order.status.value)
                if order.status is Status.REFUNDED:
                    outbox.add(groups[key].message_ids, domain.refund_events_for(order))
            retry |= outbox.send(self._bus, self._telemetry)
        return retry

    def _refund_all(self, orders: Mapping[Key, Order]) -> tuple[dict[Key, str], set[Key]]:
        """Refund what is paid, concurrently; returns the refund ids, and the orders to retry."""
        results = dict(zip(orders, self._run(self._refund, orders.values()), strict=True))
        refund_ids = {key: result for key, result in results.items() if isinstance(result, str)}
        deferred = {key for key, result in results.items() if isinstance(result, GatewayUnavailableError)}
        return refund_ids, deferred

    def _refund(self, order: Order) -> str | GatewayUnavailableError | None:
        if order.status is Status.RESERVED:
            self._telemetry.warning(LogEvent.REFUND_DEFERRED, order.key, why="not paid yet")
            return GatewayUnavailableError("not paid yet")
        if order.status is not Status.CONFIRMED or order.payment is None or order.payment.charge_id is None:
            return None
        if order.amount_minor == 0:
            return "free"
        if self._out_of_time():
            self._telemetry.warning(LogEvent.REFUND_DEFERRED, order.key, why=OUT_OF_TIME)
            return GatewayUnavailableError(OUT_OF_TIME)
        try:
            refund_id = self._gateway.refund(
                order.payment.charge_id, order.amount_minor, order.currency or ""
            )
            return require_valid_id(refund_id)
        except GatewayUnavailableError as error:
            self._telemetry.warning(LogEvent.GATEWAY_UNAVAILABLE, order.key, why=str(error))
            return error

    def _record(self, order: Order, outcome: Committed) -> None:
        restocked = order.payment is not None and order.payment.restocked
        record_inventory_operation(self._telemetry, Status.REFUNDED, outcome, restocked=restocked)
        self._telemetry.count(Metric.PAYMENTS, outcome=PaymentOutcome.REFUNDED)
        self._telemetry.info(LogEvent.REFUND_PROCESSED, order.key, restocked=restocked)

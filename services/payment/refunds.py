"""Refunds payments on request, in whole or in part.

What is to be given back is written into the order first: concurrent requests never exceed what was paid.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.payment import domain
from services.payment.gateway import PaymentGateway, require_valid_id
from services.shared.backoff import Waits
from services.shared.errors import GatewayUnavailableError
from services.shared.events import RefundRequested
from services.shared.ledger import Committed, Key, Ledger, Move, Order, Refund, Status, Unsettled
from services.shared.log_events import LogEvent
from services.shared.messages import Group, existing_orders
from services.shared.metric_names import Metric, PaymentOutcome
from services.shared.outbox import EventBus, Outbox
from services.shared.telemetry import Telemetry, record_inventory_operation
from services.shared.transitions import advance_all

Groups = Mapping[Key, Group[RefundRequested]]

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

    def handle(self, groups: Groups) -> set[str]:
        """Refund what is paid; returns the ids of the messages to retry."""
        orders, retry = existing_orders(groups, self._ledger.orders(groups.keys()), self._telemetry)
        for key, order in list(orders.items()):
            if order.status is Status.RESERVED:
                self._telemetry.warning(LogEvent.REFUND_DEFERRED, key, why="not paid yet")
                retry |= groups[key].message_ids
                del orders[key]
        now = self._clock()

        def claim(order: Order) -> Move | None:
            return domain.claim_refunds(order, groups[order.key].events, now)

        for outcomes in advance_all(self._ledger, orders, claim, self._waits):
            claimed = {}
            for key, outcome in outcomes.items():
                if isinstance(outcome, Unsettled):
                    self._telemetry.warning(LogEvent.REFUND_DEFERRED, key, why=outcome.why)
                    retry |= groups[key].message_ids
                else:
                    claimed[key] = outcome.order
            retry |= self._give_back(claimed, groups)
        return retry

    def _give_back(self, orders: Mapping[Key, Order], groups: Groups) -> set[str]:
        """Give back what is set aside, and note it; returns the ids of the messages to retry."""
        refund_ids, retry = self._refund_all(orders, groups)
        now = self._clock()

        def decide(order: Order) -> Move | None:
            cause = groups[order.key].first.event_id
            return domain.finish_refunds(order, refund_ids[order.key], now, cause)

        for outcomes in advance_all(self._ledger, orders, decide, self._waits):
            outbox = Outbox()
            for key, outcome in outcomes.items():
                group = groups[key]
                if isinstance(outcome, Unsettled):
                    self._telemetry.warning(LogEvent.REFUND_DEFERRED, key, why=outcome.why)
                    retry |= group.message_ids
                    continue
                order = outcome.order
                if isinstance(outcome, Committed):
                    made = [it for it in _refunds(order) if it.request_id in refund_ids[key] and it.at == now]
                    self._record(order, outcome, made)
                self._record_refused(order, group)
                events = domain.refund_events_for(order, _request_ids(group))
                outbox.add(group.message_ids, events)
            retry |= outbox.send(self._bus, self._telemetry)
        return retry

    def _refund_all(
        self, orders: Mapping[Key, Order], groups: Groups
    ) -> tuple[Mapping[Key, Mapping[str, str]], set[str]]:
        """Ask the gateway, concurrently; returns refund ids by order and request, and messages to retry."""
        refund_ids: dict[Key, dict[str, str]] = {key: {} for key in orders}
        retry: set[str] = set()
        due = [
            (order, refund)
            for key, order in orders.items()
            for refund in domain.open_refunds(order, _request_ids(groups[key]))
        ]
        for (order, refund), refund_id in zip(due, self._run(self._refund, due), strict=True):
            if refund_id is None:
                retry |= groups[order.key].message_ids
            else:
                refund_ids[order.key][refund.request_id] = refund_id
        return refund_ids, retry

    def _refund(self, due: tuple[Order, Refund]) -> str | None:
        order, refund = due
        if refund.amount_minor == 0:
            return "free"
        if self._out_of_time():
            self._telemetry.warning(LogEvent.REFUND_DEFERRED, order.key, why=OUT_OF_TIME)
            return None
        charge_id = (order.payment and order.payment.charge_id) or ""
        try:
            return require_valid_id(self._gateway.refund(domain.refund_request(order, charge_id, refund)))
        except GatewayUnavailableError as error:
            self._telemetry.warning(LogEvent.GATEWAY_UNAVAILABLE, order.key, why=str(error))
            return None

    def _record(self, order: Order, outcome: Committed, refunds: Sequence[Refund]) -> None:
        if any(refund.restocked for refund in refunds):
            record_inventory_operation(self._telemetry, order.status, outcome, restocked=True)
        for refund in refunds:
            self._telemetry.count(Metric.PAYMENTS, outcome=PaymentOutcome.REFUNDED)
            self._telemetry.info(
                LogEvent.REFUND_PROCESSED,
                order.key,
                amount_minor=refund.amount_minor,
                currency=order.currency,
                status=order.status.value,
                restocked=refund.restocked,
            )

    def _record_refused(self, order: Order, group: Group[RefundRequested]) -> None:
        """Log the requests that get nothing: the order is not paid, or too little is left of the payment."""
        claimed = {refund.request_id for refund in _refunds(order)}
        for request in group.events:
            if request.event_id in claimed:
                continue
            if order.status in (Status.CONFIRMED, Status.REFUNDED) and order.payment:
                self._telemetry.warning(
                    LogEvent.REFUND_REFUSED,
                    order.key,
                    requested_minor=request.amount_minor,
                    left_minor=order.amount_minor - order.payment.claimed_minor,
                )
            else:
                self._telemetry.info(LogEvent.REFUND_SKIPPED, order.key, status=order.status.value)


def _refunds(order: Order) -> Sequence[Refund]:
    return order.payment.refunds if order.payment else ()


def _request_ids(group: Group[RefundRequested]) -> set[str]:
    return {request.event_id for request in group.events}

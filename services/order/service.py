"""Reserves stock for orders, cancels them, and expires reservations: a batch in, ledger moves, events out."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from services.order import domain
from services.shared.events import OrderCancellationRequested, OrderEvent, OrderPlaced, PaymentRequested
from services.shared.ledger import Committed, Found, Key, Ledger, Move, Order, Outcome, Status, Unsettled
from services.shared.log_events import LogEvent
from services.shared.messages import Delivery, Group, by_order, retry_unknown_orders
from services.shared.metric_names import Metric, OrderOutcome
from services.shared.outbox import EventBus, Outbox
from services.shared.telemetry import Stopwatch, Telemetry, record_inventory_operation
from services.shared.transitions import advance

E = TypeVar("E", bound=OrderEvent)


_RELEASED = {"customer_request": OrderOutcome.CANCELLED, "reservation_expired": OrderOutcome.EXPIRED}


class OrderService:
    def __init__(
        self,
        ledger: Ledger,
        bus: EventBus,
        telemetry: Telemetry,
        *,
        clock: Callable[[], datetime],
        hold: timedelta,
    ) -> None:
        self._ledger = ledger
        self._bus = bus
        self._telemetry = telemetry
        self._clock = clock
        self._hold = hold

    def handle(self, deliveries: Sequence[Delivery]) -> Collection[str]:
        """Place and cancel orders; returns the ids of the messages to retry."""
        outbox = Outbox()
        retry = self._place(by_order(deliveries, OrderPlaced), outbox)
        retry |= self._cancel(by_order(deliveries, OrderCancellationRequested), outbox)
        return retry | outbox.send(self._bus, self._telemetry)

    def expire(self, deliveries: Sequence[Delivery]) -> Collection[str]:
        """Release reservations whose time is over; returns the ids of the messages to retry."""
        outbox = Outbox()
        now = self._clock()
        due, retry = {}, set()
        for key, group in by_order(deliveries, PaymentRequested).items():
            if group.first.expires_at > now:
                retry |= group.message_ids
            else:
                due[key] = group
        retry |= self._release_overdue(due, now, outbox)
        return retry | outbox.send(self._bus, self._telemetry)

    # --- placements -----------------------------------------------------------------------------------

    def _place(self, groups: Mapping[Key, Group[OrderPlaced]], outbox: Outbox) -> set[str]:
        if not groups:
            return set()
        watch, now, retry = Stopwatch(), self._clock(), set()
        placements = [domain.placement(group.first, now, self._hold) for group in groups.values()]
        for key, outcome in self._ledger.reserve(placements).items():
            group = groups[key]
            record_inventory_operation(self._telemetry, Status.RESERVED, outcome)
            match outcome:
                case Unsettled(why=why):
                    self._telemetry.warning(LogEvent.ORDER_DEFERRED, key, why=why)
                    retry |= group.message_ids
                    continue
                case Committed(order=order):
                    self._record_placement(order, watch.seconds())
                    duplicates = len(group.message_ids) - 1
                case Found(order=order):
                    duplicates = len(group.message_ids)
            if duplicates:
                self._record_duplicates(order, group.events, duplicates)
            if order.status in (Status.RESERVED, Status.REJECTED):
                outbox.add(group.message_ids, domain.events_for(order))
        return retry

    def _record_placement(self, order: Order, seconds: float) -> None:
        self._telemetry.observe(Metric.ORDER_PROCESSING, seconds)
        if order.status is Status.RESERVED:
            self._telemetry.count(Metric.ORDERS, outcome=OrderOutcome.RESERVED)
            self._telemetry.info(
                LogEvent.ORDER_RESERVED, order.key, amount_minor=order.amount_minor, currency=order.currency
            )
        else:
            self._telemetry.count(Metric.ORDERS, outcome=OrderOutcome.REJECTED)
            self._telemetry.info(LogEvent.ORDER_REJECTED, order.key, reason=order.reason, skus=order.blamed)

    def _record_duplicates(self, order: Order, events: Sequence[OrderPlaced], count: int) -> None:
        self._telemetry.count(Metric.ORDERS, count, outcome=OrderOutcome.DUPLICATE)
        if all(domain.same_order(event, order) for event in events):
            self._telemetry.info(LogEvent.ORDER_DUPLICATE, order.key, status=order.status.value)
        else:
            self._telemetry.warning(LogEvent.ORDER_CONFLICT, order.key, status=order.status.value)

    # --- cancellations and expiries -------------------------------------------------------------------

    def _cancel(self, groups: Mapping[Key, Group[OrderCancellationRequested]], outbox: Outbox) -> set[str]:
        if not groups:
            return set()
        now = self._clock()
        orders = self._ledger.orders(groups.keys())
        retry = retry_unknown_orders(groups, orders, self._telemetry)

        def decide(order: Order) -> Move | None:
            return domain.cancel(order, now, groups[order.key].first.event_id)

        for key, outcome in advance(self._ledger, orders, decide).items():
            group = groups[key]
            if isinstance(outcome, Found) and outcome.order.status is Status.CONFIRMED:
                self._telemetry.info(LogEvent.REFUND_REQUESTED, key)
                outbox.add(group.message_ids, [domain.refund_request_for(outcome.order)])
            else:
                retry |= self._released(key, group, outcome, "customer_request", outbox)
        return retry

    def _release_overdue(
        self, groups: Mapping[Key, Group[PaymentRequested]], now: datetime, outbox: Outbox
    ) -> set[str]:
        orders = self._ledger.orders(groups.keys())
        retry = retry_unknown_orders(groups, orders, self._telemetry)

        def decide(order: Order) -> Move | None:
            return domain.expire(order, now, groups[order.key].first.event_id)

        for key, outcome in advance(self._ledger, orders, decide).items():
            if isinstance(outcome, Found) and outcome.order.status is Status.RESERVED:
                retry |= groups[key].message_ids  # overdue by the event, but not by the order itself
            else:
                retry |= self._released(key, groups[key], outcome, "reservation_expired", outbox)
        return retry

    def _released(self, key: Key, group: Group[E], outcome: Outcome, reason: str, outbox: Outbox) -> set[str]:
        """Record a release; an order already released for the same reason gets its event published again."""
        match outcome:
            case Unsettled(why=why):
                record_inventory_operation(self._telemetry, Status.CANCELLED, outcome)
                self._telemetry.warning(LogEvent.RELEASE_DEFERRED, key, why=why)
                return group.message_ids
            case Committed(order=order):
                record_inventory_operation(self._telemetry, Status.CANCELLED, outcome)
                self._telemetry.count(Metric.ORDERS, outcome=_RELEASED[reason])
                self._telemetry.info(LogEvent.ORDER_CANCELLED, key, reason=reason)
                outbox.add(group.message_ids, domain.events_for(order))
            case Found(order=order) if order.status is Status.CANCELLED and order.reason == reason:
                outbox.add(group.message_ids, domain.events_for(order))
            case Found(order=order):
                expired = reason == "reservation_expired"
                self._telemetry.info(
                    LogEvent.EXPIRY_SKIPPED if expired else LogEvent.RELEASE_SKIPPED,
                    key,
                    status=order.status.value,
                )
        return set()

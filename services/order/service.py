"""Admits orders, calls them off, and lets reservations expire: batches in, ledger moves, events out."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from services.order import domain
from services.shared.events import OrderCancellationRequested, OrderEvent, OrderPlaced, PaymentRequested
from services.shared.ledger import Committed, Found, Key, Ledger, Move, Order, Outcome, Status, Unsettled
from services.shared.log_events import LogEvent
from services.shared.messages import Delivery, Group, by_order
from services.shared.metric_names import Metric, OrderOutcome
from services.shared.outbox import EventBus, Outbox
from services.shared.telemetry import Stopwatch, Telemetry, record_inventory_operation
from services.shared.transitions import advance

E = TypeVar("E", bound=OrderEvent)


_OUTCOMES = {Status.RESERVED: OrderOutcome.RESERVED, Status.REJECTED: OrderOutcome.REJECTED}
_DECIDED = {Status.RESERVED: LogEvent.ORDER_RESERVED, Status.REJECTED: LogEvent.ORDER_REJECTED}
_LABELS = {"customer_request": OrderOutcome.CANCELLED, "reservation_expired": OrderOutcome.EXPIRED}
_SKIPPED = {
    "customer_request": LogEvent.RELEASE_SKIPPED,
    "reservation_expired": LogEvent.EXPIRY_SKIPPED,
}


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
        """Place and cancel; returns the messages that must come again."""
        outbox = Outbox()
        again = self._place(by_order(deliveries, OrderPlaced), outbox)
        again |= self._cancel(by_order(deliveries, OrderCancellationRequested), outbox)
        return again | outbox.send(self._bus, self._telemetry)

    def expire(self, deliveries: Sequence[Delivery]) -> Collection[str]:
        """Release what is still unpaid when its time is over; returns the messages that must come again."""
        outbox = Outbox()
        now = self._clock()
        due, again = {}, set()
        for key, group in by_order(deliveries, PaymentRequested).items():
            if group.first.expires_at > now:
                again |= group.message_ids
            else:
                due[key] = group
        orders = self._ledger.orders(due.keys())
        again |= self._unknown(due, orders)

        def decide(order: Order) -> Move | None:
            return domain.expire(order, now, due[order.key].first.event_id)

        for key, outcome in advance(self._ledger, orders, decide).items():
            if isinstance(outcome, Found) and outcome.order.status is Status.RESERVED:
                again |= due[key].message_ids  # what the event says is over, the order says is not
            else:
                again |= self._released(key, due[key], outcome, "reservation_expired", outbox)
        return again | outbox.send(self._bus, self._telemetry)

    def _place(self, groups: Mapping[Key, Group[OrderPlaced]], outbox: Outbox) -> set[str]:
        if not groups:
            return set()
        watch, now, again = Stopwatch(), self._clock(), set()
        placements = [domain.placement(group.first, now, self._hold) for group in groups.values()]
        for key, outcome in self._ledger.reserve(placements).items():
            group = groups[key]
            record_inventory_operation(self._telemetry, Status.RESERVED, outcome)
            match outcome:
                case Unsettled(why=why):
                    self._telemetry.warning(LogEvent.ORDER_DEFERRED, key, why=why)
                    again |= group.message_ids
                    continue
                case Committed(order=order):
                    self._telemetry.count(Metric.ORDERS, outcome=_OUTCOMES[order.status])
                    self._telemetry.observe(Metric.ORDER_PROCESSING, watch.seconds())
                    self._telemetry.info(_DECIDED[order.status], key, **_decision_fields(order))
                    duplicates = len(group.message_ids) - 1
                case Found(order=order):
                    duplicates = len(group.message_ids)
            if duplicates:
                self._telemetry.count(Metric.ORDERS, duplicates, outcome=OrderOutcome.DUPLICATE)
                self._log_duplicates(key, group, order)
            if order.status in (Status.RESERVED, Status.REJECTED):
                outbox.add(group.message_ids, domain.events_for(order))
        return again

    def _log_duplicates(self, key: Key, group: Group[OrderPlaced], order: Order) -> None:
        if all(domain.same_order(event, order) for event in group.events):
            self._telemetry.info(LogEvent.ORDER_DUPLICATE, key, status=order.status.value)
        else:
            self._telemetry.warning(LogEvent.ORDER_CONFLICT, key, status=order.status.value)

    def _cancel(self, groups: Mapping[Key, Group[OrderCancellationRequested]], outbox: Outbox) -> set[str]:
        if not groups:
            return set()
        now = self._clock()
        orders = self._ledger.orders(groups.keys())
        again = self._unknown(groups, orders)

        def decide(order: Order) -> Move | None:
            return domain.cancel(order, now, groups[order.key].first.event_id)

        for key, outcome in advance(self._ledger, orders, decide).items():
            group = groups[key]
            if isinstance(outcome, Found) and outcome.order.status is Status.CONFIRMED:
                self._telemetry.info(LogEvent.REFUND_REQUESTED, key)
                outbox.add(group.message_ids, [domain.ask_for_refund(outcome.order)])
            else:
                again |= self._released(key, group, outcome, "customer_request", outbox)
        return again

    def _released(self, key: Key, group: Group[E], outcome: Outcome, reason: str, outbox: Outbox) -> set[str]:
        """Account for a release; one found done for the same reason owes its event again."""
        match outcome:
            case Unsettled(why=why):
                record_inventory_operation(self._telemetry, Status.CANCELLED, outcome)
                self._telemetry.warning(LogEvent.RELEASE_DEFERRED, key, why=why)
                return group.message_ids
            case Committed(order=order):
                record_inventory_operation(self._telemetry, Status.CANCELLED, outcome)
                self._telemetry.count(Metric.ORDERS, outcome=_LABELS[reason])
                self._telemetry.info(LogEvent.ORDER_CANCELLED, key, reason=reason)
                outbox.add(group.message_ids, domain.events_for(order))
            case Found(order=order) if order.status is Status.CANCELLED and order.reason == reason:
                outbox.add(group.message_ids, domain.events_for(order))
            case Found(order=order):
                self._telemetry.info(_SKIPPED[reason], key, status=order.status.value)
        return set()

    def _unknown(self, groups: Mapping[Key, Group[E]], orders: Mapping[Key, Order]) -> set[str]:
        """Send back what tells of an order that is not there: its placement may still be on the way."""
        missing = [key for key in groups if key not in orders]
        for key in missing:
            self._telemetry.warning(LogEvent.ORDER_NOT_FOUND, key)
        return {message_id for key in missing for message_id in groups[key].message_ids}


def _decision_fields(order: Order) -> dict[str, object]:
    if order.status is Status.REJECTED:
        return {"reason": order.reason, "skus": order.blamed}
    return {"amount_minor": order.amount_minor, "currency": order.currency}

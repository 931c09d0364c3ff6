"""Reserves stock for orders, cancels them, and expires reservations: a batch in, ledger moves, events out."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from services.order import domain
from services.shared.backoff import Waits, never
from services.shared.events import (
    OrderCancellationRequested,
    OrderConflicted,
    OrderEvent,
    OrderPlaced,
    PaymentRequested,
    RefundRequested,
)
from services.shared.ledger import Committed, Found, Key, Ledger, Move, Order, Outcome, Status, Unsettled
from services.shared.log_events import LogEvent
from services.shared.messages import DelayedQueue, Delivery, Group, by_order, existing_orders
from services.shared.metric_names import Metric, OrderOutcome
from services.shared.outbox import EventBus, Outbox
from services.shared.telemetry import Stopwatch, Telemetry, record_inventory_operation
from services.shared.transitions import advance, until_settled

E = TypeVar("E", bound=OrderEvent)


_RELEASED = {"customer_request": OrderOutcome.CANCELLED, "reservation_expired": OrderOutcome.EXPIRED}


class OrderService:
    def __init__(  # noqa: PLR0913 - its ports
        self,
        ledger: Ledger,
        bus: EventBus,
        telemetry: Telemetry,
        *,
        clock: Callable[[], datetime],
        hold: timedelta,
        long_holds: Mapping[str, timedelta] = domain.LONG_HOLDS,
        later: DelayedQueue | None = None,
        waits: Waits = never,
    ) -> None:
        self._ledger = ledger
        self._bus = bus
        self._telemetry = telemetry
        self._clock = clock
        self._hold = hold
        self._long_holds = long_holds
        self._later = later
        self._waits = waits

    def handle(self, deliveries: Sequence[Delivery]) -> Collection[str]:
        """Place and cancel orders; returns the ids of the messages to retry."""
        return self._place(by_order(deliveries, OrderPlaced)) | self._cancel(
            by_order(deliveries, OrderCancellationRequested)
        )

    def expire(self, deliveries: Sequence[Delivery]) -> Collection[str]:
        """Release reservations whose time is over; returns the ids of the messages to retry.

        A message that comes before the end of its reservation is sent again, and comes later.
        """
        return self._release_overdue(by_order(deliveries, PaymentRequested), self._clock())

    # --- placements -----------------------------------------------------------------------------------

    def _place(self, groups: Mapping[Key, Group[OrderPlaced]]) -> set[str]:
        watch, now, retry = Stopwatch(), self._clock(), set()
        placements = {
            key: domain.placement(it.first, now, domain.hold_for(it.first, self._hold, self._long_holds))
            for key, it in groups.items()
        }

        def reserve(keys: Collection[Key]) -> Mapping[Key, Outcome]:
            return self._ledger.reserve([placements[key] for key in keys])

        for outcomes in until_settled(reserve, placements.keys(), self._waits):
            outbox = Outbox()
            for key, outcome in outcomes.items():
                retry |= self._placed(groups[key], key, outcome, watch, outbox)
            retry |= outbox.send(self._bus, self._telemetry)
        return retry

    def _placed(
        self, group: Group[OrderPlaced], key: Key, outcome: Outcome, watch: Stopwatch, outbox: Outbox
    ) -> set[str]:
        """Record what became of a placement; returns the ids of the messages to retry."""
        record_inventory_operation(self._telemetry, Status.RESERVED, outcome)
        match outcome:
            case Unsettled(why=why):
                self._telemetry.warning(LogEvent.ORDER_DEFERRED, key, why=why)
                return group.message_ids
            case Committed(order=order):
                self._record_placement(order, watch.seconds())
                repeated = group.events[1:]
            case Found(order=order):
                repeated = group.events
        outbox.add(group.message_ids, self._record_repeated(order, repeated))
        if order.status in (Status.RESERVED, Status.REJECTED):
            outbox.add(group.message_ids, domain.events_for(order))
        return set()

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

    def _record_repeated(self, order: Order, events: Sequence[OrderPlaced]) -> list[OrderConflicted]:
        """Count placements under an existing id; returns an event for each that asks for something else."""
        conflicts = []
        for event in events:
            if differences := domain.differences(event, order):
                self._telemetry.count(Metric.ORDERS, outcome=OrderOutcome.CONFLICTED)
                self._telemetry.warning(
                    LogEvent.ORDER_CONFLICT,
                    order.key,
                    status=order.status.value,
                    differences=differences,
                    placed_event_id=event.event_id,
                )
                conflicts.append(domain.conflict(event, differences))
            else:
                self._telemetry.count(Metric.ORDERS, outcome=OrderOutcome.DUPLICATE)
                self._telemetry.info(LogEvent.ORDER_DUPLICATE, order.key, status=order.status.value)
        return conflicts

    # --- cancellations and expiries -------------------------------------------------------------------

    def _cancel(self, groups: Mapping[Key, Group[OrderCancellationRequested]]) -> set[str]:
        now = self._clock()
        orders, retry = self._read(groups)

        def decide(order: Order) -> Move | None:
            return domain.cancel(order, now, groups[order.key].first.event_id)

        for outcomes in self._advance(orders, decide):
            outbox = Outbox()
            for key, outcome in outcomes.items():
                group = groups[key]
                if isinstance(outcome, Found) and outcome.order.status is Status.CONFIRMED:
                    outbox.add(group.message_ids, self._request_refund(outcome.order, group))
                else:
                    retry |= self._released(key, group, outcome, "customer_request", outbox)
            retry |= outbox.send(self._bus, self._telemetry)
        return retry

    def _request_refund(
        self, order: Order, group: Group[OrderCancellationRequested]
    ) -> list[RefundRequested]:
        if not any(domain.is_cancellable(order, event.occurred_at) for event in group.events):
            self._telemetry.warning(LogEvent.CANCELLATION_LATE, order.key, until=order.cancellable_until)
            return []
        self._telemetry.info(LogEvent.REFUND_REQUESTED, order.key)
        return [domain.refund_request_for(order)]

    def _release_overdue(self, groups: Mapping[Key, Group[PaymentRequested]], now: datetime) -> set[str]:
        orders, retry = self._read(groups)
        early: dict[Key, Order] = {}

        def decide(order: Order) -> Move | None:
            return domain.expire(order, now, groups[order.key].first.event_id)

        for outcomes in self._advance(orders, decide):
            outbox = Outbox()
            for key, outcome in outcomes.items():
                if isinstance(outcome, Found) and outcome.order.status is Status.RESERVED:
                    early[key] = outcome.order
                else:
                    retry |= self._released(key, groups[key], outcome, "reservation_expired", outbox)
            retry |= outbox.send(self._bus, self._telemetry)
        return retry | self._postpone(early, groups, now)

    def _postpone(
        self, orders: Mapping[Key, Order], groups: Mapping[Key, Group[PaymentRequested]], now: datetime
    ) -> set[str]:
        """Send messages about open reservations again, before they are deleted; the order says until when."""
        events = {
            key: (groups[key].first, order.expires_at - now)
            for key, order in orders.items()
            if order.expires_at is not None
        }
        if not events:
            return set()
        failed = self._later.send(events) if self._later else events.keys()
        for key in failed:
            self._telemetry.warning(LogEvent.EXPIRY_NOT_POSTPONED, key, until=orders[key].expires_at)
        return {message_id for key in failed for message_id in groups[key].message_ids}

    def _read(self, groups: Mapping[Key, Group[E]]) -> tuple[dict[Key, Order], set[str]]:
        return existing_orders(groups, self._ledger.orders(groups.keys()), self._telemetry)

    def _advance(
        self, orders: Mapping[Key, Order], decide: Callable[[Order], Move | None]
    ) -> Iterator[Mapping[Key, Outcome]]:
        def attempt(keys: Collection[Key]) -> Mapping[Key, Outcome]:
            return advance(self._ledger, {key: orders[key] for key in keys}, decide)

        return until_settled(attempt, orders.keys(), self._waits)

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

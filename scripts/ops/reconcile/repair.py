"""Repairs by having the services repeat their work; no table is written from here."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from scripts.ops.context import OpsContext
from services.order.consistency import impossible, overdue
from services.order.domain import events_for
from services.payment.domain import may_have_been_charged
from services.shared.events import Event, rfc3339
from services.shared.ledger import Order, Status

SOURCE = "pulsequeue.cli"
RELEASED_BY = "expiry"
CHARGED_BY = "payment"
CHARGE_LOOKUP_WINDOW = timedelta(days=1)
"""Orders cancelled before that were looked up by every redelivery, and by earlier repairs."""
_BATCH_SIZE = 100
_PAYMENT_TIME = timedelta(minutes=1)
"""A younger reservation is still being paid; a second request would be noise."""


@dataclass(slots=True)
class RepairResult:
    to_release: int = 0
    """Overdue reservations, sent to the expiry function."""
    to_finish: int = 0
    """Open reservations whose payment was requested again."""
    to_look_up: int = 0
    """Orders cancelled unpaid, sent to the payment function to look up and refund a charge."""
    failed: int = 0

    def counts(self) -> dict[str, int]:
        return {
            "toRelease": self.to_release,
            "toFinish": self.to_finish,
            "toLookUp": self.to_look_up,
            "failed": self.failed,
        }


def repair(ops: OpsContext, grace: timedelta) -> RepairResult:
    """Release overdue reservations, request open payments again, look up unrecorded charges."""
    result = RepairResult()
    now = ops.clock.now()
    # Inconsistent and unreadable orders need a person; the services could not process them either.
    consistent = (order for order in ops.store.scan_orders(lambda _row: None) if not any(impossible(order)))
    for orders in _batches(consistent):
        _release([order for order in orders if overdue(order, now, grace)], ops, result)
        _finish([order for order in orders if _is_due(order, now)], ops, result)
        _look_up([order for order in orders if _may_be_charged(order, now)], ops, result)
    ops.operations_log.record(
        "audit repair",
        {"graceSeconds": grace.total_seconds()},
        result.counts(),
    )
    return result


def _release(orders: Sequence[Order], ops: OpsContext, result: RepairResult) -> None:
    refused = _send(orders, ops, RELEASED_BY)
    result.to_release += len(orders) - len(refused)
    result.failed += len(refused)


def _finish(orders: Sequence[Order], ops: OpsContext, result: RepairResult) -> None:
    # On the bus, so that the expiry gets them too: an event that was never published has no expiry either.
    events = [event for order in orders for event in events_for(order)]
    unpublished = ops.bus.publish(events) if events else ()
    result.to_finish += len(events) - len(unpublished)
    result.failed += len(unpublished)


def _look_up(orders: Sequence[Order], ops: OpsContext, result: RepairResult) -> None:
    refused = _send(orders, ops, CHARGED_BY)
    result.to_look_up += len(orders) - len(refused)
    result.failed += len(refused)


def _send(orders: Sequence[Order], ops: OpsContext, function: str) -> Collection[int]:
    """Send the events of these orders' reservations to one function alone, past the bus."""
    bodies = [
        envelope(event) for order in orders for event in events_for(replace(order, status=Status.RESERVED))
    ]
    return ops.work_queue(function).send(bodies) if bodies else ()


def _is_due(order: Order, now: datetime) -> bool:
    if order.status is not Status.RESERVED or order.expires_at is None:
        return False
    return order.expires_at > now and order.history[0].at + _PAYMENT_TIME < now


def _may_be_charged(order: Order, now: datetime) -> bool:
    return may_have_been_charged(order) and order.history[-1].at + CHARGE_LOOKUP_WINDOW > now


def envelope(event: Event) -> str:
    """Wrap an event as the bus would, for a queue that is reached without the bus."""
    return json.dumps(
        {
            "version": "0",
            "id": event.event_id,
            "detail-type": event.detail_type(),
            "source": SOURCE,
            "time": rfc3339(event.occurred_at),
            "resources": [],
            "detail": json.loads(event.wire()),
        },
        ensure_ascii=False,
    )


def _batches(orders: Iterator[Order]) -> Iterator[Sequence[Order]]:
    while batch := list(islice(orders, _BATCH_SIZE)):
        yield batch

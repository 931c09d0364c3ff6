"""Mends by having the pipeline do again what it was to do: no table is written from here."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from scripts.ops.desk import Desk
from scripts.ops.recount import overdue
from services.order.domain import announce
from services.shared.events import Event, rfc3339
from services.shared.ledger import Order, Status

SOURCE = "pulsequeue.cli"
RELEASED_BY = "expiry"
_AT_ONCE = 100
_UNDER_WAY = timedelta(minutes=1)
"""A younger reservation is being paid; asking for its payment again would only make noise."""


@dataclass(slots=True)
class Repaired:
    to_release: int = 0
    """Reservations past their time, handed to the expiry function."""
    to_finish: int = 0
    """Open reservations whose payment was asked for again."""
    failed: int = 0


def repair(desk: Desk, grace: timedelta) -> Repaired:
    """Release what is past its time, and ask again for the payment of what is still open."""
    result = Repaired()
    now = desk.clock.now()
    for orders in _batches(order for order in desk.books.scan_orders() if order.status is Status.RESERVED):
        late = [order for order in orders if overdue(order, now, grace)]
        due = [
            order
            for order in orders
            if order.expires_at is not None
            and order.expires_at > now
            and order.history[0].at + _UNDER_WAY < now
        ]
        bodies = [envelope(event) for order in late for event in announce(order)]
        refused = desk.work_queue(RELEASED_BY).send(bodies) if bodies else ()
        events = [event for order in due for event in announce(order)]
        unpublished = desk.bus.publish(events) if events else ()
        result.to_release += len(bodies) - len(refused)
        result.to_finish += len(events) - len(unpublished)
        result.failed += len(refused) + len(unpublished)
    desk.audit_log.record(
        "audit repair",
        {"graceSeconds": grace.total_seconds()},
        {"toRelease": result.to_release, "toFinish": result.to_finish, "failed": result.failed},
    )
    return result


def envelope(event: Event) -> str:
    """Wrap an event as the bus would, for a queue that is reached without it."""
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
    while batch := list(islice(orders, _AT_ONCE)):
        yield batch

"""Mends by having the pipeline do again what it was to do: no table is written from here."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from scripts.ops.context import OpsContext
from scripts.ops.reconcile.rules import impossible, overdue
from services.order.domain import events_for
from services.payment.domain import may_hide_a_charge
from services.shared.events import Event, rfc3339
from services.shared.ledger import Order, Status

SOURCE = "pulsequeue.cli"
RELEASED_BY = "expiry"
CHARGED_BY = "payment"
CHARGES_SOUGHT_FOR = timedelta(days=1)
"""Orders called off longer ago have had every redelivery, and earlier repairs, look for their charge."""
_AT_ONCE = 100
_UNDER_WAY = timedelta(minutes=1)
"""A younger reservation is being paid; asking for its payment again would only make noise."""


@dataclass(slots=True)
class Repaired:
    to_release: int = 0
    """Reservations past their time, handed to the expiry function."""
    to_finish: int = 0
    """Open reservations whose payment was asked for again."""
    to_look_up: int = 0
    """Orders called off unpaid, handed to the payment function to look for a charge and give it back."""
    failed: int = 0


def repair(ops: OpsContext, grace: timedelta) -> Repaired:
    """Release what is past its time, ask again for open payments, look for charges nobody noted."""
    result = Repaired()
    now = ops.clock.now()
    # What is impossible or unreadable needs a person; the services could make nothing of it either.
    sound = (order for order in ops.store.scan_orders(lambda _row: None) if not any(impossible(order)))
    for orders in _batches(sound):
        _release([order for order in orders if overdue(order, now, grace)], ops, result)
        _finish([order for order in orders if _is_due(order, now)], ops, result)
        _look_up([order for order in orders if _may_be_charged(order, now)], ops, result)
    ops.operations_log.record(
        "audit repair",
        {"graceSeconds": grace.total_seconds()},
        {
            "toRelease": result.to_release,
            "toFinish": result.to_finish,
            "toLookUp": result.to_look_up,
            "failed": result.failed,
        },
    )
    return result


def _release(orders: Sequence[Order], ops: OpsContext, result: Repaired) -> None:
    refused = _hand(orders, ops, RELEASED_BY)
    result.to_release += len(orders) - len(refused)
    result.failed += len(refused)


def _finish(orders: Sequence[Order], ops: OpsContext, result: Repaired) -> None:
    # On the bus, so that the expiry hears of them too: what was never published has no end to come either.
    events = [event for order in orders for event in events_for(order)]
    unpublished = ops.bus.publish(events) if events else ()
    result.to_finish += len(events) - len(unpublished)
    result.failed += len(unpublished)


def _look_up(orders: Sequence[Order], ops: OpsContext, result: Repaired) -> None:
    refused = _hand(orders, ops, CHARGED_BY)
    result.to_look_up += len(orders) - len(refused)
    result.failed += len(refused)


def _hand(orders: Sequence[Order], ops: OpsContext, function: str) -> Collection[int]:
    """Tell one function alone, past the bus, what was once published of these orders' reservations."""
    bodies = [
        envelope(event) for order in orders for event in events_for(replace(order, status=Status.RESERVED))
    ]
    return ops.work_queue(function).send(bodies) if bodies else ()


def _is_due(order: Order, now: datetime) -> bool:
    if order.status is not Status.RESERVED or order.expires_at is None:
        return False
    return order.expires_at > now and order.history[0].at + _UNDER_WAY < now


def _may_be_charged(order: Order, now: datetime) -> bool:
    return may_hide_a_charge(order) and order.history[-1].at + CHARGES_SOUGHT_FOR > now


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

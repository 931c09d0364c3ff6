"""All that is known of one order, put together from what everybody knows of it. Pure but for `gather`."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import ValidationError

from scripts.ops.context import OpsContext
from scripts.ops.dlq.dlq import peek
from scripts.ops.dlq.messages import DeadLetter, Filter
from scripts.ops.function_logs import Line, event_fields
from scripts.ops.reconcile.rules import impossible
from services.order.domain import events_for
from services.payment.domain import payment_events_for, refund_events_for
from services.shared.events import Event
from services.shared.ledger import Key, Order, Status

_BEFORE = timedelta(minutes=1)
"""Clocks differ: what publishers call the time of an order may lie after the first line about it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened."""

    at: datetime
    where: str
    what: str
    about: str


@dataclass(frozen=True, slots=True)
class Story:
    order: Order
    events: tuple[Event, ...]
    lines: tuple[Line, ...]
    letters: tuple[DeadLetter, ...]

    @property
    def traces(self) -> list[str]:
        """Name the X-Ray traces that the lines belong to, where tracing is on."""
        named = [str(line.fields["xray_trace_id"]) for line in self.lines if line.fields.get("xray_trace_id")]
        return list(dict.fromkeys(named))

    @property
    def timeline(self) -> list[Moment]:
        moments = [
            *(Moment(step.at, "order", step.status.value, step.event_id) for step in self.order.history),
            *(Moment(event.occurred_at, "bus", event.detail_type(), event.event_id) for event in self.events),
            *(Moment(line.at, line.function, line.message, _told(line)) for line in self.lines),
            *(
                Moment(
                    dead_letter.sent_at,
                    f"{dead_letter.function} DLQ",
                    dead_letter.event or "message",
                    dead_letter.why,
                )
                for dead_letter in self.letters
            ),
        ]
        return sorted(moments, key=lambda moment: moment.at)


def gather(ops: OpsContext, order: Order) -> Story:
    """Ask everybody. To look at dead letters hides them from others for a moment."""
    keep = timedelta(days=ops.topology.settings.log_days)
    since = max(order.placed_at - _BEFORE, ops.clock.now() - keep)
    meant = Filter(orders=frozenset({order.key.id}))
    # Each queue is polled for a second until it is quiet; nobody waits for one after the other.
    with ThreadPoolExecutor() as pool:
        looks = [pool.submit(peek, [ops.dlq(function)], meant) for function in ops.topology.consumers]
        lines = ops.function_logs.about(order.key.id, since)
        letters = [dead_letter for look in looks for dead_letter in look.result()]
    return Story(
        order,
        tuple(emitted(order)),
        tuple(line for line in lines if mentions(line, order.key)),
        tuple(dead_letter for dead_letter in letters if dead_letter.tenant_id == order.key.tenant_id),
    )


def emitted(order: Order) -> list[Event]:
    """List the events that tell of this order so far; their ids and times follow from the order alone."""
    if any(impossible(order)):
        return []
    events: list[Event] = []
    if order.history[0].status is Status.RESERVED:
        events += events_for(replace(order, status=Status.RESERVED))
    # What somebody wrote into the table that no service writes hides only what follows from it.
    with suppress(ValidationError):
        events += [*events_for(order), *payment_events_for(order), *refund_events_for(order)]
    return sorted({event.event_id: event for event in events}.values(), key=lambda event: event.occurred_at)


def mentions(line: Line, key: Key) -> bool:
    """Tell a line about this order from one about another whose id only begins or ends alike."""
    if "order_id" in line.fields:
        return (line.fields["order_id"], line.fields.get("tenant_id", key.tenant_id)) == (
            key.id,
            key.tenant_id,
        )
    whole = rf"(?<![\w.-]){re.escape(key.id)}(?![\w.-])"
    return re.search(whole, " ".join([line.message, *map(str, line.fields.values())])) is not None


def _told(line: Line) -> str:
    level = str(line.fields.get("level", ""))
    return " ".join([*([level] if level not in ("", "INFO") else []), *event_fields(line.fields)])

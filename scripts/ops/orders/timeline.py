"""The timeline of one order: its history, events, log lines and dead letters. Pure except `load_timeline`."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import ValidationError

from scripts.ops.context import OpsContext
from scripts.ops.dlq.dlq import peek
from scripts.ops.dlq.messages import DeadLetter, Filter
from scripts.ops.function_logs import LogEntry, extra_fields
from services.order.consistency import impossible
from services.order.domain import events_for
from services.payment.domain import payment_events_for, refund_events_for
from services.shared.events import Event
from services.shared.ledger import Key, Order, Status

_CLOCK_SKEW = timedelta(minutes=1)
"""A publisher's clock may run ahead of the first log line of its order."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    at: datetime
    source: str
    name: str
    details: str = ""
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class OrderTimeline:
    key: Key
    order: Order | None
    """None for an order that only logs or dead letters know."""
    events: tuple[Event, ...]
    log_entries: tuple[LogEntry, ...]
    dlq_messages: tuple[DeadLetter, ...]

    @property
    def traces(self) -> list[str]:
        """List the X-Ray traces of the log lines, if tracing is on."""
        trace_ids = [
            str(line.fields["xray_trace_id"]) for line in self.log_entries if line.fields.get("xray_trace_id")
        ]
        return list(dict.fromkeys(trace_ids))

    @property
    def entries(self) -> list[TimelineEntry]:
        entries = [
            *(
                TimelineEntry(step.at, "order", step.status.value, event_id=step.event_id)
                for step in (self.order.history if self.order else ())
            ),
            *(
                TimelineEntry(event.occurred_at, "bus", event.detail_type(), event_id=event.event_id)
                for event in self.events
            ),
            *(
                TimelineEntry(line.at, line.function, line.message, _details(line))
                for line in self.log_entries
            ),
            *(
                TimelineEntry(
                    dead_letter.sent_at,
                    f"{dead_letter.function} DLQ",
                    dead_letter.event or "message",
                    dead_letter.why,
                )
                for dead_letter in self.dlq_messages
            ),
        ]
        return sorted(entries, key=lambda entry: entry.at)


def load_timeline(ops: OpsContext, key: Key, order: Order | None) -> OrderTimeline:
    """Read logs and dead-letter queues. Reading a queue hides its messages from others for a moment."""
    since = ops.clock.now() - timedelta(days=ops.topology.settings.log_days)
    if order is not None:
        since = max(order.placed_at - _CLOCK_SKEW, since)
    this_order = Filter(orders=frozenset({key.id}))
    # Each queue takes a second or more to read; they are read at the same time.
    with ThreadPoolExecutor() as pool:
        reads = [pool.submit(peek, [ops.dlq(function)], this_order) for function in ops.topology.consumers]
        lines = ops.function_logs.search(key.id, since)
        dlq_messages = [dead_letter for read in reads for dead_letter in read.result()]
    return OrderTimeline(
        key,
        order,
        tuple(emitted_events(order)) if order else (),
        tuple(line for line in lines if mentions(line, key)),
        tuple(dead_letter for dead_letter in dlq_messages if dead_letter.tenant_id == key.tenant_id),
    )


def emitted_events(order: Order) -> list[Event]:
    """List the events of this order so far; their ids and times follow from the order alone."""
    if any(impossible(order)):
        return []
    events: list[Event] = []
    if order.history[0].status is Status.RESERVED:
        events += events_for(replace(order, status=Status.RESERVED))
    # A payment that no service could have written hides only the events that follow from it.
    with suppress(ValidationError):
        events += [*events_for(order), *payment_events_for(order), *refund_events_for(order)]
    return sorted({event.event_id: event for event in events}.values(), key=lambda event: event.occurred_at)


def mentions(line: LogEntry, key: Key) -> bool:
    """Whether a log line is about this order, and not about one whose id merely contains this id."""
    if "order_id" in line.fields:
        return (line.fields["order_id"], line.fields.get("tenant_id", key.tenant_id)) == (
            key.id,
            key.tenant_id,
        )
    whole = rf"(?<![\w.-]){re.escape(key.id)}(?![\w.-])"
    return re.search(whole, " ".join([line.message, *map(str, line.fields.values())])) is not None


def _details(line: LogEntry) -> str:
    level = str(line.fields.get("level", ""))
    return " ".join([*([level] if level not in ("", "INFO") else []), *extra_fields(line.fields)])

"""Measures how long projecting an event takes, and whether it takes longer when many are stored."""

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice

from benchmarks.fixtures.postgres import (
    BenchmarkDatabase,
    DatabaseSession,
    create_database,
    demo_data,
    live_data,
    postgres_server,
)
from benchmarks.harness.report import Chart, Report, Table
from benchmarks.harness.statistics import Scale, Spread, alternate, number, ratio
from scripts.common.null_telemetry import NullTelemetry
from scripts.demo_data.generator import SubjectKind
from scripts.local.postgres import Postgres
from services.analytics.projector.service import Projector
from services.shared.database import PROJECTOR
from services.shared.events import Event
from services.shared.messages import Delivery

_BATCH = 100
_BATCHES = (1, 10, 100)
_CUSTOMER_S_ORDERS = 10
"""How many orders a customer placed in two years."""
_SUBSCRIPTIONS = 10
"""One event of so many is about a subscription."""


@dataclass
class _ProjectorMeter:
    """Projects live events into one database. Times are microseconds per event."""

    size: int
    session: DatabaseSession
    events: Iterator[Event]
    batch: int = _BATCH
    wall: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    """CPU time of our process."""
    server: list[float] = field(default_factory=list)
    """CPU time of the process that serves our connection."""
    _numbers: "count[int]" = field(default_factory=count)

    def take(self, events: int) -> float:
        batches = [self._deliveries() for _ in range(events // self.batch)]
        projector = Projector(self.session.database, NullTelemetry())
        gc.collect()  # a full collection must not fall into the measurement of one size
        before = self._clocks()
        failed = [message for batch in batches for message in projector.handle(batch)]
        after = self._clocks()
        if failed or not all(map(len, batches)):
            raise RuntimeError(f"{len(failed)} events were not projected, or there were too few")
        for series, start, end in zip((self.wall, self.ours, self.server), before, after, strict=True):
            series.append((end - start) * 1_000_000 / events)
        return self.wall[-1]

    def _deliveries(self) -> list[Delivery]:
        return [Delivery(str(next(self._numbers)), event) for event in islice(self.events, self.batch)]

    def _clocks(self) -> tuple[float, float, float]:
        return time.perf_counter(), time.process_time(), self.session.cpu_seconds


def run(scale: Scale) -> Report:
    sizes = (0, 1_000, 5_000) if scale is Scale.QUICK else (0, 240_000, 1_200_000)
    repetitions, events = scale.pick(3, 15), scale.pick(500, 2_000)
    needed, customers = (repetitions + 1) * events, max(sizes) // _CUSTOMER_S_ORDERS
    with postgres_server() as server, ExitStack() as exits:
        databases = [_database(server, size) for size in sizes]
        sessions = [DatabaseSession(exits.enter_context(closing(it.connect(PROJECTOR)))) for it in databases]
        by_size = [
            _ProjectorMeter(it.loaded.events, session, _live(needed, customers))
            for it, session in zip(databases, sessions, strict=True)
        ]
        alternate({number(it.size): partial(it.take, events) for it in by_size}, repetitions)
        by_batch = [
            _ProjectorMeter(databases[1].loaded.events, sessions[1], _live(needed, customers, batch), batch)
            for batch in _BATCHES
        ]
        alternate({number(it.batch): partial(it.take, events) for it in by_batch}, repetitions)
    for meter in (*by_size, *by_batch):
        for series in (meter.wall, meter.ours, meter.server):
            del series[0]  # the warm-up round
    return _report(scale, by_size, by_batch)


def _database(server: Postgres, orders: int) -> BenchmarkDatabase:
    return create_database(
        server, f"orders_{orders}", demo_data(orders, orders // _CUSTOMER_S_ORDERS) if orders else None
    )


def _live(events: int, customers: int, run: int = 0) -> Iterator[Event]:
    """Return events of orders and a few subscriptions, ordered by time as in a busy shop."""
    subscriptions = events // _SUBSCRIPTIONS
    # A small data set has too few customers for so many subscriptions; some customers are new then.
    subscribers = live_data(events + run, max(4 * events, customers))
    buyers = live_data(events + run, customers)
    mixed = [
        *islice(subscribers.events_of_kind(SubjectKind.CUSTOMERS), subscriptions),
        *islice(buyers.events_of_kind(SubjectKind.ORDERS), events - subscriptions),
    ]
    return iter(sorted(mixed, key=lambda event: (event.occurred_at, event.event_id)))


def _report(scale: Scale, by_size: Sequence[_ProjectorMeter], by_batch: Sequence[_ProjectorMeter]) -> Report:
    sizes = [number(it.size, 9) for it in by_size]
    return Report(
        name="projector",
        title="Projecting events",
        question="How long does projecting an event take, and does it take longer with millions stored?",
        method=_method(scale, by_size),
        findings=_findings(by_size, by_batch),
        tables=(
            _table("By events in the inbox", "events", sizes, by_size, by_size[0]),
            _table("By batch", "batch", [str(it.batch) for it in by_batch], by_batch, by_batch[-1]),
        ),
        charts=(
            Chart(
                "Microseconds per event by events in the inbox",
                sizes,
                {name: [Spread.of(it).median for it in those] for name, those in _kinds(by_size).items()},
                "events in the inbox",
                "µs per event",
            ),
        ),
        series={
            f"{label}: {name}, µs per event": series
            for labels, meters in (
                ([f"{size} events" for size in sizes], by_size),
                ([f"batches of {it.batch}" for it in by_batch], by_batch),
            )
            for name, those in _kinds(meters).items()
            for label, series in zip(labels, those, strict=True)
        },
    )


def _kinds(meters: Sequence[_ProjectorMeter]) -> dict[str, list[list[float]]]:
    return {
        "wall time": [it.wall for it in meters],
        "our CPU": [it.ours for it in meters],
        "PostgreSQL CPU": [it.server for it in meters],
    }


def _table(
    title: str, of: str, labels: Sequence[str], meters: Sequence[_ProjectorMeter], baseline: _ProjectorMeter
) -> Table:
    rows = [
        (
            label,
            Spread.of([1_000_000 / wall for wall in it.wall]).text(),
            Spread.of(it.wall).text(),
            f"{ratio(it.wall, baseline.wall).text()} ×",
            Spread.of(it.ours).text(),
            f"{ratio(it.ours, baseline.ours).text()} ×",
            Spread.of(it.server).text(),
            f"{ratio(it.server, baseline.server).text()} ×",
        )
        for label, it in zip(labels, meters, strict=True)
    ]
    column = f"/ {labels[meters.index(baseline)]}"
    columns = (
        *(of, "events/s", "µs per event", column, "our CPU, µs", column),
        *("PostgreSQL CPU, µs", column),
    )
    return Table(title, columns, rows)


def _method(scale: Scale, by_size: Sequence[_ProjectorMeter]) -> list[str]:
    return [
        (
            "One database for each size on one local PostgreSQL, bulk-loaded with demo data of two years: "
            f"{', '.join(number(it.size, 9) for it in by_size)} events. They are measured in turns; the "
            "empty one fills meanwhile."
        ),
        (
            f"Events of new orders, and one in {_SUBSCRIPTIONS} of a new subscription, of existing "
            f"customers, ordered by time; {scale.pick(500, 2_000):,} at a time in batches of {_BATCH}, "
            f"through the projector in this process over one connection. {scale.pick(3, 15)} repetitions of "
            "each."
        ),
        (
            "PostgreSQL CPU is the time of the process that serves the connection, counted by the kernel in "
            "hundredths of a second; later writes to disk are not included. Nothing waits for the disk."
        ),
    ]


def _findings(by_size: Sequence[_ProjectorMeter], by_batch: Sequence[_ProjectorMeter]) -> list[str]:
    empty, full = by_size[0], by_size[-1]
    alone, together = by_batch[0], by_batch[-1]
    speed = Spread.of([1_000_000 / wall for wall in full.wall])
    grown = (
        f"With {full.size:,} events in the inbox, an event takes {ratio(full.wall, empty.wall).text()} times "
        f"as long as with none: {ratio(full.ours, empty.ours).text()} times our CPU time, "
        f"{ratio(full.server, empty.server).text()} times PostgreSQL's."
    )
    fast = f"One projector then projects {speed.text()} events a second, in batches of {_BATCH}."
    batches = (
        f"A single event takes {ratio(alone.wall, together.wall).text()} times as long as one in a batch "
        f"of {together.batch}."
    )
    return [grown, fast, batches]

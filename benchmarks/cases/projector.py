"""What projecting an event takes, and whether it takes more the more events there have been."""

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice

from benchmarks.fixtures.postgres import Shop, Way, live, past, served, shop
from benchmarks.harness.report import Chart, Report, Table
from benchmarks.harness.statistics import Scale, Spread, alternate, number, ratio
from scripts.common.null_telemetry import NullTelemetry
from scripts.demo_data.generator import SubjectKind
from scripts.local.postgres import Postgres
from services.analytics.projector.service import Projector
from services.analytics.settings import PROJECTOR
from services.shared.events import Event
from services.shared.messages import Delivery

_BATCH = 100
_BATCHES = (1, 10, 100)
_CUSTOMER_S_ORDERS = 10
"""How many orders a customer placed in two years."""
_SUBSCRIPTIONS = 10
"""One event of so many is about a subscription."""


@dataclass
class _Meter:
    """Projects what is told live into one database. Times are microseconds per event."""

    size: int
    way: Way
    told: Iterator[Event]
    batch: int = _BATCH
    wall: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    """Processor time of our process."""
    server: list[float] = field(default_factory=list)
    """Processor time of the process that serves our connection."""
    _numbers: "count[int]" = field(default_factory=count)

    def take(self, events: int) -> float:
        batches = [self._deliveries() for _ in range(events // self.batch)]
        projector = Projector(self.way.database, NullTelemetry())
        gc.collect()  # a full pass in the middle would be one size's bad luck
        before = self._clocks()
        again = [message for batch in batches for message in projector.handle(batch)]
        after = self._clocks()
        if again or not all(map(len, batches)):
            raise RuntimeError(f"{len(again)} events were not projected, or there were too few")
        for series, start, end in zip((self.wall, self.ours, self.server), before, after, strict=True):
            series.append((end - start) * 1_000_000 / events)
        return self.wall[-1]

    def _deliveries(self) -> list[Delivery]:
        return [Delivery(str(next(self._numbers)), event) for event in islice(self.told, self.batch)]

    def _clocks(self) -> tuple[float, float, float]:
        return time.perf_counter(), time.process_time(), self.way.cpu_seconds


def run(scale: Scale) -> Report:
    sizes = (0, 1_000, 5_000) if scale is Scale.QUICK else (0, 240_000, 1_200_000)
    repetitions, events = scale.pick(3, 15), scale.pick(500, 2_000)
    needed, customers = (repetitions + 1) * events, max(sizes) // _CUSTOMER_S_ORDERS
    with served() as server, ExitStack() as closings:
        shops = [_shop(server, size) for size in sizes]
        ways = [Way(closings.enter_context(closing(it.connect(PROJECTOR)))) for it in shops]
        by_size = [
            _Meter(it.laid.events, way, _live(needed, customers)) for it, way in zip(shops, ways, strict=True)
        ]
        alternate({number(it.size): partial(it.take, events) for it in by_size}, repetitions)
        by_batch = [
            _Meter(shops[1].laid.events, ways[1], _live(needed, customers, batch), batch)
            for batch in _BATCHES
        ]
        alternate({number(it.batch): partial(it.take, events) for it in by_batch}, repetitions)
    for meter in (*by_size, *by_batch):
        for series in (meter.wall, meter.ours, meter.server):
            del series[0]  # of the round to warm up
    return _report(scale, by_size, by_batch)


def _shop(server: Postgres, orders: int) -> Shop:
    return shop(server, f"orders_{orders}", past(orders, orders // _CUSTOMER_S_ORDERS) if orders else None)


def _live(events: int, customers: int, run: int = 0) -> Iterator[Event]:
    """Tell of orders and a few subscriptions, many at once: their events mingle as they do in a busy shop."""
    subscriptions = events // _SUBSCRIPTIONS
    # A small past has too few customers for so many subscriptions: there, some are new.
    subscribers, buyers = live(events + run, max(4 * events, customers)), live(events + run, customers)
    told = [
        *islice(subscribers.events_of_kind(SubjectKind.CUSTOMERS), subscriptions),
        *islice(buyers.events_of_kind(SubjectKind.ORDERS), events - subscriptions),
    ]
    return iter(sorted(told, key=lambda event: (event.occurred_at, event.event_id)))


def _report(scale: Scale, by_size: Sequence[_Meter], by_batch: Sequence[_Meter]) -> Report:
    sizes = [number(it.size, 9) for it in by_size]
    return Report(
        name="projector",
        title="Projecting events",
        question="How long does projecting an event take, and does it take longer with millions stored?",
        method=_how(scale, by_size),
        findings=_findings(by_size, by_batch),
        tables=(
            _table("By events in the inbox", "events", sizes, by_size, by_size[0]),
            _table("By batch", "batch", [str(it.batch) for it in by_batch], by_batch, by_batch[-1]),
        ),
        charts=(
            Chart(
                "Microseconds per event, by events in the inbox",
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


def _kinds(meters: Sequence[_Meter]) -> dict[str, list[list[float]]]:
    return {
        "wall time": [it.wall for it in meters],
        "our CPU": [it.ours for it in meters],
        "PostgreSQL CPU": [it.server for it in meters],
    }


def _table(title: str, of: str, labels: Sequence[str], meters: Sequence[_Meter], beside: _Meter) -> Table:
    rows = [
        (
            label,
            Spread.of([1_000_000 / wall for wall in it.wall]).text(),
            Spread.of(it.wall).text(),
            f"{ratio(it.wall, beside.wall).text()} ×",
            Spread.of(it.ours).text(),
            f"{ratio(it.ours, beside.ours).text()} ×",
            Spread.of(it.server).text(),
            f"{ratio(it.server, beside.server).text()} ×",
        )
        for label, it in zip(labels, meters, strict=True)
    ]
    against = f"against {labels[meters.index(beside)]}"
    columns = (
        *(of, "events/s", "µs per event", against, "our processor, µs", against),
        *("PostgreSQL's processor, µs", against),
    )
    return Table(title, columns, rows)


def _how(scale: Scale, by_size: Sequence[_Meter]) -> list[str]:
    laid = (
        "A database for each size on one local PostgreSQL, filled in bulk with a made-up past of two years: "
        f"{', '.join(number(it.size, 9) for it in by_size)} events. They are measured in turns; the empty "
        "one fills while it is."
    )
    told = (
        f"Events of new orders, and one in {_SUBSCRIPTIONS} of a new subscription, of customers who were "
        f"there before, mingled by their times; {scale.pick(500, 2_000):,} at a time in batches of {_BATCH}, "
        "through the projector inside this process, over one connection. "
        f"{scale.pick(3, 15)} repetitions of each."
    )
    server = (
        "PostgreSQL's processor is that of the process that serves the connection, counted by the kernel in "
        "hundredths of a second; what writes to the disk later is not in it. Nothing waits for the disk."
    )
    return [laid, told, server]


def _findings(by_size: Sequence[_Meter], by_batch: Sequence[_Meter]) -> list[str]:
    empty, full = by_size[0], by_size[-1]
    alone, together = by_batch[0], by_batch[-1]
    speed = Spread.of([1_000_000 / wall for wall in full.wall])
    grown = (
        f"With {full.size:,} events in the inbox an event takes {ratio(full.wall, empty.wall).text()} times "
        f"as long as with none: {ratio(full.ours, empty.ours).text()} times our processor time, "
        f"{ratio(full.server, empty.server).text()} times PostgreSQL's."
    )
    fast = f"One projector then projects {speed.text()} events a second, in batches of {_BATCH}."
    batches = (
        f"An event that comes alone takes {ratio(alone.wall, together.wall).text()} times as long as one of "
        f"{together.batch}."
    )
    return [grown, fast, batches]

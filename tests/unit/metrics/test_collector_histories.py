"""Late values, partial answers, concurrent collectors and crashes end with CloudWatch's own sums."""

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.metrics.catalog import catalog
from services.metrics.collector import REACH, WINDOW, Collector
from services.metrics.counters import LATE_MINUTES, Minute
from services.metrics.rendering import Rendering
from services.metrics.series import Series
from services.metrics.snapshot import Pages, Snapshot
from services.shared.histogram_buckets import bucket
from tests.support.fakes import RecordingTelemetry
from tests.support.metrics_fakes import SMALL, MemoryCloudWatch, MemorySnapshots, series_of

CATALOG = catalog(SMALL)
SERIES = series_of(SMALL)
HISTOGRAMS = {histogram.name: histogram for histogram in CATALOG.histograms}
PLAIN = [
    SERIES["orders_total{outcome=reserved}"],
    SERIES["orders_total{outcome=rejected}"],
    SERIES["dynamodb_capacity_units_total{table=orders,kind=write}"],
]
SETTLEMENT = HISTOGRAMS["order_settlement_duration_seconds"]
WATCHED = [*PLAIN, SETTLEMENT.sum, SETTLEMENT.count, *SETTLEMENT.buckets]
QUEUE = next(series for series in CATALOG.gauges if series.name == "aws_sqs_messages_visible")
START = 29_000_040
"""A full hour: late data is added to whole hours."""
LATE = st.integers(0, LATE_MINUTES)
INCOMPLETE_FOR = 12 * 60
AGO = st.one_of(st.integers(0, WINDOW - 1), st.integers(0, LATE_MINUTES - INCOMPLETE_FOR - 8 * WINDOW))
"""Data that is late and incomplete for more than a day altogether is lost; histories stay below."""


class KilledError(Exception):
    """The collector dies here."""


class Histories(RuleBasedStateMachine):
    """Time passes, values arrive late, collectors read, race and are killed."""

    @initialize()
    def begin(self) -> None:
        self.is_ending = False
        self.minute: Minute = START
        self.cloudwatch = MemoryCloudWatch()
        self.snapshots = MemorySnapshots()
        self.previous = {series.key: 0 for series in WATCHED}
        self.last_complete: Minute = START
        self.collect()  # a ledger begins some time, and knows nothing from long before

    @rule(series=st.sampled_from(PLAIN), values=st.lists(st.tuples(AGO, st.integers(1, 1_000)), min_size=1))
    def values_arrive(self, series: Series, values: list[tuple[int, int]]) -> None:
        for ago, halves in values:
            value = halves / 2 if series.measure.stored_units > 1 else float(halves)
            self.cloudwatch.observe(series.query, max(self.minute - ago, START - WINDOW), value)

    @rule(settled=st.lists(st.tuples(AGO, st.integers(1, 20_000_000)), min_size=1))
    def orders_settle(self, settled: list[tuple[int, int]]) -> None:
        for ago, micros in settled:
            seconds, minute = micros / 1_000_000, max(self.minute - ago, START - WINDOW)
            self.cloudwatch.observe(SETTLEMENT.sum.query, minute, seconds)
            le = bucket(seconds)
            counted = next(series for series in SETTLEMENT.buckets if dict(series.labels)["le"] == le)
            self.cloudwatch.observe(counted.query, minute, 1.0)

    @rule(series=st.sampled_from(PLAIN), ago=LATE)
    def a_value_arrives_a_day_late(self, series: Series, ago: int) -> None:
        self.cloudwatch.observe(series.query, max(self.minute - ago, START - WINDOW), 1.0)
        for _ in range(2):  # the next full hour reads the day again
            self.minute += WINDOW
            self.collect()

    @rule(minutes=st.sampled_from([1, 7, WINDOW - 1, WINDOW + 1, 2 * WINDOW, REACH + 50]))
    def time_passes(self, minutes: int) -> None:
        self.minute += minutes

    @rule()
    def a_collection(self) -> None:
        self.collect()

    @precondition(lambda self: self.minute - self.last_complete < INCOMPLETE_FOR)
    @rule(
        partial=st.sets(st.sampled_from([series.key for series in (*WATCHED, QUEUE)]), min_size=1),
        collections=st.integers(1, 6),
    )
    def series_are_incomplete(self, partial: set[str], collections: int) -> None:
        """They delay no other series: each of the others shows its new values at once."""
        last_complete = self.last_complete
        self.cloudwatch.partial = frozenset(partial)
        for _ in range(collections):
            self.minute += WINDOW
            for series in PLAIN:
                self.cloudwatch.observe(series.query, self.minute, 1.0)
            before = self.shown()
            self.collect()
            shown = self.shown()
            if self.snapshot.collected_at == self.now:
                for series in PLAIN:
                    if series.key not in partial:
                        assert shown[series.key] > before[series.key], series.key
        self.cloudwatch.partial = frozenset()
        self.last_complete = last_complete

    @property
    def snapshot(self) -> Snapshot:
        assert self.snapshots.snapshot is not None
        return self.snapshots.snapshot

    @property
    def now(self) -> float:
        return self.minute * 60 + 30.0

    def shown(self) -> dict[str, int]:
        return {series.key: self.snapshot.ledger.total(series.key) for series in WATCHED}

    @rule(point=st.sampled_from(["reading", "replacing"]))
    def another_collector_races(self, point: str) -> None:
        def other_collector() -> None:
            self.cloudwatch.observe(PLAIN[0].query, self.minute, 5.0)
            self.collect()

        self._meanwhile(point, other_collector)
        self.collect()

    @rule(point=st.sampled_from(["reading", "replacing"]))
    def a_collector_is_killed(self, point: str) -> None:
        def kill() -> None:
            raise KilledError

        self._meanwhile(point, kill)
        try:
            self.collect()
        except KilledError:
            self._meanwhile(point, lambda: None)

    @invariant()
    def no_counter_decreases(self) -> None:
        shown = self.shown()
        assert all(total >= self.previous[key] for key, total in shown.items())
        self.previous = shown

    def teardown(self) -> None:
        if not hasattr(self, "minute"):
            return
        for _ in range(200):  # a long pause is read in several steps
            self.collect()
            if self.snapshot.ledger.watermark == self.minute - WINDOW:
                break
        self.is_ending = True
        for _ in range(4):  # late data counts once its hour is closed and another one has begun
            self.minute += WINDOW + 1
            self.collect()
        assert self.snapshot.ledger.watermark == self.minute - WINDOW, "the watermark must catch up"
        for series in (*PLAIN, SETTLEMENT.sum, *SETTLEMENT.buckets):
            counter = self.snapshot.ledger.counter(series.key)
            assert not counter.open, series.key
            assert counter.total == series.measure.to_units(self.cloudwatch.sum(series.query)), series.key

    def collect(self) -> None:
        Collector(
            SMALL,
            self.cloudwatch,
            self.snapshots,
            RecordingTelemetry(),
            clock=lambda: self.now,
            render=self.rendered,
        ).collect()
        if not self.cloudwatch.partial:
            self.last_complete = self.minute

    def rendered(self, rendering: Rendering) -> Pages:
        """Render only what a history ends with: pages are half of the time, and have tests of their own."""
        return rendering.pages() if self.is_ending else {}

    def _meanwhile(self, point: str, what: Callable[[], None]) -> None:
        """Let something happen once, at a point of the next collection."""

        def once() -> None:
            self.cloudwatch.before_answer = self.snapshots.before_replacing = lambda: None
            what()

        if point == "reading":
            self.cloudwatch.before_answer = once
        else:
            self.snapshots.before_replacing = once


TestAnyHistory = Histories.TestCase
TestAnyHistory.settings = settings(max_examples=50, stateful_step_count=20)

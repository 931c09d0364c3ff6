"""Late values, partial answers, concurrent collectors and crashes end with CloudWatch's own sums."""

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.metrics.catalog import catalog
from services.metrics.collector import REACH, WINDOW, Collector
from services.metrics.counters import Minute
from services.metrics.series import Series
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
START = 29_000_000
AGO = st.integers(0, WINDOW - 1)


class KilledError(Exception):
    """The collector dies here."""


class Histories(RuleBasedStateMachine):
    """Time passes, values arrive late, collectors read, race and are killed."""

    @initialize()
    def begin(self) -> None:
        self.minute: Minute = START
        self.cloudwatch = MemoryCloudWatch()
        self.snapshots = MemorySnapshots()
        self.previous = {series.key: 0 for series in WATCHED}
        self.collect()  # a ledger begins some time, and knows nothing from long before

    @property
    def oldest_open_minute(self) -> Minute:
        """The oldest minute that is still open."""
        assert self.snapshots.snapshot is not None
        return self.snapshots.snapshot.ledger.watermark

    @rule(series=st.sampled_from(PLAIN), values=st.lists(st.tuples(AGO, st.integers(1, 1_000)), min_size=1))
    def values_arrive(self, series: Series, values: list[tuple[int, int]]) -> None:
        for ago, halves in values:
            value = halves / 2 if series.measure.stored_units > 1 else float(halves)
            self.cloudwatch.observe(series.query, max(self.minute - ago, self.oldest_open_minute), value)

    @rule(settled=st.lists(st.tuples(AGO, st.integers(1, 20_000_000)), min_size=1))
    def orders_settle(self, settled: list[tuple[int, int]]) -> None:
        for ago, micros in settled:
            seconds, minute = micros / 1_000_000, max(self.minute - ago, self.oldest_open_minute)
            self.cloudwatch.observe(SETTLEMENT.sum.query, minute, seconds)
            le = bucket(seconds)
            counted = next(series for series in SETTLEMENT.buckets if dict(series.labels)["le"] == le)
            self.cloudwatch.observe(counted.query, minute, 1.0)

    @rule(minutes=st.sampled_from([1, 7, WINDOW - 1, WINDOW + 1, 2 * WINDOW, REACH + 50]))
    def time_passes(self, minutes: int) -> None:
        self.minute += minutes

    @rule()
    def a_collection(self) -> None:
        self.collect()

    @rule(partial=st.sets(st.sampled_from([series.key for series in WATCHED]), min_size=1))
    def a_partial_collection(self, partial: set[str]) -> None:
        self.cloudwatch.partial = frozenset(partial)
        self.collect()
        self.cloudwatch.partial = frozenset()

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
        snapshot = self.snapshots.snapshot
        assert snapshot is not None
        for series in WATCHED:
            total = snapshot.ledger.total(series.key)
            assert total >= self.previous[series.key], series.key
            self.previous[series.key] = total

    def teardown(self) -> None:
        if not hasattr(self, "minute"):
            return
        self.collect()
        self.minute += WINDOW + 1
        for _ in range(200):  # a long silence is read in several steps
            self.collect()
            snapshot = self.snapshots.snapshot
            assert snapshot is not None
            if snapshot.ledger.watermark == self.minute - WINDOW:
                break
        assert snapshot is not None
        assert snapshot.ledger.watermark == self.minute - WINDOW, "the watermark must catch up"
        for series in (*PLAIN, SETTLEMENT.sum, *SETTLEMENT.buckets):
            counter = snapshot.ledger.counter(series.key)
            assert not counter.open, series.key
            assert counter.base == series.measure.to_units(self.cloudwatch.sum(series.query)), series.key

    def collect(self) -> None:
        Collector(
            SMALL,
            self.cloudwatch,
            self.snapshots,
            RecordingTelemetry(),
            clock=lambda: self.minute * 60 + 30.0,
        ).collect()

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
TestAnyHistory.settings = settings(max_examples=100, stateful_step_count=20)

"""One collection at a time: what is asked, what is kept, what is said."""

import pytest

from services.metrics.catalog import catalog
from services.metrics.collector import REACH, WINDOW, Collector
from services.metrics.series import Series
from services.shared.log_events import LogEvent
from tests.support.fakes import RecordingTelemetry
from tests.support.metrics_fakes import SMALL, MemoryCloudWatch, MemorySnapshots, series_of

NOW = 1_760_000_070
MINUTE = NOW // 60
SERIES = series_of(SMALL)
RESERVED = SERIES["orders_total{outcome=reserved}"]
SETTLEMENT = {it.name: it for it in catalog(SMALL).histograms}["order_settlement_duration_seconds"]


class Bench:
    """A collector with everything around it at hand."""

    def __init__(self) -> None:
        self.now = float(NOW)
        self.cloudwatch = MemoryCloudWatch()
        self.snapshots = MemorySnapshots()
        self.telemetry = RecordingTelemetry()

    def collect(self) -> None:
        Collector(SMALL, self.cloudwatch, self.snapshots, self.telemetry, clock=lambda: self.now).collect()

    def total(self, series: Series) -> int:
        assert self.snapshots.snapshot is not None
        return self.snapshots.snapshot.ledger.total(series.key)

    def settle(self, le: str, seconds: float, minute: int) -> None:
        self.cloudwatch.observe(SETTLEMENT.sum.query, minute, seconds)
        counted = next(it for it in SETTLEMENT.buckets if dict(it.labels)["le"] == le)
        self.cloudwatch.observe(counted.query, minute, 1.0)

    def logged(self) -> list[LogEvent]:
        return [event for event, _, _ in self.telemetry.lines]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_running_minute_counts_already(bench: Bench) -> None:
    bench.cloudwatch.observe(RESERVED.query, MINUTE, 3)

    bench.collect()

    assert bench.total(RESERVED) == 3


def test_a_value_that_comes_late_is_added_to_its_minute(bench: Bench) -> None:
    bench.cloudwatch.observe(RESERVED.query, MINUTE - 30, 3)
    bench.collect()
    bench.cloudwatch.observe(RESERVED.query, MINUTE - 30, 4)

    bench.collect()

    assert bench.total(RESERVED) == 7


def test_without_observations_no_bucket_is_asked_for(bench: Bench) -> None:
    bench.cloudwatch.observe(RESERVED.query, MINUTE, 3)

    bench.collect()

    assert len(bench.cloudwatch.requests) == 1
    assert not any("_bucket" in key for key in bench.cloudwatch.requests[0])


def test_buckets_are_asked_for_until_they_hold_every_observation(bench: Bench) -> None:
    bench.settle("0.5", 0.4, MINUTE)
    bench.cloudwatch.observe(SETTLEMENT.sum.query, MINUTE, 3.0)  # its bucket is still on its way

    bench.collect()
    bench.collect()
    counted = next(it for it in SETTLEMENT.buckets if dict(it.labels)["le"] == "5")
    bench.cloudwatch.observe(counted.query, MINUTE, 1.0)
    bench.collect()
    requests = len(bench.cloudwatch.requests)
    bench.collect()

    assert requests == 6  # three collections with two questions each
    assert len(bench.cloudwatch.requests) == 7  # and one with one


def test_only_the_buckets_of_the_histogram_that_moved_are_asked_for(bench: Bench) -> None:
    bench.settle("0.5", 0.4, MINUTE)

    bench.collect()

    assert set(bench.cloudwatch.requests[1]) == {bucket.key for bucket in SETTLEMENT.buckets}


def test_the_watermark_stays_while_something_was_not_told(bench: Bench) -> None:
    bench.collect()
    bench.now += 600
    bench.cloudwatch.partial = frozenset({RESERVED.key})

    bench.collect()

    assert bench.snapshots.snapshot is not None
    assert bench.snapshots.snapshot.ledger.watermark == MINUTE - WINDOW
    assert bench.snapshots.snapshot.tally.incomplete == 1
    assert LogEvent.COLLECTION_INCOMPLETE in bench.logged()


def test_after_a_long_silence_the_past_is_read_in_steps_and_called_old_until_then(bench: Bench) -> None:
    bench.collect()
    bench.cloudwatch.observe(RESERVED.query, MINUTE + 10, 5)
    bench.now += 3 * REACH * 60

    bench.collect()

    assert bench.snapshots.snapshot is not None
    assert bench.snapshots.snapshot.collected_at == (MINUTE - WINDOW + REACH) * 60
    assert bench.total(RESERVED) == 5
    for _ in range(4):
        bench.collect()
    assert bench.snapshots.snapshot.collected_at == bench.now


def test_of_two_collectors_one_wins_and_the_other_says_so(bench: Bench) -> None:
    bench.cloudwatch.observe(RESERVED.query, MINUTE, 3)

    def other_collector() -> None:
        bench.cloudwatch.before_answer = lambda: None
        bench.collect()

    bench.cloudwatch.before_answer = other_collector
    bench.collect()

    assert bench.total(RESERVED) == 3
    assert bench.snapshots.snapshot is not None
    assert bench.snapshots.snapshot.version == 1
    assert bench.logged().count(LogEvent.COLLECTION_OUTRUN) == 1


@pytest.mark.parametrize("where", ["before_answer", "before_replacing"])
def test_a_collector_that_is_killed_loses_nothing(bench: Bench, where: str) -> None:
    bench.cloudwatch.observe(RESERVED.query, MINUTE, 3)
    bench.collect()
    bench.cloudwatch.observe(RESERVED.query, MINUTE, 4)
    owner = bench.cloudwatch if where == "before_answer" else bench.snapshots
    setattr(owner, where, _die)
    with pytest.raises(KeyboardInterrupt):
        bench.collect()
    setattr(owner, where, lambda: None)

    bench.now += 2 * WINDOW * 60
    bench.collect()

    assert bench.total(RESERVED) == 7


def _die() -> None:
    raise KeyboardInterrupt


def test_a_histogram_that_closes_with_a_missing_bucket_is_told_of(bench: Bench) -> None:
    bench.collect()
    bench.cloudwatch.observe(SETTLEMENT.sum.query, MINUTE, 3.0)
    bench.now += 2 * WINDOW * 60

    bench.collect()

    assert LogEvent.HISTOGRAM_INCONSISTENT in bench.logged()


def test_what_was_asked_of_cloudwatch_is_counted(bench: Bench) -> None:
    bench.settle("0.5", 0.4, MINUTE)

    bench.collect()

    assert bench.snapshots.snapshot is not None
    assert bench.snapshots.snapshot.tally.requested == sum(map(len, bench.cloudwatch.requests))
    assert bench.snapshots.snapshot.tally.collections == 1

"""Single collections: what is requested, stored and logged."""

import pytest

from services.metrics.catalog import catalog
from services.metrics.collector import REACH, WINDOW, Collector
from services.metrics.counters import LATE_MINUTES
from services.metrics.series import Series
from services.shared.log_events import LogEvent
from tests.support.fakes import RecordingTelemetry
from tests.support.metrics_fakes import SMALL, MemoryCloudWatch, MemorySnapshots, series_of

NOW = 1_760_000_070
MINUTE = NOW // 60
SERIES = series_of(SMALL)
CATALOG = catalog(SMALL)
RESERVED = SERIES["orders_total{outcome=reserved}"]
REJECTED = SERIES["orders_total{outcome=rejected}"]
QUEUE = next(series for series in CATALOG.gauges if series.name == "aws_sqs_messages_visible")
SETTLEMENT = {it.name: it for it in CATALOG.histograms}["order_settlement_duration_seconds"]


class CollectorFixture:
    """A collector with its fakes."""

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
def fixture() -> CollectorFixture:
    return CollectorFixture()


def test_the_running_minute_counts_already(fixture: CollectorFixture) -> None:
    fixture.cloudwatch.observe(RESERVED.query, MINUTE, 3)

    fixture.collect()

    assert fixture.total(RESERVED) == 3


def test_a_value_that_comes_late_is_added_to_its_minute(fixture: CollectorFixture) -> None:
    fixture.cloudwatch.observe(RESERVED.query, MINUTE - 30, 3)
    fixture.collect()
    fixture.cloudwatch.observe(RESERVED.query, MINUTE - 30, 4)

    fixture.collect()

    assert fixture.total(RESERVED) == 7


def test_without_observations_no_bucket_is_asked_for(fixture: CollectorFixture) -> None:
    fixture.cloudwatch.observe(RESERVED.query, MINUTE, 3)

    fixture.collect()

    assert len(fixture.cloudwatch.requests) == 1
    assert not any("_bucket" in key for key in fixture.cloudwatch.requests[0])


def test_buckets_are_asked_for_until_they_hold_every_observation(fixture: CollectorFixture) -> None:
    fixture.settle("0.5", 0.4, MINUTE)
    fixture.cloudwatch.observe(SETTLEMENT.sum.query, MINUTE, 3.0)  # its bucket is still on its way

    fixture.collect()
    fixture.collect()
    counted = next(it for it in SETTLEMENT.buckets if dict(it.labels)["le"] == "5")
    fixture.cloudwatch.observe(counted.query, MINUTE, 1.0)
    fixture.collect()
    requests = len(fixture.cloudwatch.requests)
    fixture.collect()

    assert requests == 6  # three collections with two requests each
    assert len(fixture.cloudwatch.requests) == 7  # and one with one


def test_only_the_buckets_of_the_histogram_that_moved_are_asked_for(fixture: CollectorFixture) -> None:
    fixture.settle("0.5", 0.4, MINUTE)

    fixture.collect()

    assert set(fixture.cloudwatch.requests[1]) == {bucket.key for bucket in SETTLEMENT.buckets}


def test_an_incomplete_gauge_delays_no_counter(fixture: CollectorFixture) -> None:
    fixture.collect()
    fixture.cloudwatch.partial = frozenset({QUEUE.key})
    for _ in range(3):
        fixture.now += 6 * 3600
        fixture.cloudwatch.observe(RESERVED.query, int(fixture.now) // 60, 3)
        for _ in range(2):
            fixture.collect()

    assert fixture.snapshots.snapshot is not None
    assert fixture.total(RESERVED) == 9
    assert fixture.snapshots.snapshot.collected_at == fixture.now
    assert fixture.snapshots.snapshot.ledger.watermark == int(fixture.now) // 60 - WINDOW
    assert LogEvent.COLLECTION_INCOMPLETE in fixture.logged()


def test_incomplete_reads_are_counted(fixture: CollectorFixture) -> None:
    fixture.cloudwatch.partial = frozenset({QUEUE.key})

    fixture.collect()

    assert fixture.snapshots.snapshot is not None
    assert fixture.snapshots.snapshot.tally.incomplete == 1


def test_an_incomplete_counter_is_made_good_by_the_next_complete_read(fixture: CollectorFixture) -> None:
    fixture.collect()
    fixture.cloudwatch.observe(RESERVED.query, MINUTE, 4)
    fixture.cloudwatch.observe(REJECTED.query, MINUTE, 1)
    fixture.cloudwatch.partial = frozenset({RESERVED.key})
    for _ in range(20):
        fixture.now += 3600
        fixture.collect()
    assert (fixture.total(RESERVED), fixture.total(REJECTED)) != (4, 1)
    assert fixture.total(REJECTED) == 1

    fixture.cloudwatch.partial = frozenset()
    fixture.now += 60
    fixture.collect()

    assert fixture.total(RESERVED) == 4


def test_data_that_comes_a_day_late_is_added(fixture: CollectorFixture) -> None:
    fixture.collect()
    for _ in range(30):
        fixture.now += 3600
        fixture.collect()
    late = int(fixture.now) // 60 - LATE_MINUTES
    fixture.cloudwatch.observe(RESERVED.query, late, 5)

    fixture.now += 3600
    fixture.collect()

    assert fixture.total(RESERVED) == 5


def test_closed_hours_are_read_once_an_hour(fixture: CollectorFixture) -> None:
    fixture.collect()
    fixture.now += 7200 - fixture.now % 3600 + 30
    fixture.collect()
    fixture.cloudwatch.requests.clear()

    for _ in range(60):
        fixture.now += 60
        fixture.collect()

    assert len(fixture.cloudwatch.requests) == 61
    assert {len(keys) for keys in fixture.cloudwatch.requests} == {
        len(CATALOG.counters) + len(CATALOG.gauges),
        len(CATALOG.counters),
    }


def test_late_observations_bring_their_buckets(fixture: CollectorFixture) -> None:
    fixture.collect()
    for _ in range(10):
        fixture.now += 3600
        fixture.collect()
    fixture.settle("0.5", 0.4, int(fixture.now) // 60 - 5 * 60)

    fixture.now += 3600
    fixture.collect()

    bucket = next(it for it in SETTLEMENT.buckets if dict(it.labels)["le"] == "0.5")
    assert (fixture.total(SETTLEMENT.count), fixture.total(bucket)) == (1, 1)


def test_what_happened_before_a_counter_was_known_is_not_counted(fixture: CollectorFixture) -> None:
    fixture.cloudwatch.observe(RESERVED.query, MINUTE - 5 * 60, 7)

    for _ in range(4):
        fixture.collect()
        fixture.now += 3600

    assert fixture.total(RESERVED) == 0


def test_after_a_long_pause_the_past_is_read_in_steps(
    fixture: CollectorFixture,
) -> None:
    fixture.collect()
    fixture.cloudwatch.observe(RESERVED.query, MINUTE + 10, 5)
    fixture.now += 3 * REACH * 60

    fixture.collect()

    assert fixture.snapshots.snapshot is not None
    assert fixture.snapshots.snapshot.collected_at == (MINUTE - WINDOW + REACH) * 60
    assert fixture.total(RESERVED) == 5
    for _ in range(4):
        fixture.collect()
    assert fixture.snapshots.snapshot.collected_at == fixture.now


def test_of_two_collectors_one_wins_and_the_other_says_so(fixture: CollectorFixture) -> None:
    fixture.cloudwatch.observe(RESERVED.query, MINUTE, 3)

    def other_collector() -> None:
        fixture.cloudwatch.before_answer = lambda: None
        fixture.collect()

    fixture.cloudwatch.before_answer = other_collector
    fixture.collect()

    assert fixture.total(RESERVED) == 3
    assert fixture.snapshots.snapshot is not None
    assert fixture.snapshots.snapshot.version == 1
    assert fixture.logged().count(LogEvent.COLLECTION_OUTRUN) == 1


@pytest.mark.parametrize("where", ["before_answer", "before_replacing"])
def test_a_collector_that_is_killed_loses_nothing(fixture: CollectorFixture, where: str) -> None:
    fixture.cloudwatch.observe(RESERVED.query, MINUTE, 3)
    fixture.collect()
    fixture.cloudwatch.observe(RESERVED.query, MINUTE, 4)
    owner = fixture.cloudwatch if where == "before_answer" else fixture.snapshots
    setattr(owner, where, _kill)
    with pytest.raises(KeyboardInterrupt):
        fixture.collect()
    setattr(owner, where, lambda: None)

    fixture.now += 2 * WINDOW * 60
    fixture.collect()

    assert fixture.total(RESERVED) == 7


def _kill() -> None:
    raise KeyboardInterrupt


def test_a_histogram_that_closes_with_a_missing_bucket_is_told_of(fixture: CollectorFixture) -> None:
    fixture.collect()
    fixture.cloudwatch.observe(SETTLEMENT.sum.query, MINUTE, 3.0)
    for _ in range(30):
        fixture.now += WINDOW * 60
        fixture.collect()

    assert LogEvent.HISTOGRAM_INCONSISTENT in fixture.logged()


def test_what_was_asked_of_cloudwatch_is_counted(fixture: CollectorFixture) -> None:
    fixture.settle("0.5", 0.4, MINUTE)

    fixture.collect()

    assert fixture.snapshots.snapshot is not None
    assert fixture.snapshots.snapshot.tally.requested == sum(map(len, fixture.cloudwatch.requests))
    assert fixture.snapshots.snapshot.tally.collections == 1

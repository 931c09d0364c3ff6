"""Properties of the ledger: re-reading never doubles, closing changes no total, no counter decreases."""

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.counters import Counter, Gauge, Ledger

MINUTES = st.integers(min_value=0, max_value=30)
SEEN = st.dictionaries(MINUTES, st.integers(min_value=0, max_value=10**12), max_size=12)


@given(first=SEEN, second=SEEN)
def test_the_order_of_readings_does_not_matter(first: dict[int, int], second: dict[int, int]) -> None:
    one = Counter().merged(first, watermark=0).merged(second, watermark=0)
    other = Counter().merged(second, watermark=0).merged(first, watermark=0)

    assert one.total == other.total


@given(seen=SEEN)
def test_reading_the_same_again_changes_nothing(seen: dict[int, int]) -> None:
    once = Counter().merged(seen, watermark=0)

    assert once.merged(seen, watermark=0) == once


@given(before=SEEN, seen=SEEN, watermark=MINUTES)
def test_no_reading_lowers_a_counter(before: dict[int, int], seen: dict[int, int], watermark: int) -> None:
    counter = Counter().merged(before, watermark=0).closed(watermark)

    assert counter.merged(seen, watermark=watermark).total >= counter.total


@given(seen=SEEN, watermark=MINUTES)
def test_closing_changes_no_total(seen: dict[int, int], watermark: int) -> None:
    counter = Counter().merged(seen, watermark=0)

    closed = counter.closed(watermark)

    assert closed.total == counter.total
    assert all(minute >= watermark for minute in closed.open)


@given(seen=SEEN, late=SEEN, watermark=MINUTES)
def test_a_closed_minute_takes_nothing_more(
    seen: dict[int, int], late: dict[int, int], watermark: int
) -> None:
    counter = Counter().merged(seen, watermark=0).closed(watermark)
    past = {minute: value for minute, value in late.items() if minute < watermark}

    assert counter.merged(past, watermark=watermark) == counter


def test_a_gauge_takes_the_newest_minute_and_ignores_older_ones() -> None:
    gauge = Gauge(at=5, value=7)

    assert gauge.merged({4: 9, 6: 2}) == Gauge(6, 2)
    assert gauge.merged({4: 9}) == gauge
    assert gauge.merged({5: 8}) == Gauge(5, 8)
    assert gauge.merged({}) == gauge


def test_a_watermark_never_goes_back() -> None:
    ledger = Ledger(watermark=10)

    assert ledger.closed(9) is ledger
    assert ledger.closed(11).watermark == 11


def test_a_counter_that_was_never_seen_stands_at_zero() -> None:
    assert Ledger(watermark=0).total("orders_total{outcome=reserved}") == 0


def test_gaps_are_the_open_minutes_whose_parts_do_not_add_up() -> None:
    ledger = Ledger(watermark=0).counting(
        {"whole": {1: 3, 2: 4, 3: 5}, "a": {1: 3, 2: 1}, "b": {2: 3, 3: 4, 4: 1}}
    )

    assert ledger.gaps("whole", ["a", "b"]) == {3, 4}


def test_the_minute_of_the_watermark_is_open_and_the_one_before_it_is_not() -> None:
    counter = Counter().merged({9: 1, 10: 5}, watermark=10)

    assert counter.open == {10: 5}

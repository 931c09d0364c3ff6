"""Ranges of days, split into intervals and covered by whole months."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analytics.model.date_ranges import Days, cover, split, start_of

ranges = st.builds(
    lambda start, count: Days(start, start + timedelta(days=count)),
    st.dates(date(2024, 1, 1), date(2026, 12, 31)),
    st.integers(1, 800),
)


@given(ranges)
def test_a_cover_has_every_day_of_the_range_once_and_no_other(days: Days) -> None:
    covered = cover(days)

    counts = Counter(covered_days(covered.months.start, covered.months.end))
    for added in covered.added:
        counts.update(added.each())
    for subtracted in covered.subtracted:
        counts.subtract(subtracted.each())
    assert {day for day, count in counts.items() if count} == set(days.each())
    assert set(counts.values()) <= {0, 1}


def covered_days(start: date, end: date) -> list[date]:
    return Days(start, max(start, end)).each()


@given(ranges.filter(lambda days: days.start.replace(day=1) != days.end.replace(day=1)))
def test_a_cover_reads_half_a_month_of_days_at_most_at_either_end(days: Days) -> None:
    covered = cover(days)

    assert all(it.count <= 15 for it in (*covered.added, *covered.subtracted))
    assert len(covered.added) + len(covered.subtracted) <= 2


@given(ranges, st.sampled_from(["day", "week", "month"]))
def test_a_split_range_has_every_day_in_its_own_interval(days: Days, interval: str) -> None:
    parts = split(days, interval)

    assert [day for part in parts for day in part.each()] == days.each()
    assert all(len({start_of(day, interval) for day in part.each()}) == 1 for part in parts)
    assert len({start_of(part.start, interval) for part in parts}) == len(parts)


@pytest.mark.parametrize(
    ("interval", "start"), [("day", "2026-01-31"), ("week", "2026-01-26"), ("month", "2026-01-01")]
)
def test_a_week_begins_on_monday_and_a_month_on_its_first(interval: str, start: str) -> None:
    assert start_of(date(2026, 1, 31), interval) == date.fromisoformat(start)

"""Times as people type them are understood in one way, or refused."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.common.errors import ToolError
from scripts.common.times import ago, moment, span

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
SPANS = {
    "90s": timedelta(seconds=90),
    "15m": timedelta(minutes=15),
    "2h": timedelta(hours=2),
    "3d": timedelta(days=3),
    "1w": timedelta(weeks=1),
    " 2 h ": timedelta(hours=2),
    "0s": timedelta(),
}


@pytest.mark.parametrize("text", SPANS)
def test_a_span_is_a_number_and_a_unit(text: str) -> None:
    assert span(text) == SPANS[text]


@pytest.mark.parametrize("text", ["", "h", "2", "-2h", "2.5h", "2y", "2hh", "999999999w", "9999999999s"])
def test_what_is_no_span_is_refused_as_wrong_usage(text: str) -> None:
    with pytest.raises(ToolError) as refused:
        span(text)

    assert refused.value.exit_code == 2


MOMENTS = {
    "now": NOW,
    "2h": NOW - timedelta(hours=2),
    "2026-01-31T12:00:00Z": NOW,
    "2026-01-31T13:00:00+01:00": NOW,
    "2026-01-31 12:00:00.000Z": NOW,
}


@pytest.mark.parametrize("text", MOMENTS)
def test_a_moment_is_a_time_with_its_offset_or_a_span_back_from_now(text: str) -> None:
    read = moment(text, NOW)

    assert read == MOMENTS[text]
    assert read.utcoffset() == timedelta()


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-31", "2026-01-31T12:00:00", "12:00Z", "999999d"])
def test_a_time_that_could_be_any_is_refused_as_wrong_usage(text: str) -> None:
    with pytest.raises(ToolError) as refused:
        moment(text, NOW)

    assert refused.value.exit_code == 2


@given(st.text(max_size=20))
def test_whatever_is_typed_is_understood_or_refused(text: str) -> None:
    try:
        assert moment(text, NOW).tzinfo is UTC
    except ToolError as refused:
        assert refused.exit_code == 2  # noqa: PT017 - either outcome is right


AGES = {0: "0s", 59: "59s", 60: "1m", 3_599: "59m", 3_600: "1h", 86_399: "23h", 86_400: "1d", -5: "0s"}


@pytest.mark.parametrize("seconds", AGES)
def test_an_age_is_told_in_its_largest_unit(seconds: int) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == AGES[seconds]

"""Times and durations are parsed in one way, or refused."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.common.errors import ToolError
from scripts.common.times import ago, parse_duration, parse_time

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
DURATIONS = {
    "90s": timedelta(seconds=90),
    "15m": timedelta(minutes=15),
    "2h": timedelta(hours=2),
    "3d": timedelta(days=3),
    "1w": timedelta(weeks=1),
    " 2 h ": timedelta(hours=2),
    "0s": timedelta(),
}


@pytest.mark.parametrize("text", DURATIONS)
def test_a_duration_is_a_number_and_a_unit(text: str) -> None:
    assert parse_duration(text) == DURATIONS[text]


@pytest.mark.parametrize("text", ["", "h", "2", "-2h", "2.5h", "2y", "2hh", "999999999w", "9999999999s"])
def test_an_invalid_duration_is_refused_as_wrong_usage(text: str) -> None:
    with pytest.raises(ToolError) as refused:
        parse_duration(text)

    assert refused.value.exit_code == 2


TIMES = {
    "now": NOW,
    "2h": NOW - timedelta(hours=2),
    "2026-01-31T12:00:00Z": NOW,
    "2026-01-31T13:00:00+01:00": NOW,
    "2026-01-31 12:00:00.000Z": NOW,
}


@pytest.mark.parametrize("text", TIMES)
def test_a_time_has_an_offset_or_is_a_duration_before_now(text: str) -> None:
    parsed = parse_time(text, NOW)

    assert parsed == TIMES[text]
    assert parsed.utcoffset() == timedelta()


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-31", "2026-01-31T12:00:00", "12:00Z", "999999d"])
def test_an_ambiguous_time_is_refused_as_wrong_usage(text: str) -> None:
    with pytest.raises(ToolError) as refused:
        parse_time(text, NOW)

    assert refused.value.exit_code == 2


@given(st.text(max_size=20))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        assert parse_time(text, NOW).tzinfo is UTC
    except ToolError as refused:
        assert refused.exit_code == 2  # noqa: PT017 - either outcome is right


AGES = {0: "0s", 59: "59s", 60: "1m", 3_599: "59m", 3_600: "1h", 86_399: "23h", 86_400: "1d", -5: "0s"}


@pytest.mark.parametrize("seconds", AGES)
def test_an_age_is_formatted_in_its_largest_unit(seconds: int) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == AGES[seconds]

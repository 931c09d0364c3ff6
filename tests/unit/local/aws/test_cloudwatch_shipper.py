from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.local.aws.cloudwatch_shipper import observe, seconds_between_queue_readings
from scripts.local.aws.log_cursors import Cursor, LogCursors, invocations, whole_streams

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef


def event(stream: str, at: int, message: str = "x") -> "FilteredLogEventTypeDef":
    return {"logStreamName": stream, "timestamp": at, "message": message, "ingestionTime": at, "eventId": ""}


def test_the_lines_of_a_stream_are_one_invocation_in_their_order() -> None:
    found = invocations([event("a", 1, "one"), event("b", 1, "other"), event("a", 1, "two")])

    assert [(it.stream, it.lines) for it in found] == [("a", ("one", "two")), ("b", ("other",))]


def test_a_full_page_is_cut_before_its_last_moment_and_read_on_from_there() -> None:
    streams, start = whole_streams([event("a", 1), event("b", 2), event("c", 2)], page=3)

    assert [it["logStreamName"] for it in streams] == ["a"]
    assert start == 2


def test_a_full_page_of_one_moment_does_not_read_for_ever() -> None:
    streams, start = whole_streams([event("a", 1), event("b", 1)], page=2)

    assert len(streams) == 2
    assert start == 2


def test_a_page_that_is_not_full_is_the_last() -> None:
    assert whole_streams([event("a", 1)], page=2) == ([event("a", 1)], None)


def test_the_cursor_remembers_what_an_overlapping_reading_meets_again_and_no_more() -> None:
    cursor = Cursor().advance({"old": 1_000, "late": 98_000, "new": 100_000})

    assert cursor.since_ms == 95_000
    assert set(cursor.seen) == {"late", "new"}


def test_the_cursor_never_goes_back() -> None:
    cursor = Cursor().advance({"a": 100_000})

    assert cursor.advance({}) == cursor
    assert cursor.advance({"b": 96_000}).since_ms == cursor.since_ms


def test_what_was_read_is_remembered_over_a_restart(tmp_path: Path) -> None:
    cursors = LogCursors(cursors={"g": Cursor(since_ms=5, seen={"a": 6})})

    cursors.write(tmp_path / "log-cursors.json")

    assert LogCursors.read(tmp_path / "log-cursors.json") == cursors


def test_a_memory_that_is_missing_or_broken_starts_anew(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"cursors": ', encoding="utf-8")

    assert LogCursors.read(tmp_path / "broken.json") == LogCursors()
    assert LogCursors.read(tmp_path / "missing.json") == LogCursors()


def test_a_malformed_metric_line_is_counted_and_the_others_still_tell() -> None:
    (invocation,) = invocations(
        [event("a", 1, '{"_aws": 1}'), event("a", 1, "REPORT RequestId: 1 Duration: 3 ms")]
    )

    observations, malformed = observe("f", invocation)

    assert malformed == 1
    assert "Invocations" in {it.series.name for it in observations}


@pytest.mark.parametrize(("took", "wait"), [(0.01, 10), (0.25, 10), (1.5, 30), (20, 60)])
def test_queues_that_take_long_to_look_at_are_looked_at_less_often_yet_every_minute(
    took: float, wait: float
) -> None:
    assert seconds_between_queue_readings(took) == wait

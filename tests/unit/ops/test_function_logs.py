import json
from collections import Counter

import pytest

from scripts.ops.function_logs import LogLine, readable, unseen

AT = 1_795_226_708_873  # 2026-11-21 02:05:08.873 UTC


def line(message: str, at: int = AT) -> LogLine:
    return LogLine("order", "stream", at, message)


def test_a_json_line_tells_time_level_function_message_order_and_what_is_special() -> None:
    said = {
        "level": "INFO",
        "message": "order reserved",
        "timestamp": "2026-11-21T02:05:08.873Z",
        "service": "order",
        "function_request_id": "1-2",
        "order_id": "o-1",
        "tenant_id": "default",
        "amount_minor": 100,
    }

    assert readable(line(json.dumps(said))) == (
        "02:05:08.873 INFO    order    order reserved order=o-1 amount_minor=100"
    )


@pytest.mark.parametrize(
    "message",
    ["START RequestId: 1", "END RequestId: 1", "REPORT RequestId: 1", '{"_aws": {}, "orders_total": 1}'],
)
def test_metrics_and_the_platforms_own_lines_say_nothing_to_a_person(message: str) -> None:
    assert readable(line(message)) is None


@pytest.mark.parametrize("message", ["Traceback (most recent call last):", '["a list"]', "{broken"])
def test_any_other_line_is_shown_as_it_is(message: str) -> None:
    shown = readable(line(message))

    assert shown is not None
    assert shown.endswith(message)


def test_a_line_met_again_in_an_overlapping_reading_is_left_out() -> None:
    seen = Counter([line("a"), line("b")])

    assert list(unseen([line("a"), line("b"), line("c")], seen)) == [line("c")]


def test_the_same_words_said_twice_are_two_lines() -> None:
    assert list(unseen([line("a"), line("a")], Counter())) == [line("a"), line("a")]
    assert list(unseen([line("a"), line("a")], Counter([line("a")]))) == [line("a")]

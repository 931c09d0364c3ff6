import json
from collections import Counter

import pytest

from scripts.cli.logs import rendered
from scripts.ops.function_logs import LogLine, format_line, json_line, new_lines

AT = 1_795_226_708_873  # 2026-11-21 02:05:08.873 UTC


def line(message: str, at: int = AT) -> LogLine:
    return LogLine("order", "stream", at, message)


def test_a_json_line_shows_time_level_function_message_order_and_other_fields() -> None:
    fields = {
        "level": "INFO",
        "message": "order reserved",
        "timestamp": "2026-11-21T02:05:08.873Z",
        "service": "order",
        "function_request_id": "1-2",
        "order_id": "o-1",
        "tenant_id": "default",
        "amount_minor": 100,
    }

    assert format_line(line(json.dumps(fields))) == (
        "02:05:08.873 INFO    order    order reserved order=o-1 amount_minor=100"
    )


@pytest.mark.parametrize(
    "message",
    ["START RequestId: 1", "END RequestId: 1", "REPORT RequestId: 1", '{"_aws": {}, "orders_total": 1}'],
)
def test_lines_of_metrics_and_of_the_platform_are_not_shown(message: str) -> None:
    assert format_line(line(message)) is None


@pytest.mark.parametrize("message", ["Traceback (most recent call last):", '["a list"]', "{broken"])
def test_any_other_line_is_shown_as_it_is(message: str) -> None:
    shown = format_line(line(message))

    assert shown is not None
    assert shown.endswith(message)


def test_a_line_of_an_overlapping_read_is_shown_once() -> None:
    seen = Counter([line("a"), line("b")])

    assert list(new_lines([line("a"), line("b"), line("c")], seen)) == [line("c")]


def test_a_line_logged_twice_is_shown_twice() -> None:
    assert list(new_lines([line("a"), line("a")], Counter())) == [line("a"), line("a")]
    assert list(new_lines([line("a"), line("a")], Counter([line("a")]))) == [line("a")]


@pytest.mark.parametrize(
    "message", ["START RequestId: 1", "Traceback (most recent call last):", '["a list"]', "{broken", "a\x1b"]
)
def test_a_line_that_is_no_json_object_is_wrapped_in_one(message: str) -> None:
    assert json.loads(json_line(line(message))) == {
        "timestamp": "2026-11-21T02:05:08.873Z",
        "function": "order",
        "message": message,
    }


def test_a_json_object_is_printed_as_it_was_logged() -> None:
    assert json_line(line('{"a":  1}')) == '{"a":  1}'


def test_every_line_of_json_output_is_json() -> None:
    lines = [line("START RequestId: 1"), line('{"a": 1}'), line("text\nof two lines")]

    assert [type(json.loads(it)) for it in rendered(iter(lines), as_json=True, grep="")] == [dict] * 3

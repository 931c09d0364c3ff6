"""Errors are recognised in the log lines of functions."""

import pytest

from scripts.verify.diagnostics import error_in


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('{"level": "INFO", "message": "order reserved"}', None),
        (
            '{"level": "WARNING", "message": "the batch has to wait", "cause": "X", "why": "y"}',
            "the batch has to wait: X: y",
        ),
        (
            '{"level": "ERROR", "message": "failed", "exception": "Traceback\\n  in f\\nKeyError: 1\\n"}',
            "failed: KeyError: 1",
        ),
        ('{"errorMessage": "No module named x", "requestId": "1"}', "No module named x"),
        ('{"_aws": {}}', None),
        ("REPORT RequestId: 1 Duration: 5 ms", None),
        (
            "2026-01-31T12:00:00Z Task timed out after 30.00 seconds",
            "2026-01-31T12:00:00Z Task timed out after 30.00 seconds",
        ),
        ("[1, 2]", None),
        ("", None),
    ],
)
def test_an_error_is_recognised_by_its_level(line: str, error: str | None) -> None:
    assert error_in(line) == error

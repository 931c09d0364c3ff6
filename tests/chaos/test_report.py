"""A report says the same to people and to programs, and its verdict is that of its findings."""

import io
import json
from collections import Counter

from rich.console import Console

from tests.chaos.report import as_json, show
from tests.chaos.run import Report, Scale
from tests.chaos.verdict import Finding, Wrong


def _report() -> Report:
    return Report(
        Scale.small(orders=10, seed=1),
        outcomes=Counter(CONFIRMED=9),
        faults=Counter({"PutEvents: throttled": 3}),
        fault_seconds=2.0,
        decided_under_faults=8,
    )


def _shown(report: Report) -> str:
    text = io.StringIO()
    show(report, Console(file=text, width=120))
    return text.getvalue()


def test_a_report_without_findings_is_good() -> None:
    report = _report()

    assert report.ok
    assert "Nothing lost, doubled or leaked." in _shown(report)


def test_a_report_with_a_finding_is_not() -> None:
    report = _report()
    report.findings = [Finding(Wrong.LOST, "order-1", "was placed, and is not there")]

    assert not report.ok
    assert "LOST order-1: was placed, and is not there" in _shown(report)


def test_a_run_that_did_not_come_to_rest_is_not_good() -> None:
    report = _report()
    report.unfinished = "messages are still under way"

    assert not report.ok
    assert "messages are still under way" in _shown(report)


def test_a_program_reads_the_same() -> None:
    report = _report()
    report.findings = [Finding(Wrong.LEAKED, "apple", "1 still reserved")]

    read = json.loads(json.dumps(as_json(report)))

    assert read["ok"] is False
    assert read["verdict"] == {"lost": 0, "doubled": 0, "leaked": 1, "other": 0}
    assert read["findings"] == [{"wrong": "leaked", "about": "apple", "description": "1 still reserved"}]
    assert read["outcomes"] == {"CONFIRMED": 9}
    assert read["faults"] == {"PutEvents: throttled": 3}
    assert read["orders_per_second"] == 4.0

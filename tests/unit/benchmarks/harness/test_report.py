"""A report states findings, method and results of targets; its summary holds the figures to keep."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.catalog import CATALOG
from benchmarks.harness.report import Chart, Circumstances, Machine, Report, Table, index, page, raw, summary
from benchmarks.harness.report_store import read_summaries, summary_text, write
from benchmarks.harness.statistics import Scale, Spread
from benchmarks.harness.targets import TARGETS, TargetResult
from scripts.common.project_files import CHECKOUT

MACHINE = Machine(2, "a processor", "Linux x86_64", "3.13.1", "1.5.33", "0.5 at the start, 1.5 at the end")
FULL = Circumstances(Scale.FULL, 12.3, "2026-01-31 12:00 UTC", MACHINE)
REPORT = Report(
    name="group-commit",
    title="Group commit",
    question="Is it worth it?",
    method=("In turns.",),
    findings=("It is 6.1 times as fast.",),
    tables=(Table("Orders", ("batch", "orders/s"), [("1", "a|b")], note="A note."),),
    charts=(Chart("Orders", ("1", "100"), {"ours": [1.0, None]}), Chart("More", ("1",), {"ours": [2.0]})),
    targets=(TargetResult("group-commit", Spread(6.1, 5.9, 6.4, 5), usual="1 ×"),),
    series={"hot: orders/s": [1.0, 2.0], "hot: calls": [4, 4]},
    attachments={"profile-group-commit.txt": "hot\n"},
)
PURPOSES = {"group-commit": "Is it worth it?", "metrics": "What does it cost?"}


def with_result(low: float, high: float) -> Report:
    return replace(REPORT, targets=(TargetResult("group-commit", Spread(4.9, low, high, 5)),))


def test_a_page_names_its_command_and_its_machine() -> None:
    written = page(REPORT, FULL)

    assert "make bench NAME=group-commit\n" in written
    assert "2 cores (a processor), Linux x86_64, Python 3.13.1, MiniStack 1.5.33" in written
    assert "load average 0.5 at the start, 1.5 at the end" in written


def test_the_page_of_a_quick_run_warns_of_its_figures() -> None:
    written = page(REPORT, replace(FULL, scale=Scale.QUICK))

    assert "do not quote these figures" in written
    assert "QUICK=1" in written


def test_a_page_states_the_result_of_each_target() -> None:
    assert "| ≥ 5 × | 6.1 (5.9 to 6.4) × |  | 1 × | met |" in page(REPORT, FULL)
    assert "| ≥ 5 × | 4.9 (4.5 to 4.99) × |  |  | **missed** |" in page(with_result(4.5, 4.99), FULL)
    assert "| ≥ 5 × | 4.9 (4.5 to 5.5) × |  |  | **inconclusive** |" in page(with_result(4.5, 5.5), FULL)


def test_a_bar_in_a_cell_does_not_break_its_table() -> None:
    assert "| 1 | a\\|b |" in page(REPORT, FULL)


def test_the_index_shows_every_target_measured_or_not() -> None:
    written = index({"group-commit": summary(REPORT, FULL)}, PURPOSES)

    assert all(target.what in written for target in TARGETS.values())
    assert "[6.1 (5.9 to 6.4) ×](group-commit.md)" in written
    assert "not measured yet" in written


def test_the_index_shows_every_benchmark_run_or_not() -> None:
    written = index({"group-commit": summary(REPORT, FULL)}, PURPOSES)

    assert "| [group-commit](group-commit.md) | Is it worth it? | 2026-01-31 |" in written
    assert "| metrics | What does it cost? | not run yet |" in written


def test_raw_results_hold_every_figure() -> None:
    content = json.loads(json.dumps(raw(REPORT, FULL)))

    assert content["series"] == {"hot: orders/s": [1.0, 2.0], "hot: calls": [4, 4]}
    assert content["machine"]["cores"] == 2


def test_a_summary_holds_medians_by_scenario_and_the_spread_of_what_varies() -> None:
    content = json.loads(summary_text(summary(REPORT, FULL)))

    assert content["medians"] == {"hot": {"orders/s": 1.5, "calls": 4.0}}
    assert content["spreadColumns"] == ["min", "q1", "q3", "max", "samples"]
    assert content["spreads"] == {"hot": {"orders/s": [1.0, 1.25, 1.75, 2.0, 2]}}
    assert content["when"] == FULL.when
    assert content["machine"]["cores"] == 2


def test_the_committed_index_is_made_of_the_committed_summaries() -> None:
    pages = CHECKOUT / "docs" / "benchmarks"
    purposes = {name: benchmark.purpose for name, benchmark in CATALOG.items()}

    assert (pages / "README.md").read_text() == index(read_summaries(pages / "summaries"), purposes)


def test_reports_are_written_side_by_side_and_listed_in_the_index(tmp_path: Path) -> None:
    results = tmp_path / "results"
    write(tmp_path, results, REPORT, FULL, PURPOSES)
    other = replace(REPORT, name="metrics", targets=(), charts=(), attachments={})
    write(tmp_path, results, other, FULL, PURPOSES)

    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")} == {
        "summaries/group-commit.json",
        "summaries/metrics.json",
        "README.md",
        "group-commit.md",
        "group-commit.svg",
        "group-commit-2.svg",
        "metrics.md",
        "results/group-commit.json",
        "results/metrics.json",
        "results/profile-group-commit.txt",
    }
    assert "](group-commit.md)" in (tmp_path / "README.md").read_text()
    assert "](metrics.md)" in (tmp_path / "README.md").read_text()


def test_a_page_links_only_to_files_written_beside_it(tmp_path: Path) -> None:
    written = write(tmp_path, tmp_path / "results", REPORT, FULL, PURPOSES).read_text()

    targets = [part.partition(")")[0] for part in written.split("](")[1:]]
    assert targets
    assert all((tmp_path / target).exists() for target in targets)


def test_a_chart_stands_alone_and_is_the_same_each_time(tmp_path: Path) -> None:
    write(tmp_path, tmp_path / "results", REPORT, FULL, PURPOSES)
    first = (tmp_path / "group-commit.svg").read_bytes()
    write(tmp_path, tmp_path / "results", REPORT, FULL, PURPOSES)

    assert (tmp_path / "group-commit.svg").read_bytes() == first
    assert not [it for it in ET.fromstring(first).iter() if it.tag.endswith("script")]  # noqa: S314 - our own

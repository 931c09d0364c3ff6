"""A report says what was found, how, and whether what was promised was reached."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.harness.report import Chart, Circumstances, Machine, Report, Table, index, page, record
from benchmarks.harness.report_store import keep
from benchmarks.harness.statistics import Scale, Spread
from benchmarks.harness.targets import TARGETS, Reached

MACHINE = Machine(2, "a processor", "Linux x86_64", "3.13.1", "1.5.33", "0.5 at the start, 1.5 at the end")
FULL = Circumstances(Scale.FULL, 12.3, "2026-01-31 12:00 UTC", MACHINE)
REPORT = Report(
    name="group-commit",
    title="Group commit",
    asked="Is it worth it?",
    measured=("In turns.",),
    findings=("It is 6.1 times as fast.",),
    tables=(Table("Orders", ("batch", "orders/s"), [("1", "a|b")], note="A note."),),
    charts=(Chart("Orders", ("1", "100"), {"ours": [1.0, None]}), Chart("More", ("1",), {"ours": [2.0]})),
    reached=(Reached("group-commit", Spread(6.1, 5.9, 6.4, 5), usual="1 ×"),),
    series={"ours": [1.0, 2.0]},
    attachments={"profile-group-commit.txt": "hot\n"},
)
PURPOSES = {"group-commit": "Is it worth it?", "metrics": "What does it cost?"}


def missed(report: Report) -> Report:
    return replace(report, reached=(Reached("group-commit", Spread(4.9, 4.5, 5.5, 5)),))


def test_a_page_says_how_to_measure_it_again_and_on_what_it_was_measured() -> None:
    written = page(REPORT, FULL)

    assert "make bench NAME=group-commit\n" in written
    assert "2 cores (a processor), Linux x86_64, Python 3.13.1, MiniStack 1.5.33" in written
    assert "load average 0.5 at the start, 1.5 at the end" in written


def test_a_quick_look_says_that_it_is_one() -> None:
    written = page(REPORT, replace(FULL, scale=Scale.QUICK))

    assert "not figures to quote" in written
    assert "QUICK=1" in written


def test_a_page_holds_what_was_reached_against_what_was_wanted() -> None:
    assert "| ≥ 5 × | 6.1 (5.9 to 6.4) × |  | 1 × | reached |" in page(REPORT, FULL)
    assert "| ≥ 5 × | 4.9 (4.5 to 5.5) × |  |  | **missed** |" in page(missed(REPORT), FULL)


def test_a_bar_in_a_cell_does_not_break_its_table() -> None:
    assert "| 1 | a\\|b |" in page(REPORT, FULL)


def test_the_index_shows_every_target_measured_or_not() -> None:
    written = index({"group-commit": record(REPORT, FULL)}, PURPOSES)

    assert all(target.what in written for target in TARGETS.values())
    assert "[6.1 (5.9 to 6.4) ×](group-commit.md)" in written
    assert "not measured yet" in written


def test_the_index_shows_every_benchmark_run_or_not() -> None:
    written = index({"group-commit": record(REPORT, FULL)}, PURPOSES)

    assert "| [group-commit](group-commit.md) | Is it worth it? | 2026-01-31 |" in written
    assert "| metrics | What does it cost? | not run yet |" in written


def test_a_record_keeps_every_single_number() -> None:
    kept = json.loads(json.dumps(record(REPORT, FULL)))

    assert kept["series"] == {"ours": [1.0, 2.0]}
    assert kept["machine"]["cores"] == 2


def test_reports_stand_side_by_side_and_the_index_knows_both(tmp_path: Path) -> None:
    keep(tmp_path, REPORT, FULL, PURPOSES)
    keep(tmp_path, replace(REPORT, name="metrics", reached=(), charts=(), attachments={}), FULL, PURPOSES)

    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")} == {
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


def test_a_page_links_only_to_what_is_kept_beside_it(tmp_path: Path) -> None:
    written = keep(tmp_path, REPORT, FULL, PURPOSES).read_text()

    targets = [part.partition(")")[0] for part in written.split("](")[1:]]
    assert targets
    assert all((tmp_path / target).exists() for target in targets)


def test_a_chart_stands_alone_and_is_the_same_each_time(tmp_path: Path) -> None:
    keep(tmp_path, REPORT, FULL, PURPOSES)
    first = (tmp_path / "group-commit.svg").read_bytes()
    keep(tmp_path, REPORT, FULL, PURPOSES)

    assert (tmp_path / "group-commit.svg").read_bytes() == first
    assert not [it for it in ET.fromstring(first).iter() if it.tag.endswith("script")]  # noqa: S314 - our own

"""The report on cold starts follows from the figures."""

from benchmarks.cases import cold_start_report
from benchmarks.cases.cold_start_report import Start
from benchmarks.fixtures.package_variants import (
    ALL_DATA,
    BOTO3,
    BOTO3_TRIMMED,
    GZIPPED,
    NO_BYTECODE,
    NO_SOURCES,
    PACKAGE,
    SOURCES,
    TRACED,
)


def starts(milliseconds: float) -> list[Start]:
    stage = milliseconds / 1_000
    return [Start((2 * stage, stage, stage), (stage, stage, stage), 50.0)] * 2


def test_every_stage_is_kept_by_wall_clock_and_by_processor_time() -> None:
    report = cold_start_report.report(
        {PACKAGE: starts(120), BOTO3: starts(100), BOTO3_TRIMMED: starts(80), SOURCES: starts(300)},
        {it: starts(120) for it in (PACKAGE, NO_BYTECODE, ALL_DATA, NO_SOURCES, GZIPPED, TRACED)},
        {"order": starts(100), "session": starts(110)},
        {"session": starts(130), "commands": starts(120)},
        "",
    )

    assert [round(it.measured.median, 6) for it in report.targets] == [20]
    assert report.series[f"{PACKAGE}: import, wall clock, s"] == [0.24, 0.24]
    assert report.series[f"{PACKAGE}: clients, CPU, s"] == [0.12, 0.12]
    assert report.series["commands, first request: answer, CPU, s"] == [0.12, 0.12]
    assert report.findings[-1].startswith("Of the API's functions session takes longest")
    assert report.series["session alone: import, CPU, s"] == [0.11, 0.11]

"""What a benchmark found, and how that is written down. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.harness.statistics import Scale, Series, Spread
from benchmarks.harness.targets import TARGETS, Reached, Target, with_unit


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    x_labels: Sequence[str]
    lines: Mapping[str, Sequence[float | None]]
    """One value for each label, of each line."""
    x_title: str = ""
    y_title: str = ""
    logarithmic: bool = False
    bars: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    cores: int
    processor: str
    system: str
    python: str
    emulator: str
    load: str
    """The load average when it began and when it ended: what else ran."""


@dataclass(frozen=True, slots=True)
class Report:
    name: str
    title: str
    asked: str
    """The question, in a sentence or two."""
    measured: Sequence[str]
    """How, so that a reader may doubt it: what alternates with what, how often, what is left out."""
    findings: Sequence[str]
    """Sentences made of the figures."""
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    reached: Sequence[Reached] = ()
    series: Mapping[str, Series] = field(default_factory=dict)
    """Everything that was measured, for whoever wants to do sums of their own."""
    attachments: Mapping[str, str] = field(default_factory=dict)
    """Further files beside the results, by name: profiles, mostly."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Under which a report came about."""

    scale: Scale
    seconds: float
    when: str
    machine: Machine

    def command(self, name: str) -> str:
        return f"make bench NAME={name}" + (" QUICK=1" if self.scale is Scale.QUICK else "")


_PREFACE = (
    "Written by `make bench`; nothing here is typed by hand. Every comparison is a ratio of two things "
    "measured in turns in one run, as median (lowest to highest). `make bench NAME=...` measures one again, "
    "`make bench QUICK=1` only looks whether all of them still run."
)


def chart_file(report: Report, index: int) -> str:
    return f"{report.name}.svg" if index == 0 else f"{report.name}-{index + 1}.svg"


def page(report: Report, how: Circumstances) -> str:
    """Write a report as Markdown."""
    parts = [f"# {report.title}", report.asked, f"```sh\n{how.command(report.name)}\n```"]
    if how.scale is Scale.QUICK:
        parts.append("A quick look, with few and short repetitions: not figures to quote.")
    parts.append("## Found\n\n" + _bullets(report.findings))
    if report.reached:
        parts.append(
            _grid(("what", "target", "ours", "floor", "usual way", ""), map(_verdict, report.reached))
        )
    parts += [f"![{chart.title}]({chart_file(report, index)})" for index, chart in enumerate(report.charts)]
    parts += [_section(table) for table in report.tables]
    parts.append("## Measured\n\n" + _bullets([*report.measured, *_circumstances(how)]))
    kept = [f"[results/{report.name}.json](results/{report.name}.json)"]
    kept += [f"[results/{name}](results/{name})" for name in report.attachments]
    parts.append("Every number: " + ", ".join(kept) + ".")
    return "\n\n".join(parts) + "\n"


def record(report: Report, how: Circumstances) -> dict[str, Any]:
    """Write a report for programs."""
    return {
        "name": report.name,
        "title": report.title,
        "command": how.command(report.name),
        "scale": how.scale.value,
        "when": how.when,
        "seconds": round(how.seconds, 1),
        "machine": asdict(how.machine),
        "findings": list(report.findings),
        "reached": [asdict(it) for it in report.reached],
        "series": {name: [round(value, 9) for value in series] for name, series in report.series.items()},
        "tables": [
            {"title": table.title, "columns": list(table.columns), "rows": [list(row) for row in table.rows]}
            for table in report.tables
        ],
    }


def index(records: Mapping[str, Mapping[str, Any]], purposes: Mapping[str, str]) -> str:
    """Write the page over all reports: what was promised, what was reached, and where that is shown."""
    reached = {it["target"]: it for kept in records.values() for it in kept["reached"]}
    rows = [_promise(target, reached.get(target.name), records) for target in TARGETS.values()]
    reports = [
        (
            f"[{name}]({name}.md)" if name in records else name,
            purpose,
            records[name]["when"][:10] if name in records else "not run yet",
        )
        for name, purpose in purposes.items()
    ]
    return (
        "\n\n".join(
            [
                "# Benchmarks",
                _PREFACE,
                "## What was to be reached",
                _grid(("what", "target", "ours", "floor", "usual way", ""), rows),
                "## Reports",
                _grid(("report", "asks", "measured"), reports),
                "What else a report keeps, every single number included, is in [results](results).",
            ]
        )
        + "\n"
    )


def _promise(target: Target, kept: Mapping[str, Any] | None, records: Mapping[str, Any]) -> Sequence[str]:
    if kept is None:
        return (target.what, target.told(), "not measured yet", "", "", "")
    ours = _spread(kept["ours"], target)
    linked = f"[{ours}]({target.benchmark}.md)" if target.benchmark in records else ours
    met = _met(target, kept["ours"]["median"])
    return (target.what, target.told(), linked, kept["floor"], kept["usual"], met)


def _verdict(reached: Reached) -> Sequence[str]:
    target = TARGETS[reached.target]
    ours = with_unit(reached.ours.told(), target.unit)
    met = _met(target, reached.ours.median)
    return (target.what, target.told(), ours, reached.floor, reached.usual, met)


def _spread(kept: Mapping[str, Any], target: Target) -> str:
    return with_unit(Spread(**kept).told(), target.unit)


def _met(target: Target, value: float) -> str:
    return "reached" if target.met(value) else "**missed**"


def _section(table: Table) -> str:
    parts = [f"## {table.title}", _grid(table.columns, table.rows)]
    return "\n\n".join([*parts, table.note] if table.note else parts)


def _circumstances(how: Circumstances) -> list[str]:
    machine = how.machine
    what = f"{machine.cores} cores ({machine.processor}), {machine.system}"
    with_what = f"Python {machine.python}, MiniStack {machine.emulator}"
    return [
        f"{what}, {with_what}; load average {machine.load}.",
        f"{how.when}, took {how.seconds:.0f} s.",
    ]


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"* {line}" for line in lines)


def _grid(columns: Sequence[str], rows: Any) -> str:  # noqa: ANN401 - any rows of texts
    drawn = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in drawn)

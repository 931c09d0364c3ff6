"""Renders what a benchmark found: page, summary and raw data, and the index over all summaries. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from benchmarks.harness.statistics import Scale, Series, Spread, quartiles
from benchmarks.harness.targets import TARGETS, Target, TargetResult, Verdict, with_unit


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
    """The load average at the start and at the end: what else ran."""


@dataclass(frozen=True, slots=True)
class Report:
    name: str
    title: str
    question: str
    method: Sequence[str]
    """How it was measured: what alternates with what, how often, what is left out."""
    findings: Sequence[str]
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    targets: Sequence[TargetResult] = ()
    series: Mapping[str, Series] = field(default_factory=dict)
    """Every figure that was measured, by `scenario: figure`."""
    attachments: Mapping[str, str] = field(default_factory=dict)
    """Further raw files by name, such as profiles."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When, how long and on what a benchmark ran."""

    scale: Scale
    seconds: float
    when: str
    machine: Machine

    def command(self, name: str) -> str:
        return f"make bench NAME={name}" + (" QUICK=1" if self.scale is Scale.QUICK else "")


_PREFACE = (
    "`make bench` writes these pages; do not edit them. Every comparison is a ratio of two variants measured "
    "in turns in one run. Tables show the median (lowest to highest). Targets show the median, or the "
    "quantile that the target names, with its 95 % confidence interval; when there are too few measurements "
    "for one, with the whole range. A target is *met* when the whole interval is within it, *missed* when "
    "none of it is, and *inconclusive* otherwise. `make bench NAME=...` repeats one benchmark; "
    "`make bench QUICK=1` only checks that all of them run."
)
_FILES = (
    "Medians and spreads of each report are in [summaries](summaries). A run writes its raw series and "
    "profiles to `benchmarks/results/`, which is not committed. [Beside other systems](peers.md) "
    "holds what was measured once against others."
)
_TARGET_COLUMNS = ("what", "target", "measured", "lower bound", "usual approach", "result")


def chart_file(report: Report, index: int) -> str:
    return f"{report.name}.svg" if index == 0 else f"{report.name}-{index + 1}.svg"


def page(report: Report, circumstances: Circumstances) -> str:
    """Render a report as Markdown."""
    parts = [f"# {report.title}", report.question, f"```sh\n{circumstances.command(report.name)}\n```"]
    if circumstances.scale is Scale.QUICK:
        parts.append("A quick run with few and short repetitions: do not quote these figures.")
    parts.append("## Findings\n\n" + _bullets(report.findings))
    if report.targets:
        parts.append(_grid(_TARGET_COLUMNS, map(_target_row, report.targets)))
    parts += [f"![{chart.title}]({chart_file(report, index)})" for index, chart in enumerate(report.charts)]
    parts += [_section(table) for table in report.tables]
    parts.append("## Method\n\n" + _bullets([*report.method, *_machine_lines(circumstances)]))
    parts.append(f"Summary of the figures: [summaries/{report.name}.json](summaries/{report.name}.json).")
    return "\n\n".join(parts) + "\n"


def raw(report: Report, circumstances: Circumstances) -> dict[str, Any]:
    """Return everything that was measured."""
    return {
        **_header(report, circumstances),
        "findings": list(report.findings),
        "series": {name: [round(value, 9) for value in series] for name, series in report.series.items()},
        "tables": [asdict(table) for table in report.tables],
    }


def summary(report: Report, circumstances: Circumstances) -> dict[str, Any]:
    """Return the medians of all figures by scenario, and how far those spread that vary."""
    medians: dict[str, dict[str, float]] = {}
    spreads: dict[str, dict[str, list[float]]] = {}
    for name, series in report.series.items():
        scenario, _, figure = name.rpartition(": ")
        medians.setdefault(scenario, {})[figure] = round(float(median(series)), 9)
        if min(series) != max(series):
            ends = (min(series), *quartiles(series), max(series))
            spreads.setdefault(scenario, {})[figure] = [*(float(f"{it:.6g}") for it in ends), len(series)]
    return {
        **_header(report, circumstances),
        "medians": medians,
        "spreadColumns": ["min", "q1", "q3", "max", "samples"],
        "spreads": spreads,
    }


def _header(report: Report, circumstances: Circumstances) -> dict[str, Any]:
    return {
        "name": report.name,
        "title": report.title,
        "command": circumstances.command(report.name),
        "scale": circumstances.scale.value,
        "when": circumstances.when,
        "seconds": round(circumstances.seconds, 1),
        "machine": asdict(circumstances.machine),
        "targets": [{**asdict(it), "verdict": it.verdict.value} for it in report.targets],
    }


def index(summaries: Mapping[str, Mapping[str, Any]], purposes: Mapping[str, str]) -> str:
    """Render the page over all summaries: the targets, their results, and the pages that show them."""
    results = {
        it["target"]: TargetResult(it["target"], Spread(**it["measured"]), it["lower_bound"], it["usual"])
        for one in summaries.values()
        for it in one["targets"]
    }
    rows = [_index_row(target, results.get(target.name)) for target in TARGETS.values()]
    reports = [
        (
            f"[{name}]({name}.md)" if name in summaries else name,
            purpose,
            summaries[name]["when"][:10] if name in summaries else "not run yet",
        )
        for name, purpose in purposes.items()
    ]
    parts = [
        "# Benchmarks",
        _PREFACE,
        "## Targets",
        _grid(_TARGET_COLUMNS, rows),
        "## Reports",
        _grid(("report", "question", "measured on"), reports),
        _FILES,
    ]
    return "\n\n".join(parts) + "\n"


def _index_row(target: Target, result: TargetResult | None) -> Sequence[str]:
    if result is None:
        return (target.what, target.text(), "not measured yet", "", "", "")
    what, limit, measured, *others = _target_row(result)
    return (what, limit, f"[{measured}]({target.benchmark}.md)", *others)


def _target_row(result: TargetResult) -> Sequence[str]:
    target = TARGETS[result.target]
    measured = with_unit(result.measured.text(), target.unit)
    verdict = result.verdict.value if result.verdict is Verdict.MET else f"**{result.verdict.value}**"
    return (target.what, target.text(), measured, result.lower_bound, result.usual, verdict)


def _section(table: Table) -> str:
    parts = [f"## {table.title}", _grid(table.columns, table.rows)]
    return "\n\n".join([*parts, table.note] if table.note else parts)


def _machine_lines(circumstances: Circumstances) -> list[str]:
    machine = circumstances.machine
    hardware = f"{machine.cores} cores ({machine.processor}), {machine.system}"
    software = f"Python {machine.python}, MiniStack {machine.emulator}"
    return [
        f"{hardware}, {software}; load average {machine.load}.",
        f"{circumstances.when}, took {circumstances.seconds:.0f} s.",
    ]


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"* {line}" for line in lines)


def _grid(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)

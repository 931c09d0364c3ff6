"""Writes reports: page, charts and summary of each, the index over all, and raw results in a folder apart."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.harness.charts import draw
from benchmarks.harness.report import Circumstances, Report, chart_file, index, page, raw, summary


def write(
    pages: Path, results: Path, report: Report, circumstances: Circumstances, purposes: Mapping[str, str]
) -> Path:
    """Replace a report and rewrite the index; return the report's page."""
    summaries = pages / "summaries"
    for folder in (summaries, results):
        folder.mkdir(parents=True, exist_ok=True)
    for number, chart in enumerate(report.charts):
        (pages / chart_file(report, number)).write_bytes(draw(chart))
    for name, text in {
        **report.attachments,
        f"{report.name}.json": json.dumps(raw(report, circumstances), ensure_ascii=False) + "\n",
    }.items():
        (results / name).write_text(text, encoding="utf-8")
    (summaries / f"{report.name}.json").write_text(
        summary_text(summary(report, circumstances)), encoding="utf-8"
    )
    written = pages / f"{report.name}.md"
    written.write_text(page(report, circumstances), encoding="utf-8")
    (pages / "README.md").write_text(index(read_summaries(summaries), purposes), encoding="utf-8")
    return written


def read_summaries(folder: Path) -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def summary_text(content: Mapping[str, Any]) -> str:
    """Write JSON with one line per scenario, so that a summary is small and its diff is readable."""
    fields = []
    for key, value in content.items():
        if key in {"medians", "spreads"}:
            lines = ",\n".join(f"  {_compact(name)}: {_compact(figures)}" for name, figures in value.items())
            fields.append(f" {_compact(key)}: {{\n{lines}\n }}")
        else:
            fields.append(f" {_compact(key)}: {_compact(value)}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

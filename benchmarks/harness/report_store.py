"""Where reports are kept: a page, its charts and its numbers each, and an index over all of them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.harness.charts import draw
from benchmarks.harness.report import Circumstances, Report, chart_file, index, page, record


def keep(folder: Path, report: Report, how: Circumstances, purposes: Mapping[str, str]) -> Path:
    """Write a report over an older one of the same name, and the index anew; return its page."""
    results = folder / "results"
    results.mkdir(parents=True, exist_ok=True)
    for number, chart in enumerate(report.charts):
        (folder / chart_file(report, number)).write_bytes(draw(chart))
    for name, text in report.attachments.items():
        (results / name).write_text(text, encoding="utf-8")
    kept = json.dumps(record(report, how), indent=1, ensure_ascii=False) + "\n"
    (results / f"{report.name}.json").write_text(kept, encoding="utf-8")
    written = folder / f"{report.name}.md"
    written.write_text(page(report, how), encoding="utf-8")
    (folder / "README.md").write_text(index(_records(results), purposes), encoding="utf-8")
    return written


def _records(results: Path) -> dict[str, Any]:
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))]
    return {it["name"]: it for it in kept}

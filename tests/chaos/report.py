"""What a run has to say, for people and for programs."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from tests.chaos.run import Report
from tests.chaos.verdict import Wrong

_FINDINGS_SHOWN = 40


def show(report: Report, console: Console) -> None:
    scale = report.scale
    console.print(
        _table(
            "run",
            {
                "orders": scale.orders,
                "seed": scale.seed,
                "messages sent, with duplicates and malformed ones": report.messages,
                "malformed": report.poison,
                "load sent, orders/s": round(scale.orders / max(report.sending_seconds, 0.001), 1),
                "decided during the storm, orders/s": round(report.orders_per_second, 1),
                "storm, s": round(report.fault_seconds, 1),
                "whole run, s": round(report.seconds, 1),
                "requests through the fault proxy": report.requests,
                "faults injected": report.faults.total(),
                "workers killed": report.killed,
                "messages redriven": report.redriven,
                "events seen by the witness": report.events,
                "late charges refunded": report.late_charges,
                "payable, but not paid before the hold was over": report.expired_payable,
            },
        ),
        _table("faults injected", report.faults),
        _table("spells", report.spells),
        _table("orders ended", report.outcomes),
        _table("verdict", {wrong.value: report.found(wrong) for wrong in Wrong}),
    )
    for finding in report.findings[:_FINDINGS_SHOWN]:
        console.print(f"{finding.wrong.upper()} {finding.about}: {finding.description}")
    if len(report.findings) > _FINDINGS_SHOWN:
        console.print(f"... and {len(report.findings) - _FINDINGS_SHOWN} more")
    if report.unfinished:
        console.print(f"NOT FINISHED: {report.unfinished}")
    console.print("Nothing lost, doubled or leaked." if report.ok else "NOT AS IT SHOULD BE.")


def as_json(report: Report) -> dict[str, Any]:
    # Field by field, and not asdict: that makes nonsense of counters.
    return {
        **{field.name: getattr(report, field.name) for field in fields(report)},
        "scale": asdict(report.scale),
        "findings": [asdict(finding) for finding in report.findings],
        "ok": report.ok,
        "orders_per_second": round(report.orders_per_second, 1),
        "verdict": {wrong.value: report.found(wrong) for wrong in Wrong},
    }


def _table(title: str, rows: Mapping[str, object]) -> Table:
    table = Table(title, "", box=box.SIMPLE_HEAD, pad_edge=False)
    table.columns[1].justify = "right"
    for name, value in sorted(rows.items()) if title != "run" else rows.items():
        table.add_row(name, str(value))
    return table

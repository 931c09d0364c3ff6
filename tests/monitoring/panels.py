"""A dashboard's PromQL expressions, with or without values for its variables."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Document = Mapping[str, Any]
FOLDER = Path(__file__).parents[2] / "monitoring" / "grafana"


@dataclass(frozen=True, slots=True)
class Expression:
    panel: str
    expr: str


def committed() -> dict[str, Document]:
    """Read the repository's dashboards, by file name."""
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def panels(dashboard: Document) -> Iterator[Document]:
    """List all panels but rows, including those inside collapsed rows."""
    for panel in dashboard.get("panels", ()):
        if panel["type"] == "row":
            yield from panels(panel)
        else:
            yield panel


def expressions(dashboard: Document) -> list[Expression]:
    return [
        Expression(panel.get("title", ""), target.get("expr", ""))
        for panel in panels(dashboard)
        for target in panel.get("targets", ())
    ]


def substituted(  # noqa: PLR0913 - a parameter for each variable
    expr: str,
    *,
    environment: str = "local",
    job: str = ".+",
    function: str = ".+",
    queue: str = ".+",
    rate_interval: str = "4m",
    range_seconds: int = 3600,
    interval: str = "1m",
) -> str:
    """Interpolate the variables as Grafana does before it queries."""
    values = {
        "environment": environment,
        "job": job,
        "function": function,
        "queue": queue,
        "__rate_interval": rate_interval,
        "__range": f"{range_seconds}s",
        "__range_s": str(range_seconds),
        "__interval": interval,
    }
    return re.sub(r"\$(\w+)|\$\{(\w+)\}", lambda found: values[found[1] or found[2]], expr)

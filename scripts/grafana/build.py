"""Builds the dashboards and writes them as JSON files, deterministically."""

import json
from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana.dashboards import (
    cost,
    functions,
    inventory,
    order_processing,
    overview,
    payment_processing,
    queues,
)

_BUILDERS = (overview, order_processing, payment_processing, inventory, queues, functions, cost)


def dashboards() -> Mapping[str, Dashboard]:
    """Build every dashboard, by file name."""
    return {f"{board.uid}.json": board for board in (module.build() for module in _BUILDERS)}


def render(dashboard: Dashboard) -> str:
    return json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_all(folder: Path) -> list[Path]:
    """Bring a folder up to date and return the changed files; outdated dashboards are deleted."""
    folder.mkdir(parents=True, exist_ok=True)
    rendered = {folder / name: render(dashboard) for name, dashboard in dashboards().items()}
    changed = [
        path
        for path, text in rendered.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in changed:
        path.write_text(rendered[path], encoding="utf-8")
    obsolete = sorted(set(folder.glob("pulsequeue-*.json")) - rendered.keys())
    for path in obsolete:
        path.unlink()
    return [*changed, *obsolete]

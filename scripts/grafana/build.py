"""The dashboards as files: the same bytes from the same sources."""

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
    """Build every dashboard, by the name of its file."""
    return {f"{made.uid}.json": made for made in (module.build() for module in _BUILDERS)}


def render(dashboard: Dashboard) -> str:
    return json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_all(folder: Path) -> list[Path]:
    """Bring a folder up to date, and return what changed there; a dashboard that is no more goes."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {folder / name: render(dashboard) for name, dashboard in dashboards().items()}
    changed = [
        path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in changed:
        path.write_text(wanted[path], encoding="utf-8")
    gone = sorted(set(folder.glob("pulsequeue-*.json")) - wanted.keys())
    for path in gone:
        path.unlink()
    return [*changed, *gone]

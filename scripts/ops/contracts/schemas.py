"""The published contract: one JSON Schema per event, generated from the models and the same on every run."""

import json
from pathlib import Path
from typing import Any

from scripts.common.errors import ToolError
from services.shared.events import CATALOGUE, IMPORTED

Schema = dict[str, Any]

_FILLED_BY_THE_CONSUMER = frozenset({"eventId", "correlationId", "occurredAt"})


def schemas() -> dict[str, Schema]:
    """Describe each event as it may stand in the `detail` of a bus entry.

    A publisher need not send what the consumer takes from the envelope, or from the order id, when it is
    missing; the models require those fields only because they are filled before the models see them.
    """
    contract: dict[str, Schema] = {}
    for model in (*CATALOGUE, *IMPORTED):
        generated = model.model_json_schema(by_alias=True, mode="validation")
        required = [name for name in generated.get("required", ()) if name not in _FILLED_BY_THE_CONSUMER]
        name = model.detail_type()
        contract[name] = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:pulsequeue:event:{name}",
            **_without_titles(generated),
            "title": name,
            "required": required,
        }
    return contract


def render(schema: Schema) -> str:
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_all(folder: Path) -> list[Path]:
    """Write one file per event; returns the files whose text changed."""
    changed = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in schemas().items():
            path = folder / f"{name}.json"
            text = render(schema)
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
                changed.append(path)
    except OSError as error:
        raise ToolError(f"cannot write the schemas to {folder}: {error.strerror}.") from error
    return changed


def _without_titles(node: Any) -> Any:  # noqa: ANN401 - a JSON tree
    """Drop the titles that pydantic derives from field names; a property may itself be called `title`."""
    if isinstance(node, list):
        return [_without_titles(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {name: _without_titles(schema) for name, schema in value.items()}
        if key in {"properties", "$defs"}
        else _without_titles(value)
        for key, value in node.items()
        if key != "title"
    }

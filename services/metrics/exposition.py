"""Lambda entry: GET /metrics."""

from typing import Any

from services.metrics.bootstrap import exposition


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return exposition()(event, context)

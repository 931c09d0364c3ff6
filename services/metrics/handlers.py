"""Lambda entry points of the metrics service, named as in infra/functions.yaml."""

from typing import Any

from services.metrics import bootstrap


def collector(event: object, context: object) -> dict[str, int | None]:  # noqa: ARG001 - a schedule's event is empty
    """One collection, every minute."""
    return bootstrap.collector()(context)


def exposition(event: dict[str, Any], context: object) -> dict[str, Any]:
    """GET /metrics."""
    return bootstrap.exposition()(event, context)

"""Lambda entry: the schema, for operators and deployments."""

from typing import Any

from services.analytics.bootstrap import upkeep


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return upkeep()(event, context)

"""Lambda entry: questions about orders and revenue."""

from typing import Any

from services.analytics.bootstrap import answering


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return answering()(event, context)

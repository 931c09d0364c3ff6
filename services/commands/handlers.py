"""Lambda entry point of commands, named as in infra/functions.yaml."""

from typing import Any

from services.commands import bootstrap


def commands(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Places, cancels and refunds orders, adjusts stock, publishes events of the shop."""
    return bootstrap.commands()(event, context)

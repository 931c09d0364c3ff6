"""Lambda entry points of webhooks, named as in infra/functions.yaml."""

from typing import Any

from services.webhooks import bootstrap


def webhook_fanout(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Queues a message for each endpoint that hears of an event."""
    return bootstrap.fanout()(event, context)


def webhook_delivery(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Makes the first attempt to deliver."""
    return bootstrap.fast_lane()(event, context)


def webhook_retries(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Makes all further attempts, and those to slow or failing endpoints."""
    return bootstrap.retries_lane()(event, context)


def webhooks(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Endpoints and their logs over HTTP."""
    return bootstrap.api()(event, context)

"""Lambda entry point of notifications, named as in infra/functions.yaml."""

from typing import Any

from services.notifications import bootstrap


def notify(event: dict[str, Any], context: object) -> dict[str, int]:
    """Sends what was published to the topic of alarms to Slack, Microsoft Teams and webhooks."""
    return bootstrap.notify()(event, context)

"""Lambda entry: every event, for the read side."""

from typing import Any

from services.analytics.bootstrap import projection


def handler(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401 - Lambda's own signature
    return projection()(event, context)

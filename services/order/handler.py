"""Lambda entry: orders placed and called off."""

from typing import Any

from services.order.bootstrap import orders


def handler(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401 - Lambda's own signature
    return orders()(event, context)

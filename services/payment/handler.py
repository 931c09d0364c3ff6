"""Lambda entry: payments and refunds."""

from typing import Any

from services.payment.bootstrap import payments


def handler(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401 - Lambda's own signature
    return payments()(event, context)

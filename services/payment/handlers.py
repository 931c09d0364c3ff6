"""Lambda entry points of the payment service, named as in infra/functions.yaml."""

from typing import Any

from services.payment import bootstrap


def payment(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401 - Lambda's own signature
    """Handle PaymentRequested, OrderCancelled and RefundRequested."""
    return bootstrap.payment()(event, context)

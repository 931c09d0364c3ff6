"""Lambda entry points of the payment service, named as in infra/functions.yaml."""

from typing import Any

from services.payment import bootstrap


def payment(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401 - Lambda's own signature
    """Handle PaymentRequested, PaymentAnswered, OrderCancelled and RefundRequested."""
    return bootstrap.payment()(event, context)


def stripe_webhook(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Receive the asynchronous answers of Stripe."""
    return bootstrap.stripe_webhook()(event, context)

"""Lambda entry points of the order service, named as in infra/functions.yaml."""

from collections.abc import Mapping
from typing import Any

from services.order import bootstrap


def order(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401 - Lambda's own signature
    """Handle OrderPlaced and OrderCancellationRequested."""
    return bootstrap.order()(event, context)


def expiry(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401 - Lambda's own signature
    """Handle the delayed copy of PaymentRequested that arrives when the hold is over."""
    return bootstrap.expiry()(event, context)


def audit(event: object, context: object) -> Mapping[str, int]:  # noqa: ARG001 - a schedule's event is empty
    """Compare all orders with all stock, every hour."""
    return bootstrap.audit()(context)

"""Lambda entry points of the order service, named as in infra/functions.yaml."""

from typing import Any

from services.order import bootstrap


def order(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401 - Lambda's own signature
    """Orders placed and cancelled."""
    return bootstrap.order()(event, context)


def expiry(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401 - Lambda's own signature
    """Payment requests delivered a second time, when the hold is over."""
    return bootstrap.expiry()(event, context)

"""Lambda entry: requests for payment that arrive a second time, when the hold is over."""

from typing import Any

from services.order.bootstrap import expiry


def handler(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401 - Lambda's own signature
    return expiry()(event, context)

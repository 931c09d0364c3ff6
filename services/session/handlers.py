"""Lambda entry points of sign-in, named as in infra/functions.yaml."""

from typing import Any

from services.session import bootstrap


def session(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Signs people in and out, renews their sessions, and gives machines their tokens."""
    return bootstrap.session()(event, context)

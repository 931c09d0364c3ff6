"""Lambda entry points of organisations, named as in infra/functions.yaml."""

from typing import Any

from services.organizations import bootstrap


def organizations(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Organisations, members, invitations, saved views and machine tokens."""
    return bootstrap.organizations()(event, context)


def claims(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Sets tenant and role in a token that the user pool is about to issue."""
    return bootstrap.claims()(event, context)

"""Lambda entry points of the read side, named as in infra/functions.yaml."""

from typing import Any

from services.analytics import bootstrap


def projector(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401 - Lambda's own signature
    """Every event, written as rows and rollups."""
    return bootstrap.projector()(event, context)


def analytics(event: dict[str, Any], context: object) -> dict[str, Any]:
    """The API: GET /api/..."""
    return bootstrap.analytics()(event, context)


def migrator(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Schema commands of operators and deployments."""
    return bootstrap.migrator()(event, context)

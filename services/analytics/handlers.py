"""Lambda entry points of the read side, named as in infra/functions.yaml."""

from typing import Any

from services.analytics import bootstrap


def projector(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401 - Lambda's own signature
    """Projects every event into rows and rollups."""
    return bootstrap.projector()(event, context)


def analytics(event: dict[str, Any], context: object) -> dict[str, Any]:
    """The API: GET /api/..."""
    return bootstrap.analytics()(event, context)


def migrator(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Runs database commands of operators and deployments."""
    return bootstrap.migrator()(event, context)

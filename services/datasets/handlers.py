"""Lambda entry points of datasets, named as in infra/functions.yaml."""

from typing import Any

from services.datasets import bootstrap


def datasets(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Datasets over HTTP: uploads, states, faults, and series."""
    return bootstrap.api()(event, context)


def dataset_ingest(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Inspects uploaded files and loads them."""
    return bootstrap.ingest()(event, context)

"""Lambda entry: one collection, each minute."""

from services.metrics.bootstrap import collection


def handler(event: object, context: object) -> dict[str, int | None]:  # noqa: ARG001 - a schedule tells nothing
    return collection()(context)

"""The published contract of the HTTP API: one document, generated from the routes of every function."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from scripts.common.errors import ToolError
from services.analytics.api.openapi import FILE, PATH
from services.analytics.api.routes import ROUTES as ANALYTICS
from services.commands.api import ROUTES as COMMANDS
from services.datasets.api import ROUTES as DATASETS
from services.organizations.api import ROUTES as ORGANIZATIONS
from services.shared.http import openapi
from services.shared.http.routes import Route
from services.webhooks.api import ROUTES as WEBHOOKS

PUBLISHED: Final = Path(__file__).parents[3] / "docs" / "openapi.json"
ROUTES: Final[Sequence[Route]] = (*ANALYTICS, *COMMANDS, *DATASETS, *ORGANIZATIONS, *WEBHOOKS)


def document() -> openapi.Json:
    return openapi.document(
        ROUTES,
        path=PATH,
        title="PulseQueue",
        description="Orders, sales and recurring revenue of one organization: the one that the token names. "
        "Days and months are UTC; ranges include `from` and exclude `to`. "
        "Money is in minor units and never added up across currencies.",
    )


@cache
def text() -> str:
    """Return the document as it is published, the same on every run."""
    return json.dumps(document(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write(path: Path = PUBLISHED) -> bool:
    """Write the document; returns whether it changed."""
    document = text()
    try:
        if path.exists() and path.read_text(encoding="utf-8") == document:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document, encoding="utf-8")
    except OSError as error:
        raise ToolError(f"cannot write {path}: {error.strerror}.") from error
    return True


if __name__ == "__main__":
    for published in (PUBLISHED, FILE):
        print(f"{published}: {'written' if write(published) else 'was up to date'}")

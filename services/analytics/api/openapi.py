"""The OpenAPI document of the analytics API."""

import json
from functools import cache

from services.analytics.api.routes import DOCUMENT_PATH, ROUTES
from services.shared.http import openapi


@cache
def text() -> str:
    """Return the document as it is published, the same on every run."""
    return json.dumps(document(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def document() -> openapi.Json:
    return openapi.document(
        ROUTES,
        path=DOCUMENT_PATH,
        title="PulseQueue analytics",
        description="Orders, sales and recurring revenue of one tenant: the one that the token names. "
        "Days and months are UTC; ranges include `from` and exclude `to`. "
        "Money is in minor units and never added up across currencies.",
    )

"""Somebody who asks the API, inside one process, as the gateway would hand his questions over."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.analytics_place import TENANT, UNTIL, Way
from scripts.silence import Silence
from services.analytics.api.app import build
from services.analytics.api.cursors import Cursors
from services.analytics.wanted import Filters, Position

_KEY = "what cursors of a benchmark are sealed with"
_CLAIMS = {
    "sub": "reader",
    "custom:tenant_id": TENANT,
    "cognito:groups": "[admin]",
    "token_use": "id",
    "exp": "4102444800",
}


@dataclass(frozen=True, slots=True)
class Question:
    path: str
    query: str = ""
    headers: Mapping[str, str] | None = None


class Reader:
    def __init__(self, way: Way) -> None:
        self._answer = build(
            way.database,
            cursor_key=lambda: _KEY,
            allowed_origins=(),
            clock=lambda: UNTIL,
            telemetry=Silence(),
        )

    def ask(self, question: Question, status: int = 200) -> dict[str, Any]:
        """Return what the gateway gets; anything but what was expected is an error."""
        answer = self._answer(
            {
                "version": "2.0",
                "rawPath": question.path,
                "rawQueryString": question.query,
                "headers": dict(question.headers or {}),
                "requestContext": {
                    "stage": "$default",
                    "requestId": "benchmark",
                    "http": {"method": "GET", "path": question.path},
                    "authorizer": {"jwt": {"claims": _CLAIMS}},
                },
            },
            None,
        )
        if answer["statusCode"] != status:
            raise RuntimeError(f"{question.path}?{question.query} was answered {answer}")
        return answer

    def data(self, question: Question) -> Any:  # noqa: ANN401 - each question has an answer of its own
        return json.loads(self.ask(question)["body"])["data"]


def cursor(position: Position) -> str:
    """Seal a position as the API seals the end of a page of all orders."""
    return Cursors(lambda: _KEY).seal(TENANT, Filters(None, None, None, None), position)

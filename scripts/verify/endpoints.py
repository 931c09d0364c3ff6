"""What an environment answers from: the addresses, and what it takes to be let in."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scripts.common.errors import ToolError
from scripts.environment.cognito import token as sign_in
from scripts.environment.local_state import StackState, home_folder
from scripts.ops import metrics_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scripts.environment.environment import Environment

_TIMEOUT_SECONDS = 30.0
_VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Doors:
    """Each is looked up when it is knocked at: one that is not there breaks its own link only."""

    metrics: Callable[[], metrics_page.Address]
    api: Callable[[], str]
    token: Callable[[], str] | None
    """None where nobody said as whom to ask."""


@dataclass(frozen=True, slots=True)
class User:
    name: str
    password: str


def doors(
    environment: Environment,
    *,
    api_url: str | None = None,
    user: User | None = None,
    home: Path | None = None,
) -> Doors:
    """Find an environment's doors; `api_url` is where its HTTP API answers when not at its own address."""

    def metrics() -> metrics_page.Address:
        found = metrics_page.address(environment, home)
        return metrics_page.Address(f"{api_url.rstrip('/')}/metrics", found.token) if api_url else found

    def api() -> str:
        return metrics().url.removesuffix("/metrics")

    asker = user or (_local_viewer(home) if environment.is_local else None)
    return Doors(metrics, api, (lambda: sign_in(environment, asker.name, asker.password)) if asker else None)


def _local_viewer(home: Path | None) -> User | None:
    state = StackState.read(home or home_folder())
    return User(_VIEWER, state.users_password) if state else None


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any


def ask(url: str, bearer: str | None) -> Answer:
    """Ask the API; a refusal is an answer, too."""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - likewise
            return Answer(answer.status, _json(answer.read()))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _json(error.read()))
    except (urllib.error.URLError, TimeoutError) as error:
        raise ToolError(f"{url} does not answer: {error}") from error


def _json(body: bytes) -> Any:  # noqa: ANN401 - whatever was answered
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")

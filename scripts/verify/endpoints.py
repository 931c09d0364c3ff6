"""The HTTP endpoints of an environment, and the credentials to call them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scripts.common.errors import ToolError
from scripts.environment.cognito import token as sign_in
from scripts.environment.local_state import StackState, home_folder
from scripts.ops import metrics_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from email.message import Message
    from pathlib import Path

    from scripts.environment.environment import Environment

_TIMEOUT_SECONDS = 30.0
_VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Credentials:
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Each is resolved when it is used, so that a missing one fails its own check only."""

    metrics: Callable[[], metrics_page.Address]
    api: Callable[[], str]
    token: Callable[[], str] | None
    """None without a user to sign in as."""
    credentials: Credentials | None = None
    """Of the same user."""


def find_endpoints(
    environment: Environment,
    *,
    api_url: str | None = None,
    credentials: Credentials | None = None,
    home: Path | None = None,
) -> Endpoints:
    """Find an environment's endpoints; `api_url` replaces the address of its HTTP API."""

    def metrics() -> metrics_page.Address:
        found = metrics_page.address(environment, home)
        return metrics_page.Address(f"{api_url.rstrip('/')}/metrics", found.token) if api_url else found

    def api() -> str:
        return metrics().url.removesuffix("/metrics")

    signed_in = credentials or (_local_viewer(home) if environment.is_local else None)
    if signed_in is None:
        return Endpoints(metrics, api, None)
    return Endpoints(
        metrics, api, lambda: sign_in(environment, signed_in.user, signed_in.password), signed_in
    )


def _local_viewer(home: Path | None) -> Credentials | None:
    state = StackState.read(home or home_folder())
    return Credentials(_VIEWER, state.users_password) if state else None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    """By name, in lower case."""


def http_get(url: str, bearer: str | None) -> HttpResponse:
    return http_request("GET", url, {"Authorization": f"Bearer {bearer}"} if bearer else {})


def http_request(method: str, url: str, headers: Mapping[str, str]) -> HttpResponse:
    """Send a request without a body; error statuses are returned, not raised."""
    request = urllib.request.Request(url, headers=dict(headers), method=method)  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - likewise
            return HttpResponse(response.status, _json(response.read()), _lower(response.headers))
    except urllib.error.HTTPError as error:
        with error:
            return HttpResponse(error.code, _json(error.read()), _lower(error.headers))
    except (urllib.error.URLError, TimeoutError) as error:
        raise ToolError(f"{url} does not respond: {error}") from error


def _lower(headers: Message) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _json(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")

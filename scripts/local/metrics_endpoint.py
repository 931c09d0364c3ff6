"""The metrics endpoint of the local stack: its URL, its token, and the first collection."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts.common.errors import ToolError
from scripts.local.aws.triggers import route_url

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.environment.environment import Environment
    from scripts.environment.topology import Names

TOKEN = "metrics-token"  # noqa: S105 -- the name of a secret
_COLLECTOR = "collector"
_PATH = "/metrics"


@dataclass(frozen=True, slots=True)
class MetricsEndpoint:
    url: str
    token: str


def metrics_endpoint(home: Path, endpoint: str, names: Names) -> MetricsEndpoint:
    """Return the endpoint; URL and token survive a restart of the stack."""
    return MetricsEndpoint(route_url(endpoint, names.api, _PATH), _token(home / TOKEN))


def _token(path: Path) -> str:
    """Read the token of this home, or create one: scrapers keep their configuration."""
    try:
        return path.read_text(encoding="utf-8").strip() or _new_token(path)
    except FileNotFoundError:
        return _new_token(path)


def _new_token(path: Path) -> str:
    token = secrets.token_urlsafe(32)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(token + "\n")
    return token


def collect(environment: Environment) -> None:
    """Invoke the collector now instead of within a minute; a failure is raised with its reason."""
    functions, name = environment.client("lambda"), environment.names.function(_COLLECTOR)
    try:
        response = functions.invoke(FunctionName=name)
        payload = response["Payload"].read()
    except (BotoCoreError, ClientError) as error:
        raise ToolError(f"collecting metrics failed: {error}") from error
    if "FunctionError" in response:
        raise ToolError(f"collecting metrics failed: {_reason(payload)}")


def _reason(payload: bytes) -> str:
    try:
        failure: Any = json.loads(payload)
        return str(failure["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return payload.decode("utf-8", "replace")[:200] or "no reason given"

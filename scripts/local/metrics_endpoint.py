"""Where this stack's numbers are read, with what token, and the first collection of them."""

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
class Access:
    url: str
    token: str


def access(home: Path, endpoint: str, names: Names) -> Access:
    """Tell how the metrics are reached; both stay what they are when the stack is started again."""
    return Access(route_url(endpoint, names.api, _PATH), _token(home / TOKEN))


def _token(path: Path) -> str:
    """Read the token of this home, or make one up: whoever scrapes need not be told a new one."""
    try:
        return path.read_text(encoding="utf-8").strip() or _made_up(path)
    except FileNotFoundError:
        return _made_up(path)


def _made_up(path: Path) -> str:
    token = secrets.token_urlsafe(32)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(token + "\n")
    return token


def collect(environment: Environment) -> None:
    """Have the numbers collected now: the schedule would do it in a minute. Raises with what went wrong."""
    functions, name = environment.client("lambda"), environment.names.function(_COLLECTOR)
    try:
        answer = functions.invoke(FunctionName=name)
        said = answer["Payload"].read()
    except (BotoCoreError, ClientError) as error:
        raise ToolError(f"the metrics could not be collected: {error}") from error
    if "FunctionError" in answer:
        raise ToolError(f"the metrics could not be collected: {_reason(said)}")


def _reason(payload: bytes) -> str:
    try:
        failure: Any = json.loads(payload)
        return str(failure["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return payload.decode("utf-8", "replace")[:200] or "it did not say why"

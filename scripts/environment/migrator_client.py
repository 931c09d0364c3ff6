"""Invokes the migrator function: only functions reach the database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ReadTimeoutError

from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.environment.environment import Environment

MIGRATOR: Final = "migrator"


def invoke_migrator(environment: Environment, request: Mapping[str, Any]) -> dict[str, Any]:
    """Invoke the migrator; its refusal is raised as a ToolError with its message."""
    functions, name = environment.client("lambda"), environment.names.function(MIGRATOR)
    try:
        response = functions.invoke(FunctionName=name, Payload=json.dumps(request).encode())
    except functions.exceptions.ResourceNotFoundException:
        raise ToolError(f"function {name} not found; deploy {environment.name} first.") from None
    except ReadTimeoutError:
        timeout = functions.meta.config.read_timeout  # type: ignore[attr-defined]
        raise ToolError(
            f"{name} is still running after {timeout} s; `pulsequeue logs {MIGRATOR}` shows its log."
        ) from None
    result: Any = json.loads(response["Payload"].read())
    if response.get("FunctionError"):
        raise ToolError(f"the database refused to {request['action']}: {result.get('errorMessage', result)}")
    return dict(result)

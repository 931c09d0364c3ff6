"""Has the migrator do something: the database itself is reached by functions alone."""

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
    """Invoke the migrator; what it refuses is raised with its own words."""
    functions, name = environment.client("lambda"), environment.names.function(MIGRATOR)
    try:
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(request).encode())
    except functions.exceptions.ResourceNotFoundException:
        raise ToolError(f"there is no function {name}; deploy {environment.name} first.") from None
    except ReadTimeoutError:
        raise ToolError(
            f"{name} is at it for longer than this waits; `pulsequeue logs {MIGRATOR}` tells when it is done."
        ) from None
    said: Any = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise ToolError(f"the database refused to {request['action']}: {said.get('errorMessage', said)}")
    return dict(said)

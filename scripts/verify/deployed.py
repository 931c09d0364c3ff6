"""Which part of the table of functions an environment was made with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.environment.environment import Environment


def has_read_side(environment: Environment) -> bool:
    """Tell whether any function with a database is there: an environment can be made without one."""
    return any(
        _is_there(environment, name) for name, spec in environment.topology.functions.items() if spec.database
    )


def to_be_migrated(environment: Environment) -> bool:
    """Tell whether it has a read side; one of which nothing is there is looked for in the wrong place."""
    if has_read_side(environment):
        return True
    if not any(_is_there(environment, name) for name in environment.topology.functions):
        raise ToolError(f"{environment.region} has no function of {environment.name}; is it deployed there?")
    return False


def as_deployed(environment: Environment) -> Environment:
    """Leave out the functions with a database where the environment has no read side."""
    topology = environment.topology
    if has_read_side(environment):
        return environment
    left = {name: spec for name, spec in topology.functions.items() if not spec.database}
    return replace(environment, topology=topology.model_copy(update={"functions": left}))


def _is_there(environment: Environment, function: str) -> bool:
    functions = environment.client("lambda")
    try:
        functions.get_function_configuration(FunctionName=environment.names.function(function))
    except functions.exceptions.ResourceNotFoundException:
        return False
    return True

"""Whether a function is there, told of its own environment, and called as it was deployed last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scripts.environment.lambda_env import DatabaseAddress, LambdaEnvInputs, variables
from scripts.verify.absence import unless_absent
from scripts.verify.checks import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

    from scripts.environment.environment import Environment

# A function is Pending for a moment after it was made, and takes work all the same.
_WORKS: Final = frozenset({"Active", "Pending", "Inactive"})
_UNSAID: Final = "it does not say why"
_ELSEWHERE: Final = LambdaEnvInputs(0, DatabaseAddress("", 0, ""))
"""Stands for what only the environment itself knows, and what is not looked at."""
_NAMES: Final = ("_TABLE", "_PARAMETER", "BUS_NAME", "PULSEQUEUE_ENV")
"""How variables end that name what is the environment's own."""


def function(environment: Environment, function: str) -> str | None:
    """Say what is wrong with a function as it was deployed last."""
    name, spec = environment.names.function(function), environment.topology.function(function)

    def look() -> str | None:
        it = environment.client("lambda").get_function_configuration(FunctionName=name)
        state = it.get("State", "Active")
        if state not in _WORKS:
            return f"function {name} is {state}: {it.get('StateReason', _UNSAID)}"
        if it.get("LastUpdateStatus") == "Failed":
            return f"function {name} was not updated: {it.get('LastUpdateStatusReason', _UNSAID)}"
        if it["Handler"] != spec.handler:
            return f"function {name} runs {it['Handler']}, not {spec.handler}"
        should = variables(environment.names, environment.topology, function, _ELSEWHERE)
        is_ = _variables(it)
        strange = [
            f"{one}={is_.get(one)}"
            for one, value in should.items()
            if one.endswith(_NAMES) and is_.get(one) != value
        ]
        return f"function {name} is told of another environment: {told(strange)}" if strange else None

    return unless_absent(f"function {name}", look)


def by(environment: Environment, caller: str, arn: str, function: str) -> str | None:
    """Say what is wrong with a call: that it leads elsewhere, or to what was deployed once."""
    functions, name = environment.client("lambda"), environment.names.function(function)
    _, _, led_to = arn.partition(":function:")
    called, _, qualifier = led_to.partition(":")
    if called != name:
        return f"{caller} leads to {led_to or arn}, not to function {name}"
    if not qualifier:
        return None

    def look() -> str | None:
        it = functions.get_function_configuration(FunctionName=name, Qualifier=qualifier)
        last = functions.get_function_configuration(FunctionName=name)
        if (it["CodeSha256"], _variables(it)) == (last["CodeSha256"], _variables(last)):
            return None
        return f"{caller} leads to version {it['Version']} of function {name}, not to what was deployed last"

    return unless_absent(f"{qualifier} of function {name}", look)


def hold_seconds(environment: Environment, function: str) -> int:
    """Return how long a consumer takes a reservation to last."""
    it = environment.client("lambda").get_function_configuration(
        FunctionName=environment.names.function(function)
    )
    return int(_variables(it).get("HOLD_SECONDS", environment.topology.settings.hold_seconds))


def _variables(it: FunctionConfigurationResponseTypeDef) -> Mapping[str, str]:
    return it.get("Environment", {}).get("Variables", {})

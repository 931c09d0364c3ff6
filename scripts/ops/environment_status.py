"""What exists of a deployed environment, in which account and region: functions, triggers and queues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.common.errors import ToolError
from scripts.environment.topology import (
    Consumer,
    Endpoint,
    Scheduled,
    Socket,
    SocketAuthorizer,
    StreamConsumer,
)

if TYPE_CHECKING:
    from scripts.environment.environment import Environment

_MISSING = "missing"
_WORKING = frozenset({"Active", "Pending"})
_ENABLED = frozenset({"Enabled", "Enabling", "Updating", ""})


@dataclass(frozen=True, slots=True)
class FunctionStatus:
    name: str
    state: str
    trigger: str
    trigger_state: str
    """Empty for a trigger without a switch: routes, and operators."""

    @property
    def problem(self) -> str | None:
        if self.state not in _WORKING:
            return f"{self.name} is {self.state}"
        if self.trigger_state not in _ENABLED:
            return f"the trigger of {self.name} ({self.trigger}) is {self.trigger_state}"
        return None


@dataclass(frozen=True, slots=True)
class QueueStatus:
    name: str
    visible: int
    in_flight: int
    delayed: int
    dead_letters: int


@dataclass(frozen=True, slots=True)
class EnvironmentStatus:
    environment: str
    account: str
    region: str
    functions: tuple[FunctionStatus, ...]
    queues: tuple[QueueStatus, ...]

    @property
    def problems(self) -> list[str]:
        return [it.problem for it in self.functions if it.problem]


def environment_status(environment: Environment) -> EnvironmentStatus:
    """Read the state of an environment; refuse a name of which the account has no function."""
    account = environment.client("sts").get_caller_identity()["Account"]
    states = {name: _function_state(environment, name) for name in environment.topology.functions}
    if set(states.values()) == {_MISSING}:
        raise ToolError(
            f"account {account} has no function of environment {environment.name!r} in {environment.region}; "
            "check the name, the region and AWS_PROFILE."
        )
    # An environment without a read side has none of the functions with a database.
    read_side = {name for name, spec in environment.topology.functions.items() if spec.database}
    if all(states[name] == _MISSING for name in read_side):
        states = {name: state for name, state in states.items() if name not in read_side}
    functions = tuple(
        FunctionStatus(environment.names.function(name), state, *_trigger(environment, name, state))
        for name, state in states.items()
    )
    present = [name for name in environment.topology.consumers if states.get(name, _MISSING) != _MISSING]
    queues = tuple(_queue(environment, name) for name in present)
    return EnvironmentStatus(environment.name, account, environment.region, functions, queues)


def _function_state(environment: Environment, name: str) -> str:
    client = environment.client("lambda")
    try:
        found = client.get_function_configuration(FunctionName=environment.names.function(name))
    except client.exceptions.ResourceNotFoundException:
        return _MISSING
    return found.get("State", "Active")


def _trigger(  # noqa: PLR0911 - one for each kind of trigger
    environment: Environment, name: str, state: str
) -> tuple[str, str]:
    names, spec = environment.names, environment.topology.function(name)
    match spec:
        case _ if state == _MISSING:
            return "", ""
        case Consumer():
            return "queue", _mapping_state(environment, name)
        case StreamConsumer(stream=table):
            return f"stream of {table}", _mapping_state(environment, name)
        case Scheduled(schedule=schedule):
            scheduler = environment.client("scheduler")
            try:
                return schedule, scheduler.get_schedule(Name=names.schedule(name))["State"].capitalize()
            except scheduler.exceptions.ResourceNotFoundException:
                return schedule, _MISSING
        case Endpoint(routes=routes):
            return f"{len(routes)} routes", ""
        case Socket(socket=routes):
            return f"{len(routes)} routes of the socket", ""
        case SocketAuthorizer():
            return "tickets of sockets", ""
        case _:
            return getattr(spec, "invoked_by", "user pool"), ""


def _mapping_state(environment: Environment, name: str) -> str:
    found = environment.client("lambda").list_event_source_mappings(
        FunctionName=environment.names.function(name)
    )
    return "/".join(sorted(it["State"] for it in found["EventSourceMappings"])) or _MISSING


def _queue(environment: Environment, name: str) -> QueueStatus:
    work = _counts(environment, environment.queue_url(name))
    dead = _counts(environment, environment.dead_letter_url(name))
    return QueueStatus(environment.names.queue(name), *work, sum(dead))


def _counts(environment: Environment, url: str) -> tuple[int, int, int]:
    found = environment.client("sqs").get_queue_attributes(
        QueueUrl=url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )["Attributes"]
    return (
        int(found["ApproximateNumberOfMessages"]),
        int(found["ApproximateNumberOfMessagesNotVisible"]),
        int(found["ApproximateNumberOfMessagesDelayed"]),
    )

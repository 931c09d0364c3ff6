"""The health of the local stack: what should run and answer, compared with what does."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from scripts.common.errors import ToolError
from scripts.environment.environment import LOCAL, open_environment
from scripts.environment.local_state import StackState, home_folder
from scripts.environment.topology import (
    Endpoint,
    PoolTrigger,
    Scheduled,
    Socket,
    SocketAuthorizer,
    StreamConsumer,
    Task,
)
from scripts.local import database, processes
from scripts.local.aws import emulator
from scripts.local.aws.user_pool import pool_trigger
from scripts.local.stack import PROCESSES
from scripts.local.stripe import STRIPE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mypy_boto3_apigatewayv2.type_defs import RouteTypeDef

    from scripts.environment.environment import Environment

_ENABLED = "Enabled"
_MISSING = "missing"
_REPAIR = "repair it with `make up`"
_NO_METRICS_YET = 503


@dataclass(frozen=True, slots=True)
class FunctionStatus:
    name: str
    state: str
    trigger: str
    """Its queue, schedule or routes."""
    trigger_state: str

    @property
    def trigger_label(self) -> str:
        routes = self.trigger.split(", ")
        return self.trigger if len(routes) == 1 else f"{len(routes)} routes"


@dataclass(frozen=True, slots=True)
class QueueStatus:
    name: str
    visible: int
    in_flight: int
    delayed: int
    dlq: int


@dataclass(frozen=True, slots=True)
class Status:
    healthy: bool
    state: StackState | None
    problems: tuple[str, ...] = ()
    functions: tuple[FunctionStatus, ...] = ()
    queues: tuple[QueueStatus, ...] = ()


def status(*, home: Path | None = None) -> Status:
    home = home or home_folder()
    state = StackState.read(home)
    if state is None:
        return Status(
            healthy=False, state=None, problems=("the stack is not running; start it with `make up`",)
        )
    problems = [*_process_problems(state), *_database_problems(state)]
    if not emulator.is_healthy(state.aws_endpoint):
        problems.append(f"the AWS emulator does not answer on {state.aws_endpoint}; {_REPAIR}")
        return Status(healthy=False, state=state, problems=tuple(problems))
    problems += _api_problems(state)
    environment = open_environment(LOCAL, home=home)
    try:
        functions = tuple(_function_status(environment, name) for name in environment.topology.functions)
        queues = tuple(_queue_status(environment, name) for name in environment.topology.consumers)
    except (BotoCoreError, ClientError, ToolError) as error:
        problems.append(f"the stack is incomplete ({error}); {_REPAIR}")
        return Status(healthy=False, state=state, problems=tuple(problems))
    # A new function is Pending for a moment and accepts invocations all the same.
    problems += [
        f"{it.name} is {it.state}; {_REPAIR}" for it in functions if it.state not in {"Active", "Pending"}
    ]
    problems += [
        f"the trigger of {it.name} ({it.trigger_label}) is {it.trigger_state}; {_REPAIR}"
        for it in functions
        if it.trigger_state != _ENABLED
    ]
    return Status(not problems, state, tuple(problems), functions, queues)


def _process_problems(state: StackState) -> Iterator[str]:
    chosen = [name for name in (STRIPE,) if state.process(name) is not None]
    for name in (*PROCESSES, *chosen):
        record = state.process(name)
        if record is None:
            yield f"{name} was never started; {_REPAIR}"
        elif processes.find(record) is None:
            yield f"{name} has exited; {_REPAIR}"


def _database_problems(state: StackState) -> Iterator[str]:
    if state.postgres is not None and not database.is_reachable(state.postgres):
        yield f"PostgreSQL does not answer on port {state.postgres_port}; {_REPAIR}"


def _api_problems(state: StackState) -> Iterator[str]:
    if state.api_url is None or state.metrics_url is None or state.console_url is None:
        yield f"the API was never published; {_REPAIR}"
    elif (reason := _metrics_problem(state.metrics_url, state.metrics_token)) is not None:
        yield f"the API does not serve {state.metrics_url} ({reason}); {_REPAIR}"


def _metrics_problem(url: str, token: str | None) -> str | None:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 -- http to ourselves
    try:
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 -- as above
    except urllib.error.HTTPError as error:
        # Metrics that are not collected yet, or are old, are the function's own answer: it works.
        return None if error.code == _NO_METRICS_YET else f"status {error.code}"
    except OSError as error:
        return str(error)
    return None


def _function_status(environment: Environment, name: str) -> FunctionStatus:
    full_name = environment.names.function(name)
    configuration = environment.client("lambda").get_function_configuration(FunctionName=full_name)
    trigger, state = _trigger_status(environment, name)
    return FunctionStatus(full_name, configuration.get("State", "Active"), trigger, state)


def _trigger_status(  # noqa: PLR0911 - one for each kind of trigger
    environment: Environment, name: str
) -> tuple[str, str]:
    names = environment.names
    match environment.topology.function(name):
        case Scheduled(schedule=schedule):
            found = environment.client("scheduler").get_schedule(Name=names.schedule(name))
            return schedule, found["State"].capitalize()
        case Endpoint(routes=routes):
            api = environment.client("apigatewayv2").get_routes(ApiId=names.api)
            known = {it["RouteKey"] for it in api["Items"]}
            return f"{len(routes)} routes", _ENABLED if known.issuperset(routes) else _MISSING
        case PoolTrigger(user_pool=trigger):
            return trigger, _ENABLED if pool_trigger(environment) else _MISSING
        case Task():
            return "by hand", _ENABLED
        case SocketAuthorizer():
            return "tickets of sockets", _ENABLED
        case Socket(socket=routes):
            known = {it["RouteKey"] for it in _socket_routes(environment)}
            return ", ".join(routes), _ENABLED if known.issuperset(routes) else _MISSING
        case StreamConsumer(stream=table):
            return f"stream of {table}", _mapping_state(environment, name)
        case _:
            return "queue", _mapping_state(environment, name)


def _mapping_state(environment: Environment, name: str) -> str:
    function = environment.names.function(name)
    mappings = environment.client("lambda").list_event_source_mappings(FunctionName=function)
    return "/".join(sorted({it["State"] for it in mappings["EventSourceMappings"]} or {_MISSING}))


def _socket_routes(environment: Environment) -> Sequence[RouteTypeDef]:
    return environment.client("apigatewayv2").get_routes(ApiId=environment.names.socket)["Items"]


def _queue_status(environment: Environment, name: str) -> QueueStatus:
    counts = _counts(environment, environment.queue_url(name))
    dead = _counts(environment, environment.dead_letter_url(name))
    return QueueStatus(
        name=environment.names.queue(name),
        visible=counts["ApproximateNumberOfMessages"],
        in_flight=counts["ApproximateNumberOfMessagesNotVisible"],
        delayed=counts["ApproximateNumberOfMessagesDelayed"],
        dlq=dead["ApproximateNumberOfMessages"],
    )


def _counts(environment: Environment, url: str) -> Mapping[str, int]:
    response = environment.client("sqs").get_queue_attributes(
        QueueUrl=url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )
    return {name: int(value) for name, value in response["Attributes"].items()}

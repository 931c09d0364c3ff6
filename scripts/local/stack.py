"""Starts, stops and describes the one-machine stack."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from scripts.common.errors import ToolError
from scripts.environment.environment import LOCAL, Clients, Environment, open_environment
from scripts.environment.lambda_env import DatabaseAddress
from scripts.environment.local_state import StackState, home_folder, make_home, state_file
from scripts.environment.topology import Endpoint, Scheduled, Task, Topology
from scripts.local import database, metrics_endpoint, postgres, processes
from scripts.local.aws import cloudwatch_shipper, emulator
from scripts.local.aws.provision import Overrides, provision
from scripts.local.aws.triggers import route_url
from scripts.local.aws.user_pool import made_up_password
from scripts.local.monitoring import launcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scripts.environment.local_state import ProcessRecord

EMULATOR = "emulator"
CLOUDWATCH_SHIPPER = "cloudwatch-shipper"
POSTGRES = "postgres"

_ENABLED = "Enabled"
_MISSING = "missing"


@dataclass(frozen=True, slots=True)
class StackOptions:
    port: int | None = None
    hold_seconds: int | None = None
    retry_seconds: int | None = None
    """How long a failed message stays hidden; what the functions' time-outs ask for when not given."""
    gateway_failure_rate: float | None = None
    gateway_slow_seconds: float | None = None
    shipper_seconds: float = 2.0
    """How often the CloudWatch shipper reads logs and queues."""
    functions_endpoint: str | None = None
    """Where the functions find AWS; the emulator itself when not given."""
    web_origins: tuple[str, ...] = ("http://localhost:3000", "http://localhost:5173")
    """Web pages that may ask the API: where development servers usually are."""

    def overrides(self, state: StackState, metrics_token: str) -> Overrides:
        variables = {
            "GATEWAY_FAILURE_RATE": self.gateway_failure_rate,
            "GATEWAY_SLOW_SECONDS": self.gateway_slow_seconds,
            "AWS_ENDPOINT_URL": self.functions_endpoint,
        }
        return Overrides(
            hold_seconds=self.hold_seconds,
            retry_seconds=self.retry_seconds,
            variables={name: str(value) for name, value in variables.items() if value is not None},
            secrets={metrics_endpoint.TOKEN: metrics_token},
            database=DatabaseAddress(postgres.HOST, state.postgres_port, "disable", database.NAME),
            users_password=state.users_password,
            web_origins=self.web_origins,
        )


@dataclass(frozen=True, slots=True)
class FunctionStatus:
    name: str
    state: str
    trigger: str
    """What sets it off: its queue, a schedule, or its routes."""
    trigger_state: str


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


def _silent(_: str) -> None: ...


def up(
    options: StackOptions, *, home: Path | None = None, progress: Callable[[str], None] = _silent
) -> StackState:
    """Bring the stack up, or up to date when it already runs; a failure leaves nothing running."""
    home = home or home_folder()
    make_home(home)
    topology = Topology.load()
    with _alone(home), contextlib.ExitStack() as undo:
        state = _running(home, options)
        if state is None:
            _clear_away(home)
            undo.callback(_clear_away, home)
            progress("Starting the AWS emulator ...")
            state = _start_emulator(home, options)
        state = _with_postgres(home, state, progress)
        progress("Creating queues, tables and functions ...")
        environment = Environment(LOCAL, topology, Clients.of_state(state))
        access = metrics_endpoint.access(home, state.aws_endpoint, environment.names)
        _provision(environment, options.overrides(state, access.token))
        database.migrate(environment)
        state = state.model_copy(
            update={
                "metrics_url": access.url,
                "metrics_token": access.token,
                "api_url": route_url(state.aws_endpoint, environment.names.api, ""),
            }
        )
        state.write(home)
        state = _with_shipper(home, state, options)
        undo.pop_all()
        return state


def down(*, home: Path | None = None) -> bool:
    """Stop what `up` started, and what watches it; tell whether there was a stack to stop."""
    home = home or home_folder()
    stopped = False
    if state_file(home).exists():
        make_home(home)
        with _alone(home):
            stopped = _clear_away(home)
    launcher.down(home=home)
    return stopped


def status(*, home: Path | None = None) -> Status:
    home = home or home_folder()
    state = StackState.read(home)
    if state is None:
        return Status(healthy=False, state=None, problems=("the stack is not running (`make up` starts it)",))
    problems = [f"the {record.name} has ended" for record in state.processes if not processes.find(record)]
    if not emulator.is_healthy(state.aws_endpoint):
        problems.append(f"nothing answers on {state.aws_endpoint}")
        return Status(healthy=False, state=state, problems=tuple(problems))
    environment = open_environment(LOCAL, home=home)
    try:
        functions = tuple(_function_status(environment, name) for name in environment.topology.functions)
        queues = tuple(_queue_status(environment, name) for name in environment.topology.consumers)
    except (BotoCoreError, ClientError, ToolError) as error:
        problems.append(f"the stack is incomplete ({error}); `make up` completes it")
        return Status(healthy=False, state=state, problems=tuple(problems))
    # A function is Pending for a moment after it was made, and takes work all the same.
    problems += [f"{it.name} is {it.state}" for it in functions if it.state not in {"Active", "Pending"}]
    problems += [
        f"what sets off {it.name} ({it.trigger}) is {it.trigger_state}"
        for it in functions
        if it.trigger_state != _ENABLED
    ]
    return Status(not problems, state, tuple(problems), functions, queues)


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ToolError("another `up` or `down` is at work on this stack; wait for it to end.") from None
        yield


def _running(home: Path, options: StackOptions) -> StackState | None:
    state = StackState.read(home)
    record = state.process(EMULATOR) if state else None
    if state is None or record is None or processes.find(record) is None:
        return None
    if not emulator.is_healthy(state.aws_endpoint, timeout=10):
        return None
    if options.port is not None and state.aws_endpoint != f"http://{emulator.HOST}:{options.port}":
        raise ToolError(
            f"the stack already runs on {state.aws_endpoint}; stop it with `make down` to change the port."
        )
    return state


def _start_emulator(home: Path, options: StackOptions) -> StackState:
    # Not `or`: 0 is no port that could be asked for.
    port = emulator.DEFAULT_PORT if options.port is None else options.port
    started = emulator.start(home, port)
    state = StackState(
        env=LOCAL,
        aws_endpoint=started.endpoint,
        region=emulator.REGION,
        access_key_id=emulator.ACCESS_KEY_ID,
        secret_access_key=emulator.SECRET_ACCESS_KEY,
        processes=(started.process,),
        scratch=str(started.scratch),
        logs={
            EMULATOR: str(started.log),
            CLOUDWATCH_SHIPPER: str(home / "cloudwatch-shipper.log"),
        },
        started_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )
    try:
        state.write(home)
    except BaseException:
        emulator.stop(started)
        raise
    return state


def _with_postgres(home: Path, state: StackState, progress: Callable[[str], None]) -> StackState:
    there = state.process(POSTGRES)
    if there is not None and processes.find(there):
        return state
    progress("Starting PostgreSQL ...")
    _forget(state.postgres_scratch)
    started = postgres.start(home / "postgres.log")
    try:
        database.make(started)
        others = tuple(it for it in state.processes if it.name != POSTGRES)
        state = state.model_copy(
            update={
                "processes": (*others, started.process),
                "postgres_port": started.port,
                "postgres_scratch": str(started.scratch),
                "postgres": started.dsn(database.NAME),
                "logs": {**state.logs, POSTGRES: str(home / "postgres.log")},
                "users_password": state.users_password or made_up_password(),
            }
        )
        state.write(home)
    except BaseException:
        postgres.stop(started)
        raise
    return state


def _forget(scratch: str | None) -> None:
    if scratch:
        shutil.rmtree(scratch, ignore_errors=True)


def _provision(environment: Environment, overrides: Overrides) -> None:
    try:
        provision(environment, overrides)
    except (BotoCoreError, ClientError) as error:
        raise ToolError(f"the emulator refused a part of the stack: {error}") from error


def _with_shipper(home: Path, state: StackState, options: StackOptions) -> StackState:
    there = state.process(CLOUDWATCH_SHIPPER)
    if there is not None and processes.find(there):
        return state
    # Numbers of an emulator that has gone say nothing about this one.
    record = _start_shipper(home, state, options)
    others = tuple(it for it in state.processes if it.name != CLOUDWATCH_SHIPPER)
    state = state.model_copy(update={"processes": (*others, record)})
    try:
        state.write(home)
    except BaseException:
        processes.stop([record])
        raise
    return state


def _start_shipper(home: Path, state: StackState, options: StackOptions) -> ProcessRecord:
    command = [sys.executable, "-P", "-m", "scripts.local.aws.cloudwatch_shipper", "--home", str(home)]
    command += ["--every", str(options.shipper_seconds)]
    return processes.start(
        CLOUDWATCH_SHIPPER, command, {"PYTHONUNBUFFERED": "1"}, Path(state.logs[CLOUDWATCH_SHIPPER])
    )


def _clear_away(home: Path) -> bool:
    """Stop what is left of a stack and forget it; a crashed one leaves its state file behind."""
    state = StackState.read(home)
    if state is None:
        state_file(home).unlink(missing_ok=True)  # unreadable, if there is one
        return False
    was_running = any(processes.find(record) for record in state.processes)
    # Neither has anything to save, so neither is waited for long.
    processes.stop(state.processes, timeout=1.0)
    _forget(state.scratch)
    _forget(state.postgres_scratch)
    cloudwatch_shipper.cursors_file(home).unlink(missing_ok=True)
    state_file(home).unlink(missing_ok=True)
    return was_running


def _function_status(environment: Environment, name: str) -> FunctionStatus:
    full_name = environment.names.function(name)
    configuration = environment.client("lambda").get_function_configuration(FunctionName=full_name)
    trigger, state = _trigger_status(environment, name)
    return FunctionStatus(full_name, configuration.get("State", "Active"), trigger, state)


def _trigger_status(environment: Environment, name: str) -> tuple[str, str]:
    names = environment.names
    match environment.topology.function(name):
        case Scheduled(schedule=schedule):
            there = environment.client("scheduler").get_schedule(Name=names.schedule(name))
            return schedule, there["State"].capitalize()
        case Endpoint(routes=routes):
            api = environment.client("apigatewayv2").get_routes(ApiId=names.api)
            known = {it["RouteKey"] for it in api["Items"]}
            return ", ".join(routes), _ENABLED if known.issuperset(routes) else _MISSING
        case Task():
            return "by hand", _ENABLED
        case _:
            functions = environment.client("lambda")
            mappings = functions.list_event_source_mappings(FunctionName=names.function(name))
            states = {mapping["State"] for mapping in mappings["EventSourceMappings"]} or {_MISSING}
            return "queue", "/".join(sorted(states))


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
    answer = environment.client("sqs").get_queue_attributes(
        QueueUrl=url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )
    return {name: int(value) for name, value in answer["Attributes"].items()}

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
from scripts.local.aws.user_pool import generate_password
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
    """Seconds until a failed message is redelivered; default: the visibility timeout of the queue."""
    gateway_failure_rate: float | None = None
    gateway_slow_seconds: float | None = None
    shipper_seconds: float = 2.0
    """How often the CloudWatch shipper reads logs and queues."""
    functions_endpoint: str | None = None
    """The AWS endpoint of the functions; default: the emulator."""
    web_origins: tuple[str, ...] = ("http://localhost:3000", "http://localhost:5173")
    """Origins allowed by CORS: the usual development servers."""

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
    """Its queue, schedule or routes."""
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


def _no_progress(_: str) -> None: ...


def up(
    options: StackOptions, *, home: Path | None = None, progress: Callable[[str], None] = _no_progress
) -> StackState:
    """Start the stack, or update it when it already runs; a failure stops everything it started."""
    home = home or home_folder()
    make_home(home)
    topology = Topology.load()
    with _locked(home), contextlib.ExitStack() as undo:
        state = _running_state(home, options)
        if state is None:
            _stop_and_remove(home)
            undo.callback(_stop_and_remove, home)
            progress("Starting the AWS emulator ...")
            state = _start_emulator(home, options)
        state = _with_postgres(home, state, progress)
        progress("Creating queues, tables and functions ...")
        environment = Environment(LOCAL, topology, Clients.of_state(state))
        endpoint = metrics_endpoint.metrics_endpoint(home, state.aws_endpoint, environment.names)
        _provision(environment, options.overrides(state, endpoint.token))
        database.migrate(environment)
        state = state.model_copy(
            update={
                "metrics_url": endpoint.url,
                "metrics_token": endpoint.token,
                "api_url": route_url(state.aws_endpoint, environment.names.api, ""),
            }
        )
        state.write(home)
        state = _with_shipper(home, state, options)
        undo.pop_all()
        return state


def down(*, home: Path | None = None) -> bool:
    """Stop the stack and its monitoring; return whether a stack was running."""
    home = home or home_folder()
    stopped = False
    if state_file(home).exists():
        make_home(home)
        with _locked(home):
            stopped = _stop_and_remove(home)
    launcher.down(home=home)
    return stopped


def status(*, home: Path | None = None) -> Status:
    home = home or home_folder()
    state = StackState.read(home)
    if state is None:
        return Status(
            healthy=False, state=None, problems=("the stack is not running; start it with `make up`",)
        )
    problems = [f"{record.name} has exited" for record in state.processes if not processes.find(record)]
    if not emulator.is_healthy(state.aws_endpoint):
        problems.append(f"nothing responses on {state.aws_endpoint}")
        return Status(healthy=False, state=state, problems=tuple(problems))
    environment = open_environment(LOCAL, home=home)
    try:
        functions = tuple(_function_status(environment, name) for name in environment.topology.functions)
        queues = tuple(_queue_status(environment, name) for name in environment.topology.consumers)
    except (BotoCoreError, ClientError, ToolError) as error:
        problems.append(f"the stack is incomplete ({error}); complete it with `make up`")
        return Status(healthy=False, state=state, problems=tuple(problems))
    # A new function is Pending for a moment and accepts invocations all the same.
    problems += [f"{it.name} is {it.state}" for it in functions if it.state not in {"Active", "Pending"}]
    problems += [
        f"the trigger of {it.name} ({it.trigger}) is {it.trigger_state}"
        for it in functions
        if it.trigger_state != _ENABLED
    ]
    return Status(not problems, state, tuple(problems), functions, queues)


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ToolError(
                "another `up` or `down` of this stack is running; wait for it to finish."
            ) from None
        yield


def _running_state(home: Path, options: StackOptions) -> StackState | None:
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
    # Not `or`: port 0 is an explicit, invalid choice.
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
    running = state.process(POSTGRES)
    if running is not None and processes.find(running):
        return state
    progress("Starting PostgreSQL ...")
    _remove(state.postgres_scratch)
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
                "users_password": state.users_password or generate_password(),
            }
        )
        state.write(home)
    except BaseException:
        postgres.stop(started)
        raise
    return state


def _remove(scratch: str | None) -> None:
    if scratch:
        shutil.rmtree(scratch, ignore_errors=True)


def _provision(environment: Environment, overrides: Overrides) -> None:
    try:
        provision(environment, overrides)
    except (BotoCoreError, ClientError) as error:
        raise ToolError(f"provisioning failed: {error}") from error


def _with_shipper(home: Path, state: StackState, options: StackOptions) -> StackState:
    running = state.process(CLOUDWATCH_SHIPPER)
    if running is not None and processes.find(running):
        return state
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


def _stop_and_remove(home: Path) -> bool:
    """Stop all processes of the stack and remove its state, also after a crash."""
    state = StackState.read(home)
    if state is None:
        state_file(home).unlink(missing_ok=True)  # in case it is unreadable
        return False
    was_running = any(processes.find(record) for record in state.processes)
    # None has anything to save: a short timeout is enough.
    processes.stop(state.processes, timeout=1.0)
    _remove(state.scratch)
    _remove(state.postgres_scratch)
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
            found = environment.client("scheduler").get_schedule(Name=names.schedule(name))
            return schedule, found["State"].capitalize()
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
    response = environment.client("sqs").get_queue_attributes(
        QueueUrl=url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )
    return {name: int(value) for name, value in response["Attributes"].items()}

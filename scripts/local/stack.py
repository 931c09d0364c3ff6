"""Starts, stops and describes the one-machine stack."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import BotoCoreError, ClientError

from scripts.common.errors import ToolError
from scripts.environment.environment import LOCAL, Clients, Environment
from scripts.environment.lambda_env import DatabaseAddress
from scripts.environment.local_state import StackState, home_folder, make_home, state_file
from scripts.environment.topology import Topology
from scripts.local import database, metrics_endpoint, postgres, processes, stack_data, stripe
from scripts.local.aws import emulator
from scripts.local.aws.provision import Overrides, provision
from scripts.local.aws.triggers import route_url
from scripts.local.aws.user_pool import generate_password
from scripts.local.monitoring import launcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scripts.environment.local_state import ProcessRecord
    from scripts.local.aws.site import Site

EMULATOR = "emulator"
CLOUDWATCH_SHIPPER = "cloudwatch-shipper"
IDENTITY_PROVIDER = "identity-provider"
POSTGRES = "postgres"
PROCESSES = (EMULATOR, POSTGRES, IDENTITY_PROVIDER, CLOUDWATCH_SHIPPER)

_SAVE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class StackOptions:
    port: int | None = None
    db_port: int | None = None
    hold_seconds: int | None = None
    retry_seconds: int | None = None
    """Seconds until a failed message is redelivered; default: the visibility timeout of the queue."""
    gateway_failure_rate: float | None = None
    gateway_slow_seconds: float | None = None
    gateway: Literal["simulated", "stripe"] = "simulated"
    shipper_seconds: float = 2.0
    """How often the CloudWatch shipper reads logs and queues."""
    functions_endpoint: str | None = None
    """The AWS endpoint of the functions; default: the emulator."""
    web_origins: tuple[str, ...] = ("http://localhost:3000", "http://localhost:5173")
    """Origins allowed by CORS: the usual development servers."""

    @property
    def emulator_port(self) -> int:
        # Not `or`: port 0 is an explicit, invalid choice.
        return emulator.DEFAULT_PORT if self.port is None else self.port

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
            identity_provider_url=state.identity_provider_url,
        )


def _no_progress(_: str) -> None: ...


def up(
    options: StackOptions,
    *,
    home: Path | None = None,
    progress: Callable[[str], None] = _no_progress,
    beside: Callable[[], object] = lambda: None,
) -> StackState:
    """Start the stack over the data of this home, or complete the one that runs; a failure stops it.

    `beside` is called once nothing stands in the way, to start other work in the meantime.
    """
    home = home or home_folder()
    make_home(home)
    topology = Topology.load()
    with _locked(home), contextlib.ExitStack() as undo:
        state = _running_state(home, options)
        if state is None:
            _stop(home)
            options = _with_usual_port(home, options)
            _require_ports(options)
            undo.callback(_undo, home, progress)
            beside()
            progress("Starting the AWS emulator ...")
            state = _start_emulator(home, options)
        else:
            beside()
        state = _with_postgres(home, state, options, progress)
        state = _with_identity_provider(home, state)
        progress("Creating queues, tables and functions ...")
        environment = Environment(LOCAL, topology, Clients.of_state(state))
        endpoint = metrics_endpoint.metrics_endpoint(home, state.aws_endpoint, environment.names)
        state = stripe.stop(state)
        overrides = options.overrides(state, endpoint.token)
        if options.gateway == "stripe":
            progress("Starting a Stripe server ...")
            state, overrides = _with_stripe(home, state, overrides)
        site = _provision(environment, overrides)
        database.migrate(environment)
        state = state.model_copy(
            update={
                "metrics_url": endpoint.url,
                "metrics_token": endpoint.token,
                "api_url": route_url(state.aws_endpoint, environment.names.api, ""),
                "console_url": site.url,
            }
        )
        if url := overrides.variables.get("STRIPE_API_URL"):
            webhook = route_url(state.aws_endpoint, environment.names.api, "/webhooks/stripe")
            stripe.send_answers(url, webhook, overrides.secrets["stripe-webhook-secret"])
        state.write(home)
        state = _with_shipper(home, state, options)
        undo.pop_all()
        stack_data.mark_complete(home)
        if loss := stack_data.report_loss(home, environment, state.postgres):
            progress(loss)
    return state


def _undo(home: Path, progress: Callable[[str], None]) -> None:
    progress("Stopping what was started ...")
    _stop(home)


def down(*, home: Path | None = None, progress: Callable[[str], None] = _no_progress) -> bool:
    """Stop the stack and its monitoring, keep the data; return whether a stack was running."""
    home = home or home_folder()
    stopped = False
    if state_file(home).exists():
        make_home(home)
        with _locked(home):
            was_running = _emulator_runs(home)
            stopped, saved = _stop(home)
            if was_running and not saved:
                progress("The AWS emulator was stopped before it saved its data; see emulator.log.")
    launcher.down(home=home)
    return stopped


def reset(*, home: Path | None = None) -> bool:
    """Stop the stack and remove its data; return whether there was any."""
    home = home or home_folder()
    if not home.exists():
        return False
    launcher.reset(home=home)
    make_home(home)
    with _locked(home):
        _stop(home, save=False)
        return stack_data.reset(home)


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
    if state is None or not _emulator_runs(home):
        return None
    if not emulator.is_healthy(state.aws_endpoint, timeout=10):
        return None
    _require_unchanged("the stack", state.emulator_port, options.port)
    if _runs(state, POSTGRES):
        _require_unchanged("PostgreSQL", state.postgres_port, options.db_port)
    return state


def _with_usual_port(home: Path, options: StackOptions) -> StackOptions:
    """Without a choice, use the emulator's port of the last time: clients may have stored it."""
    data = stack_data.StackData.read(home)
    if options.port is not None or data is None:
        return options
    return replace(options, port=data.emulator_port)


def _require_ports(options: StackOptions) -> None:
    """Refuse ports before anything starts."""
    emulator.require_free_port(options.emulator_port)
    if options.db_port is None:
        return
    if options.db_port == options.emulator_port:
        raise ToolError(
            f"the emulator and PostgreSQL cannot both listen on port {options.db_port}; "
            f"choose another one with {postgres.PORT_OPTION}."
        )
    postgres.require_port(options.db_port)


def _require_unchanged(what: str, current: int, chosen: int | None) -> None:
    if chosen not in {None, current}:
        raise ToolError(
            f"{what} already runs on port {current}; stop it with `make down` to change the port."
        )


def _emulator_runs(home: Path) -> bool:
    state = StackState.read(home)
    return state is not None and _runs(state, EMULATOR)


def _start_emulator(home: Path, options: StackOptions) -> StackState:
    port = options.emulator_port
    data = stack_data.open_data(home)
    stack_data.prepare(home, data, port)
    try:
        started = emulator.start(home, port, saved=stack_data.emulator_folder(home))
    except BaseException:
        # It never ran, so that nothing can be lost; the saved URLs have the port already.
        data.model_copy(update={"emulator_port": port}).write(home)
        raise
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
        started_at=stack_data.now(),
    )
    try:
        state.write(home)
    except BaseException:
        emulator.stop(started)
        raise
    return state


def _with_postgres(
    home: Path, state: StackState, options: StackOptions, progress: Callable[[str], None]
) -> StackState:
    if _runs(state, POSTGRES):
        return state
    progress("Starting PostgreSQL ...")
    _remove(state.postgres_scratch)
    data = stack_data.open_data(home)
    port = options.db_port or stack_data.usual_postgres_port(data)
    started = postgres.start(home / "postgres.log", port=port, folder=Path(data.database))
    try:
        data.model_copy(update={"postgres_port": started.port}).write(home)
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
        postgres.shut_down(started.process)
        _remove(str(started.scratch))
        raise
    return state


def _runs(state: StackState, name: str) -> bool:
    record = state.process(name)
    return record is not None and processes.find(record) is not None


def _remove(scratch: str | None) -> None:
    if scratch:
        shutil.rmtree(scratch, ignore_errors=True)


def _provision(environment: Environment, overrides: Overrides) -> Site:
    try:
        return provision(environment, overrides)
    except (BotoCoreError, ClientError) as error:
        raise ToolError(f"provisioning failed: {error}") from error


def _with_stripe(home: Path, state: StackState, overrides: Overrides) -> tuple[StackState, Overrides]:
    record, url = stripe.start(home)
    state = state.model_copy(
        update={
            "processes": (*state.processes, record),
            "logs": {**state.logs, stripe.STRIPE: str(home / "stripe.log")},
        }
    )
    try:
        state.write(home)
    except BaseException:
        processes.stop([record])
        raise
    return state, replace(
        overrides,
        variables={**overrides.variables, **stripe.variables(url)},
        secrets={**overrides.secrets, **stripe.new_secrets()},
    )


def _with_identity_provider(home: Path, state: StackState) -> StackState:
    if _runs(state, IDENTITY_PROVIDER):
        return state
    port, log = emulator.free_port(), home / "identity-provider.log"
    state = state.model_copy(
        update={
            "identity_provider_url": f"http://{emulator.HOST}:{port}",
            "logs": {**state.logs, IDENTITY_PROVIDER: str(log)},
        }
    )
    command = [sys.executable, "-P", "-m", "scripts.local.identity_provider", "--port", str(port)]
    return _with_process(home, state, processes.start(IDENTITY_PROVIDER, command, {}, log))


def _with_shipper(home: Path, state: StackState, options: StackOptions) -> StackState:
    if _runs(state, CLOUDWATCH_SHIPPER):
        return state
    return _with_process(home, state, _start_shipper(home, state, options))


def _with_process(home: Path, state: StackState, record: ProcessRecord) -> StackState:
    """Store that a process was started, or stop it."""
    others = tuple(it for it in state.processes if it.name != record.name)
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


def _stop(home: Path, *, save: bool = True) -> tuple[bool, bool]:
    """Stop all processes of the stack, also after a crash; return whether any ran, and whether data is saved.

    Without `save` they get a second to end.
    """
    state = StackState.read(home)
    if state is None:
        state_file(home).unlink(missing_ok=True)  # in case it is unreadable
        return False, False
    was_running = any(processes.find(record) for record in state.processes)
    records = {record.name: record for record in state.processes}
    server = records.pop(POSTGRES, None)
    saved = False
    if save and EMULATOR in records:
        # The shipper first: how far it read the logs is saved with the logs.
        processes.stop([it for it in records.values() if it.name != EMULATOR], timeout=1.0)
        saved = stack_data.save(home, lambda: processes.stop([records[EMULATOR]], timeout=_SAVE_SECONDS))
        if server is not None:
            postgres.shut_down(server)
    else:
        processes.stop(state.processes, timeout=1.0)
    _remove(state.scratch)
    _remove(state.postgres_scratch)
    state_file(home).unlink(missing_ok=True)
    return was_running, saved

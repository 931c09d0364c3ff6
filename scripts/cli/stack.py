"""`pulsequeue up`, `down` and `reset`: the local stack."""

from __future__ import annotations

import sys
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.session import Limits, Session, command
from scripts.common.errors import ToolError

# The heavy imports (boto3, pydantic, rich) wait until a command runs: `pulsequeue --help` should not.
if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.environment.environment import Environment
    from scripts.local.sample_orders import SamplesResult

_INTERRUPTED = 130


class Gateway(Enum):
    SIMULATED = "simulated"
    STRIPE = "stripe"


def register(app: typer.Typer) -> None:
    limits = Limits(local_only=True, needs_checkout=True)
    command(app, examples=("up", "up --port 4600 --no-samples"), limits=limits)(up)
    command(app, examples=("down",), limits=limits)(down)
    command(app, examples=("reset", "reset --yes"), limits=limits)(reset)


def up(
    session: Session,
    *,
    port: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=65_535, help="Port of the emulator.")
    ] = None,
    db_port: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=65_535, help="Port of PostgreSQL.")
    ] = None,
    hold: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=900, help="Seconds until an unpaid reservation expires."),
    ] = None,
    retry: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=900, help="Seconds until a failed message is retried."),
    ] = None,
    failure_rate: Annotated[
        float | None, typer.Option(metavar="N", min=0, max=1, help="Share of payments that are declined.")
    ] = None,
    slow_seconds: Annotated[
        float | None, typer.Option(metavar="N", min=0, max=30, help="Seconds that a slow payment takes.")
    ] = None,
    gateway: Annotated[
        Gateway,
        typer.Option(
            metavar="NAME",
            help="Payment gateway: simulated, or stripe, a local server whose charges are in memory.",
        ),
    ] = Gateway.SIMULATED,
    burst: Annotated[
        int, typer.Option(metavar="N", min=1, max=10_000, help="Orders in the sample bursts.")
    ] = 200,
    samples: Annotated[
        bool | None,
        typer.Option("--samples/--no-samples", help="Place sample orders; default: if there are no orders."),
    ] = None,
) -> None:
    """Start the local stack over its data; place sample orders when there are none."""
    from scripts.cli.stack_views import connection, samples_json, up_view
    from scripts.environment.environment import LOCAL, open_environment
    from scripts.local import stack
    from scripts.local.console import ConsoleBuild

    options = stack.StackOptions(
        port=port,
        db_port=db_port,
        hold_seconds=hold,
        retry_seconds=retry,
        gateway_failure_rate=failure_rate,
        gateway_slow_seconds=slow_seconds,
        gateway=gateway.value,
    )
    try:
        build = ConsoleBuild()
        state = stack.up(options, progress=session.out.note, beside=build.start)
        environment = open_environment(LOCAL)
        missing = build.publish(environment)
        # First of all, for whoever does not wait for the sample orders.
        session.out.note(f"! {missing}" if missing else f"\nConsole: {state.console_url}\n")
        result = _place_samples(environment, samples, burst, session.out.note)
        _collect_metrics(environment, session.out.note)
        _export(session.out.note)
    except KeyboardInterrupt:
        raise ToolError(_after_an_interrupt(), exit_code=_INTERRUPTED) from None
    data = {**connection(state), "samples": samples_json(result) if result else None}
    session.out.show(data, *up_view(state, result))
    if result is not None and not result.ok:
        raise ToolError("some sample orders did not have the expected outcome; see `pulsequeue logs`.")


def down(session: Session) -> None:
    """Stop the local stack; its data is kept."""
    from scripts.environment.local_state import home_folder
    from scripts.local import stack, stack_data

    stopped = stack.down(progress=session.out.note)
    has_data = stack_data.StackData.read(home_folder()) is not None
    view = ["The local stack is down." if stopped else "The local stack was not running."]
    if has_data:
        view.append("Its data is kept for the next `make up`; `make reset` removes it.")
    session.out.show({"stopped": stopped, "dataKept": has_data}, *view)


def reset(
    session: Session,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop the local stack and remove its data: orders, stock, events, metrics and the database."""
    from scripts.local import stack

    if not yes:
        if not sys.stdin.isatty():
            raise ToolError(
                "reset removes all data of the local stack; confirm it with --yes (make reset YES=1)."
            )
        typer.confirm("Remove all data of the local stack?", abort=True, err=True)
    removed = stack.reset()
    text = "The local stack is down and its data removed." if removed else "There was no data to remove."
    session.out.show({"removed": removed}, text)


def _after_an_interrupt() -> str:
    """Say what runs now, and how to go on."""
    from scripts.environment.local_state import StackState, home_folder
    from scripts.local import processes, stack

    state = StackState.read(home_folder())
    if state is None:
        return "interrupted: what was started is stopped again; `make up` starts it over the same data."
    records = [state.process(name) for name in stack.PROCESSES]
    if all(it is not None and processes.find(it) is not None for it in records):
        return (
            f"interrupted: the local stack runs at {state.aws_endpoint}, with some of its sample orders; "
            "`pulsequeue up --samples` places them all, `make down` stops it."
        )
    return (
        f"interrupted: the local stack at {state.aws_endpoint} is incomplete; "
        "`make up` completes it, `make down` stops it."
    )


def _place_samples(
    environment: Environment, chosen: bool | None, burst: int, say: Callable[[str], None]
) -> SamplesResult | None:
    """Place sample orders as chosen; without a choice, unless there are orders."""
    from scripts.local import sample_orders

    if chosen or (chosen is None and not sample_orders.has_orders(environment)):
        return sample_orders.run_samples(environment, burst_orders=burst, progress=say)
    sample_orders.seed(environment, sample_orders.catalogue())
    if chosen is None:
        say("Orders of an earlier run are there, so no sample orders were placed; --samples places them.")
    return None


def _export(say: Callable[[str], None]) -> None:
    """Export what is there, so that `pulsequeue sql` answers; a failure is only noted."""
    from scripts.local import warehouse
    from services.shared.errors import PulseQueueError
    from services.warehouse.exporter import Selection

    say("Exporting to the warehouse ...")
    try:
        warehouse.run_export(Selection(), lambda _: None)
    except (ToolError, PulseQueueError) as error:
        say(f"Nothing was exported: {error} `pulsequeue export` tries again.")


def _collect_metrics(environment: Environment, say: Callable[[str], None]) -> None:
    """Collect metrics now; a failure is only noted, since the collector runs every minute."""
    from scripts.local import metrics_endpoint

    say("Collecting the first metrics ...")
    try:
        metrics_endpoint.collect(environment)
    except ToolError as error:
        say(f"No metrics yet: {error}; it is retried every minute.")

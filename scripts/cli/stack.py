"""`pulsequeue up` and `down`: the local stack."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.session import Limits, Session, command
from scripts.common.errors import ToolError

# The heavy imports (boto3, pydantic, rich) wait until a command runs: `pulsequeue --help` should not.
if TYPE_CHECKING:
    from rich.table import Table

    from scripts.environment.environment import Environment
    from scripts.environment.local_state import StackState
    from scripts.local.sample_orders import SamplesResult
    from scripts.local.stack import Status


def register(app: typer.Typer) -> None:
    limits = Limits(local_only=True, needs_checkout=True)
    command(app, examples=("up", "up --port 4600 --no-samples"), limits=limits)(up)
    command(app, examples=("down",), limits=limits)(down)


def up(
    session: Session,
    *,
    port: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=65_535, help="Port of the emulator.")
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
    burst: Annotated[
        int, typer.Option(metavar="N", min=1, max=10_000, help="Orders in the sample burst.")
    ] = 200,
    samples: Annotated[bool, typer.Option(help="Place sample orders.")] = True,
) -> None:
    """Start the local stack and place sample orders."""
    from scripts.environment.environment import LOCAL, open_environment
    from scripts.local import sample_orders as sampling
    from scripts.local import stack

    options = stack.StackOptions(
        port=port,
        hold_seconds=hold,
        retry_seconds=retry,
        gateway_failure_rate=failure_rate,
        gateway_slow_seconds=slow_seconds,
    )
    state = stack.up(options, progress=_say)
    environment = open_environment(LOCAL)
    if samples:
        result = sampling.run_samples(environment, burst_orders=burst, progress=_say)
    else:
        sampling.seed(environment, sampling.catalogue())
        result = None
    _collect_metrics(environment)
    if session.as_json:
        _print_json({**_connection(state), "samples": _samples_json(result) if result else None})
    else:
        _show_up(state, result)
    if result is not None and not result.ok:
        raise ToolError("some sample orders did not have the expected outcome; see `pulsequeue logs`.")


def down(session: Session) -> None:
    """Stop the local stack."""
    from scripts.local import stack

    stopped = stack.down()
    if session.as_json:
        _print_json({"stopped": stopped})
    else:
        print("The local stack is down." if stopped else "The local stack was not running.")


def _collect_metrics(environment: Environment) -> None:
    """Collect metrics now; a failure is only noted, since the collector runs every minute."""
    from scripts.local import metrics_endpoint

    _say("Collecting the first metrics ...")
    try:
        metrics_endpoint.collect(environment)
    except ToolError as error:
        _say(f"! {error}; it is retried every minute.")


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _print_json(data: object) -> None:
    print(json.dumps(data, indent=2, ensure_ascii=False))


def _connection(state: StackState | None) -> dict[str, Any]:
    from scripts.environment.cognito import ROLES
    from scripts.local.aws.user_pool import TENANT

    return {
        "env": state.env if state else "local",
        "awsEndpoint": state and state.aws_endpoint,
        "region": state and state.region,
        "accessKeyId": state and state.access_key_id,
        "secretAccessKey": state and state.secret_access_key,
        "metricsUrl": state and state.metrics_url,
        "metricsToken": state and state.metrics_token,
        "apiUrl": state and state.api_url,
        "postgres": state and state.postgres,
        "users": [
            {"name": role, "role": role, "tenant": TENANT, "token": f"pulsequeue token --role {role}"}
            for role in ROLES
        ]
        if state
        else [],
    }


def status_json(found: Status) -> dict[str, Any]:
    return {
        **_connection(found.state),
        "healthy": found.healthy,
        "problems": list(found.problems),
        "functions": [
            {
                "name": it.name,
                "state": it.state,
                "trigger": it.trigger,
                "triggerState": it.trigger_state,
            }
            for it in found.functions
        ],
        "queues": [
            {
                "name": it.name,
                "visible": it.visible,
                "inFlight": it.in_flight,
                "delayed": it.delayed,
                "deadLetters": it.dlq,
            }
            for it in found.queues
        ],
        "logs": found.state.logs if found.state else {},
        "startedAt": found.state.started_at if found.state else None,
    }


def _samples_json(result: SamplesResult) -> dict[str, Any]:
    return {
        "ok": result.ok,
        "outcomes": [
            {"kind": it.kind, "orderId": it.order_id, "expected": it.expected, "seen": it.actual, "ok": it.ok}
            for it in result.outcomes
        ],
        "stock": [
            {"sku": it.sku, "name": it.name, "before": it.before, "after": it.after} for it in result.stock
        ],
        "burst": {
            "orders": result.burst.orders,
            "confirmed": result.burst.confirmed,
            "seconds": round(result.burst.seconds, 3),
            "ordersPerSecond": round(result.burst.orders_per_second, 1),
        },
    }


def _show_up(state: StackState, result: SamplesResult | None) -> None:
    if result is not None:
        _show_samples(result)
    print(f"\nPulseQueue runs on {state.aws_endpoint} (region {state.region}). From here:")
    print("  .venv/bin/pulsequeue status          queues and functions")
    print("  .venv/bin/pulsequeue logs --follow   logs of the functions")
    print("  .venv/bin/pulsequeue --help          all commands")
    print("  make down                            stop it")
    print(f"\nMetrics: {state.metrics_url}")
    print("with the bearer token shown by `pulsequeue status --json`.")
    print(f"\nAnalytics API: {state.api_url}/api/..., backed by PostgreSQL at {state.postgres}:")
    print('  curl -H "Authorization: Bearer $(.venv/bin/pulsequeue token --role admin)" \\')
    print(f"    '{state.api_url}/api/orders?limit=3'")


def _show_samples(result: SamplesResult) -> None:
    orders = _table("sample", "order", "expected", "actual", "")
    for it in result.outcomes:
        orders.add_row(it.kind, it.order_id, it.expected, it.actual, "ok" if it.ok else "UNEXPECTED")
    stock = _table("SKU", "product", "stock before", "after")
    for change in result.stock:
        stock.add_row(change.sku, change.name, str(change.before), str(change.after))
    _print_tables(orders, stock)
    burst = result.burst
    print(
        f"{burst.confirmed} of {burst.orders} burst orders settled in {burst.seconds:.1f} s: "
        f"{burst.orders_per_second:.0f} orders/s on this machine."
    )


def show_status(found: Status) -> None:
    for problem in found.problems:
        print(f"! {problem}")
    if found.state is None:
        return
    health = "healthy" if found.healthy else "NOT HEALTHY"
    print(f"{health}, {found.state.aws_endpoint}, up since {found.state.started_at}")
    functions = _table("function", "state", "trigger", "")
    for function in found.functions:
        functions.add_row(function.name, function.state, function.trigger, function.trigger_state)
    queues = _table("queue", "visible", "in flight", "delayed", "dead letters")
    for it in found.queues:
        queues.add_row(it.name, *map(str, (it.visible, it.in_flight, it.delayed, it.dlq)))
    _print_tables(functions, queues)


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print_tables(*tables: Table) -> None:
    from rich.console import Console

    # A pipe has no width: readers expect one line per row.
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False, emoji=False)
    for table in tables:
        if table.row_count:
            console.print()
            console.print(table)
    console.print()

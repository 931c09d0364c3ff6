"""What `pulsequeue up` and `status` print, as tables and as JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from scripts.environment.local_state import StackState
    from scripts.local.sample_orders import SamplesResult
    from scripts.local.stack_status import Status


def connection(state: StackState | None) -> dict[str, Any]:
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
        **connection(found.state),
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


def samples_json(result: SamplesResult) -> dict[str, Any]:
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
            "ordersPerSecond": round(result.burst.orders_per_second, 1),
            "ordersPerSecondOfEach": [round(rate, 1) for rate in result.burst.rates],
            "loadAverage": round(result.burst.load, 2),
            "cpus": result.burst.cpus,
        },
    }


def show_up(state: StackState, result: SamplesResult | None) -> None:
    if result is not None:
        _show_samples(result)
    print(f"\nPulseQueue runs on {state.aws_endpoint} (region {state.region}). From here:")
    print("  .venv/bin/pulsequeue status          queues and functions")
    print("  .venv/bin/pulsequeue logs --follow   logs of the functions")
    print("  .venv/bin/pulsequeue --help          all commands")
    print("  make down                            stop it; data is kept")
    print("  make reset                           stop it and remove its data")
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
        f"{burst.confirmed} of {burst.orders} burst orders confirmed, "
        f"{burst.orders_per_second:.0f} per second: the median of {len(burst.rates)} bursts\n"
        f"({min(burst.rates):.0f} to {max(burst.rates):.0f}), "
        f"on {burst.cpus} CPUs under a load of {burst.load:.1f}."
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

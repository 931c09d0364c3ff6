"""What `pulsequeue up` and `status` print, as tables and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scripts.cli.output import Output, Table

if TYPE_CHECKING:
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
        "consoleUrl": state and state.console_url,
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
        show_samples(result)
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


def show_samples(result: SamplesResult) -> None:
    # An order's id names its sample.
    orders = [
        (it.order_id, it.actual, "as expected" if it.ok else f"UNEXPECTED, not {it.expected}")
        for it in result.outcomes
    ]
    stock = [(it.sku, it.name, it.before, it.after) for it in result.stock]
    numbers = frozenset({"stock before", "after"})
    _print_tables(
        Table(("sample order", "outcome", ""), orders),
        Table(("SKU", "product", "stock before", "after"), stock, numbers),
    )
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
    functions = [(it.name, it.state, it.trigger, it.trigger_state) for it in found.functions]
    queues = [(it.name, it.visible, it.in_flight, it.delayed, it.dlq) for it in found.queues]
    counts = ("visible", "in flight", "delayed", "dead letters")
    _print_tables(
        Table(("function", "state", "trigger", ""), functions),
        Table(("queue", *counts), queues, frozenset(counts)),
    )


def _print_tables(*tables: Table) -> None:
    out = Output(as_json=False)
    for table in tables:
        if table.rows:
            out.show(None, "", table)
    print()

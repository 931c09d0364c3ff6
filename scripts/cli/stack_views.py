"""What `pulsequeue up` and `status` print, as tables and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scripts.cli.output import Table

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
            {
                "name": role,
                "role": role,
                "tenant": TENANT,
                "token": f"pulsequeue token --role {role}",
                "signInUrl": state.console_url and f"{state.console_url}/auth/login",
                "password": state.users_password,
            }
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
            {
                "kind": it.kind,
                "orderId": it.order_id,
                "expected": it.expected,
                "seen": it.actual,
                "ok": it.ok,
                "note": it.note,
            }
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


def up_view(state: StackState, result: SamplesResult | None) -> list[Table | str]:
    return [
        *(samples_view(result) if result is not None else []),
        "",
        f"PulseQueue runs on {state.aws_endpoint} (region {state.region}). From here:",
        "  .venv/bin/pulsequeue status          queues and functions",
        "  .venv/bin/pulsequeue logs --follow   logs of the functions",
        '  .venv/bin/pulsequeue sql "from orders limit 3"   the warehouse',
        "  .venv/bin/pulsequeue --help          all commands",
        "  make down                            stop it; data is kept",
        "  make reset                           stop it and remove its data",
        "",
        "Metrics, with the bearer token that `pulsequeue status --json` shows:",
        f"  {state.metrics_url}",
        "",
        "Analytics API; ask it for orders:",
        f"  {state.api_url}/api/",
        '  curl -H "Authorization: Bearer $(.venv/bin/pulsequeue token --role admin)" \\',
        f"    '{state.api_url}/api/orders?limit=3'",
        "",
        "PostgreSQL behind it:",
        f"  {state.postgres}",
    ]


def samples_view(result: SamplesResult) -> list[Table | str]:
    # An order's id names its sample.
    orders = [
        (it.order_id, it.actual, "as expected" if it.ok else f"UNEXPECTED, not {it.expected}")
        for it in result.outcomes
    ]
    stock = [(it.sku, it.name, it.before, it.after) for it in result.stock]
    burst = result.burst
    return [
        "",
        Table(("sample order", "outcome", ""), orders),
        *(f"{it.order_id}: {it.note}" for it in result.outcomes if it.note),
        "",
        Table(("SKU", "product", "stock before", "after"), stock, frozenset({"stock before", "after"})),
        "",
        (
            f"{burst.confirmed} of {burst.orders} burst orders confirmed, "
            f"{burst.orders_per_second:.0f} per second: the median of {len(burst.rates)} bursts "
            f"({min(burst.rates):.0f} to {max(burst.rates):.0f}), "
            f"on {burst.cpus} CPUs under a load of {burst.load:.1f}."
        ),
    ]


def status_view(found: Status) -> list[Table | str]:
    view: list[Table | str] = [f"problem: {problem}" for problem in found.problems]
    if found.state is None:
        return view
    health = "healthy" if found.healthy else "NOT HEALTHY"
    view.append(f"{health}, {found.state.aws_endpoint}, up since {found.state.started_at}")
    functions = [(it.name, it.state, it.trigger_label, it.trigger_state) for it in found.functions]
    queues = [(it.name, it.visible, it.in_flight, it.delayed, it.dlq) for it in found.queues]
    counts = ("visible", "in flight", "delayed", "dead letters")
    if functions:
        view += ["", Table(("function", "state", "trigger", "trigger state"), functions)]
    if queues:
        view += ["", Table(("queue", *counts), queues, frozenset(counts))]
    return view

"""`pulsequeue cost`: what a month costs, and which AWS limit is reached first, from measured figures."""

from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.cost.bill import Bill
    from scripts.cost.limits import Limit
    from scripts.cost.pipeline_costs import Deployed

_ORDERS, _RATE = 1_000_000, 1_000.0
_LOCAL = "local"


def register(app: typer.Typer) -> None:
    examples = ("cost --orders 1e6 --http", "cost --env prod --rate 5 --explain", "cost --limits --rate 500")
    command(app, examples=examples)(cost)


def cost(
    session: Session,
    *,
    orders: Annotated[
        float | None, typer.Option(metavar="N", help=f"Orders a month; default {_ORDERS:,}.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(metavar="N", help="Orders a second, instead of --orders.")
    ] = None,
    items: Annotated[int, typer.Option(metavar="K", help="SKUs per order.")] = 1,
    hot: Annotated[bool, typer.Option("--hot", help="All orders are for the same SKU.")] = False,
    batch: Annotated[
        float | None,
        typer.Option(metavar="B", help="Orders per batch; default: derived from the rate."),
    ] = None,
    decline_share: Annotated[
        float, typer.Option(metavar="X", help="Share of orders with a declined payment.")
    ] = 0.0,
    reject_share: Annotated[
        float, typer.Option(metavar="X", help="Share of orders rejected as out of stock.")
    ] = 0.0,
    round_trip_ms: Annotated[
        float, typer.Option(metavar="MS", help="Assumed duration of a call to AWS.")
    ] = 25.0,
    gateway_ms: Annotated[
        float, typer.Option(metavar="MS", help="Assumed duration of a call to the payment gateway.")
    ] = 200.0,
    scrapers: Annotated[int, typer.Option(metavar="N", help="Prometheus servers.")] = 1,
    http: Annotated[bool, typer.Option("--http", help="Orders come over HTTP: POST /api/orders.")] = False,
    figures: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Results of the benchmark per-order, instead of the repository's."),
    ] = None,
    monitoring: Annotated[
        bool, typer.Option("--monitoring", help="Include Prometheus and Grafana on Fargate; needs --env.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show every line: quantity times price.")
    ] = False,
    show_limits: Annotated[
        bool, typer.Option("--limits", help="Show each limit, and its headroom at --rate.")
    ] = False,
) -> None:
    """Show what a month costs at list prices, or with --limits which AWS limit is reached first.

    With --env the bill covers that environment as in infra/envs, otherwise the pipeline only.
    """
    from scripts.cost.limits import limits
    from scripts.cost.measurements import SUMMARY, Figures
    from scripts.cost.model import Assumptions, Model, OrderMix
    from scripts.cost.pipeline_costs import monthly
    from scripts.cost.prices import SECONDS_A_MONTH
    from scripts.cost.way_in import HttpOrderFigures
    from scripts.environment.topology import Topology

    month = _month(orders, rate, SECONDS_A_MONTH)
    model = Model(
        Figures.load(figures or SUMMARY),
        Topology.load(),
        OrderMix(skus=items, declined=decline_share, rejected=reject_share, hot=hot),
        Assumptions(round_trip_ms, gateway_ms, scrapers),
        batch,
        HttpOrderFigures.load() if http else None,
    )
    if show_limits:
        has_rate = rate is not None or orders is not None
        _show_limits(session, limits(model), month / SECONDS_A_MONTH if has_rate else _RATE)
    else:
        deployed = _deployed(session.env, monitoring=monitoring)
        _show_bill(session, monthly(model, month, deployed), deployed, explain=explain)


def _deployed(env: str, *, monitoring: bool) -> "Deployed | None":
    """Read the size of an environment; the local one has no bill but the pipeline's."""
    if env == _LOCAL:
        if monitoring:
            raise ToolError("--monitoring needs an environment; add --env dev or --env prod.", exit_code=2)
        return None
    from scripts.cost.environments import environment_size
    from scripts.cost.pipeline_costs import Deployed
    from scripts.cost.read_side import ProjectionTimes

    return Deployed(environment_size(env, monitoring=monitoring), ProjectionTimes.load())


def _month(orders: float | None, rate: float | None, seconds: float) -> float:
    """Return the orders a month, from --orders or --rate."""
    if orders is not None and rate is not None:
        raise ToolError("use either --orders or --rate, not both.", exit_code=2)
    if rate is not None:
        if not 0 <= rate < inf:
            raise ToolError(f"--rate must be a number from 0, not {rate:g}.", exit_code=2)
        return rate * seconds
    if orders is not None and not 0 <= orders < inf:
        raise ToolError(f"--orders must be a number from 0, not {orders:g}.", exit_code=2)
    return _ORDERS if orders is None else orders


def _show_bill(session: Session, bill: "Bill", deployed: "Deployed | None", *, explain: bool) -> None:
    from scripts.cost.bill import CostDriver
    from scripts.cost.markdown import dollars
    from scripts.cost.prices import AS_OF, REGION, SECONDS_A_MONTH

    rows = [
        (
            service,
            dollars(bill.per_million(service)),
            dollars(bill.sum(service=service, driver=CostDriver.FIXED)),
            dollars(bill.sum(service=service)),
        )
        for service in bill.services()
    ]
    fixed = bill.sum(driver=CostDriver.FIXED)
    rows.append(("total", dollars(bill.per_million()), dollars(fixed), dollars(bill.total)))
    columns = ("service", "per million orders", "without orders", "total")
    scope = deployed.environment.name if deployed else "Pipeline and metrics only"
    title = (
        f"{scope}, {bill.orders:,.0f} orders a month, {bill.orders / SECONDS_A_MONTH:,.3g} a second, "
        f"{bill.batches['order']:.3g} per batch. List prices of {REGION}, {AS_OF}, in US dollars:"
    )
    view: list[Table | str] = [
        title,
        Table(columns, rows, frozenset(columns[1:])),
    ]
    if explain:
        view.append(_lines(bill))
    session.out.show(_bill_data(bill, deployed), *view)


def _lines(bill: "Bill") -> Table:
    rows = [
        (
            line.service,
            line.name,
            line.driver.value,
            f"{line.quantity:,.4g}",
            line.price.label(),
            f"{line.dollars:,.4f}",
        )
        for line in bill.lines
        if line.quantity
    ]
    return Table(
        ("service", "item", "paid", "quantity", "price", "dollars"), rows, frozenset({"quantity", "dollars"})
    )


def _bill_data(bill: "Bill", deployed: "Deployed | None") -> dict[str, Any]:
    from scripts.cost.bill import CostDriver
    from scripts.cost.prices import AS_OF, REGION

    return {
        "environment": deployed.environment.name if deployed else None,
        "budget": deployed.environment.monthly_usd if deployed else None,
        "orders": bill.orders,
        "batches": dict(bill.batches),
        "region": REGION,
        "pricesAsOf": AS_OF,
        "total": bill.total,
        "withoutOrders": bill.sum(driver=CostDriver.FIXED),
        "perMillionOrders": bill.per_million(),
        "lines": [
            {
                "service": line.service,
                "item": line.name,
                "paid": line.driver.value,
                "quantity": line.quantity,
                "unit": line.price.unit,
                "price": line.price.each,
                "priceChecked": line.price.checked,
                "dollars": line.dollars,
            }
            for line in bill.lines
        ],
    }


def _show_limits(session: Session, found: "Sequence[Limit]", rate: float) -> None:
    from scripts.cost.scale_page import headroom_label, rate_label

    rows = [
        (
            limit.name,
            f"{limit.quota.value:,.0f} {limit.quota.unit}",
            rate_label(limit.max_rate),
            headroom_label(limit.headroom(rate)).strip("*"),
            limit.remedy,
        )
        for limit in found
    ]
    first = found[0]
    state = "exceeded" if first.headroom(rate) < 1 else "not reached"
    session.out.show(
        [
            {
                "limit": limit.name,
                "quota": limit.quota.value,
                "unit": limit.quota.unit,
                "checked": limit.quota.checked,
                "perOrder": limit.per_order,
                "maxOrdersPerSecond": limit.max_rate if limit.per_order else None,
                "headroom": limit.headroom(rate),
                "remedy": limit.remedy,
            }
            for limit in found
        ],
        f"First limit: {first.name}, at {rate_label(first.max_rate)} orders/s; {state} at {rate:,.0f}/s.",
        f"Headroom at {rate:,.0f}/s:",
        Table(
            ("limit", "quota", "orders/s", "headroom", "what to do"),
            rows,
            frozenset({"orders/s", "headroom"}),
        ),
    )

"""`pulsequeue cost`: what a month costs and which limit comes first, by what orders were measured to take."""

from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.cost.bill import Deployed
    from scripts.cost.limits import Limit
    from scripts.cost.lines import Bill
    from scripts.environment.topology import Topology

_ORDERS, _RATE = 1_000_000, 1_000.0
_THIS_MACHINE = "local"


def register(app: typer.Typer) -> None:
    command(app)(cost)


def cost(
    session: Session,
    *,
    orders: Annotated[
        float | None, typer.Option(metavar="N", help=f"Orders a month; {_ORDERS:,} unless told.")
    ] = None,
    rate: Annotated[float | None, typer.Option(metavar="N", help="Orders a second instead.")] = None,
    items: Annotated[int, typer.Option(metavar="K", help="SKUs in an order.")] = 1,
    hot: Annotated[bool, typer.Option("--hot", help="All orders are for one and the same SKU.")] = False,
    batch: Annotated[
        float | None,
        typer.Option(metavar="B", help="Orders in a batch; unless told, what an even rate gathers."),
    ] = None,
    decline_share: Annotated[float, typer.Option(metavar="X", help="Share of payments declined.")] = 0.0,
    reject_share: Annotated[float, typer.Option(metavar="X", help="Share of orders out of stock.")] = 0.0,
    round_trip_ms: Annotated[
        float, typer.Option(metavar="MS", help="Assumed time for an answer of AWS.")
    ] = 25.0,
    gateway_ms: Annotated[
        float, typer.Option(metavar="MS", help="Assumed time for an answer of the payment gateway.")
    ] = 200.0,
    scrapers: Annotated[int, typer.Option(metavar="N", help="Prometheus servers.")] = 1,
    figures: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Measured figures, instead of the repository's.")
    ] = None,
    monitoring: Annotated[
        bool, typer.Option("--monitoring", help="With Prometheus and Grafana on Fargate; with --env.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show every line: quantity times price.")
    ] = False,
    show_limits: Annotated[
        bool, typer.Option("--limits", help="Show what each limit bears, and its head room at --rate.")
    ] = False,
) -> None:
    """Say what a month costs at list prices, or with --limits which limit is met first.

    With --env it is the bill of that environment, as infra/envs has it; else that of the pipeline alone.
    """
    from scripts.cost.bill import monthly
    from scripts.cost.limits import limits
    from scripts.cost.measurements import MEASURED, Figures
    from scripts.cost.model import Assumptions, Model, Orders
    from scripts.cost.prices import SECONDS_A_MONTH
    from scripts.environment.topology import Topology

    month = _month(orders, rate, SECONDS_A_MONTH)
    model = Model(
        Figures.load(figures or MEASURED),
        Topology.load(),
        Orders(skus=items, declined=decline_share, rejected=reject_share, hot=hot),
        Assumptions(round_trip_ms, gateway_ms, scrapers),
        batch,
    )
    if show_limits:
        asked = rate is not None or orders is not None
        _show_limits(session, limits(model), month / SECONDS_A_MONTH if asked else _RATE)
    else:
        deployed = _deployed(session.env, model.topology, monitoring=monitoring)
        _show_bill(session, monthly(model, month, deployed), deployed, explain=explain)


def _deployed(env: str, topology: "Topology", *, monitoring: bool) -> "Deployed | None":
    """Read how large an environment is; one on this machine has no bill but its pipeline's."""
    if env == _THIS_MACHINE:
        if monitoring:
            raise ToolError("--monitoring is part of an environment's bill: name one by --env.", exit_code=2)
        return None
    from scripts.cost.bill import Deployed
    from scripts.cost.inventory import Inventory
    from scripts.cost.read_side import Projected

    return Deployed(Inventory(topology).environment(env, watched=monitoring), Projected.load())


def _month(orders: float | None, rate: float | None, seconds: float) -> float:
    """Say how many orders a month was asked for, in one way or the other."""
    if orders is not None and rate is not None:
        raise ToolError("give --orders a month or --rate a second, not both.", exit_code=2)
    if rate is not None:
        if not 0 <= rate < inf:
            raise ToolError(f"there cannot be {rate:g} orders a second.", exit_code=2)
        return rate * seconds
    if orders is not None and not 0 <= orders < inf:
        raise ToolError(f"there cannot be {orders:g} orders.", exit_code=2)
    return _ORDERS if orders is None else orders


def _show_bill(session: Session, bill: "Bill", deployed: "Deployed | None", *, explain: bool) -> None:
    from scripts.cost.lines import Nature
    from scripts.cost.prices import AS_OF, REGION, SECONDS_A_MONTH
    from scripts.cost.tables import dollars

    rows = [
        (
            service,
            dollars(bill.per_million(service)),
            dollars(bill.sum(service=service, nature=Nature.FIXED)),
            dollars(bill.sum(service=service)),
        )
        for service in bill.services()
    ]
    fixed, whole = bill.sum(nature=Nature.FIXED), bill.total
    rows.append(("all", dollars(bill.per_million()), dollars(fixed), dollars(whole)))
    columns = ("service", "per million orders", "without orders", "the month")
    whose = f"{deployed.environment.name}, " if deployed else "The pipeline and its metrics alone, "
    of_what = (
        f"{whose}{bill.orders:,.0f} orders a month, {bill.orders / SECONDS_A_MONTH:,.3g} a second, "
        f"{bill.batches['order']:.3g} in a batch. List prices of {REGION}, {AS_OF}, in dollars:"
    )
    view: list[Table | str] = [
        of_what,
        Table(columns, rows, frozenset(columns[1:])),
    ]
    if explain:
        view.append(_lines(bill))
    session.out.show(_bill_data(bill, deployed), *view)


def _lines(bill: "Bill") -> Table:
    rows = [
        (
            line.service,
            line.what,
            line.nature.value,
            f"{line.quantity:,.4g}",
            line.price.told(),
            f"{line.dollars:,.4f}",
        )
        for line in bill.lines
        if line.quantity
    ]
    return Table(
        ("service", "what", "paid", "quantity", "price", "dollars"), rows, frozenset({"quantity", "dollars"})
    )


def _bill_data(bill: "Bill", deployed: "Deployed | None") -> dict[str, Any]:
    from scripts.cost.lines import Nature
    from scripts.cost.prices import AS_OF, REGION

    return {
        "environment": deployed.environment.name if deployed else None,
        "budget": deployed.environment.monthly_usd if deployed else None,
        "orders": bill.orders,
        "batches": dict(bill.batches),
        "region": REGION,
        "pricesAsOf": AS_OF,
        "total": bill.total,
        "withoutOrders": bill.sum(nature=Nature.FIXED),
        "perMillionOrders": bill.per_million(),
        "lines": [
            {
                "service": line.service,
                "what": line.what,
                "paid": line.nature.value,
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
    from scripts.cost.page import bears, room

    rows = [
        (
            limit.what,
            f"{limit.quota.value:,.0f} {limit.quota.unit}",
            bears(limit.bears),
            room(limit.head_room(rate)).strip("*"),
            limit.then,
        )
        for limit in found
    ]
    first = found[0]
    met = "met" if first.head_room(rate) < 1 else "not met yet"
    at = f"head room at {rate:,.0f}/s"
    session.out.show(
        [
            {
                "limit": limit.what,
                "quota": limit.quota.value,
                "unit": limit.quota.unit,
                "checked": limit.quota.checked,
                "perOrder": limit.each,
                "bearsPerSecond": limit.bears if limit.each else None,
                "headRoom": limit.head_room(rate),
                "then": limit.then,
            }
            for limit in found
        ],
        f"The first limit is {first.what}, at {bears(first.bears)} orders/s: {met} at {rate:,.0f}/s.",
        Table(("limit", "as it is", "bears orders/s", at, "then"), rows, frozenset({"bears orders/s", at})),
    )

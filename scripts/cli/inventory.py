"""`pulsequeue inventory`: what is on the shelf."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import DEFAULT_TENANT, Session, Tenant, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.ops.inventory import Changed
    from services.shared.adapters.dynamodb_items import Unreadable
    from services.shared.ledger import Stock

CATALOGUE = Path(__file__).resolve().parents[1] / "data" / "catalogue.json"

Sku = Annotated[str, typer.Argument(metavar="SKU")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Look at stock, and change it.", no_args_is_help=True)
    command(group)(ls)
    command(group)(seed)
    command(group, "set")(set_)
    command(group, negative_numbers=True)(adjust)
    app.add_typer(group, name="inventory")


def ls(
    session: Session,
    tenant: Annotated[str | None, typer.Option(metavar="ID", help="Only this tenant's.")] = None,
) -> None:
    """List every SKU with its numbers."""
    spoiled: list[Unreadable] = []
    stocks = sorted(
        (one for one in session.ops.store.scan_stock(spoiled.append) if tenant in (None, one.key.tenant_id)),
        key=lambda one: one.key,
    )
    _show(session, stocks)
    if spoiled:
        names = ", ".join(row.key.pk for row in spoiled)
        raise ToolError(f"these rows cannot be read: {names}; `pulsequeue audit` says why.")


def seed(
    session: Session,
    file: Annotated[str | None, typer.Argument(help="A catalogue; the sample one if not given.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Put the products of a catalogue that are not in the inventory yet; leave the others alone."""
    from scripts.common.json_input import read_json
    from scripts.ops import inventory

    source = file or str(CATALOGUE)
    catalogue = inventory.products(read_json(source, stdin=session.stdin), source)
    new, told = inventory.seed(session.ops, catalogue, tenant)
    session.out.show(
        {"new": [stock.key.id for stock in new], "known": len(catalogue) - len(new)},
        f"{len(new)} new SKUs, {len(catalogue) - len(new)} were there already.",
    )
    _insist(told=told)


def set_(
    session: Session,
    *,
    sku: Sku,
    stock: Annotated[int | None, typer.Option(min=0, help="What is on hand.")] = None,
    price: Annotated[int | None, typer.Option(min=0, metavar="MINOR", help="In cents or the like.")] = None,
    currency: Annotated[str | None, typer.Option(metavar="CUR", help="ISO code, such as USD.")] = None,
    name: Annotated[str | None, typer.Option()] = None,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Set parts of a SKU, or make a new one (which needs a price and a currency)."""
    from scripts.ops import inventory

    if stock is None and price is None and currency is None and name is None:
        raise ToolError("say what to set: --stock, --price, --currency or --name.", exit_code=2)
    key = inventory.key_of(sku, tenant)
    current = session.ops.store.read_stock([key]).get(key)
    wanted = inventory.price_of(current, price, currency)
    _changed(session, inventory.set_stock(session.ops, key, stock=stock, price=wanted, name=name))


def adjust(
    session: Session,
    sku: Sku,
    delta: Annotated[int, typer.Argument(help="How many more, or fewer: 5 or -5.")],
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Put some more of a SKU on the shelf, or take some off it."""
    from scripts.ops import inventory

    if delta == 0:
        raise ToolError("a change of 0 is none.", exit_code=2)
    _changed(session, inventory.adjust(session.ops, inventory.key_of(sku, tenant), delta))


def _changed(session: Session, changed: "Changed") -> None:
    _show(session, [changed.stock], one=True)
    _insist(told=changed.told)


def _insist(*, told: bool) -> None:
    if not told:
        raise ToolError(
            "the stock was changed, but the bus did not take the InventoryAdjusted that tells of it."
        )


def _show(session: Session, stocks: "list[Stock]", *, one: bool = False) -> None:
    from scripts.ops.presenters import money, stock_view

    data = [stock_view(stock) for stock in stocks]
    several = any(stock.key.tenant_id != DEFAULT_TENANT for stock in stocks)
    rows = [
        (
            *((stock.key.tenant_id,) if several else ()),
            stock.key.id,
            stock.name,
            stock.stock,
            stock.reserved,
            stock.available,
            money(stock.price.minor, stock.price.currency),
        )
        for stock in stocks
    ]
    columns = (*(("tenant",) if several else ()), "sku", "name", "stock", "reserved", "available", "price")
    numbers = frozenset({"stock", "reserved", "available", "price"})
    empty = "the inventory is empty; `pulsequeue inventory seed` fills it"
    session.out.show(data[0] if one else data, Table(columns, rows, numbers, empty=empty))

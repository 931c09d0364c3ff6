"""`pulsequeue inventory`: list and change stock."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import DEFAULT_TENANT, Session, Tenant, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.ops.inventory import StockChange
    from services.shared.adapters.dynamodb_items import Unreadable
    from services.shared.ledger import Stock

CATALOGUE = Path(__file__).resolve().parents[1] / "data" / "catalogue.json"

Sku = Annotated[str, typer.Argument(metavar="SKU", help="The SKU.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="List and change stock.", no_args_is_help=True)
    command(group, examples=("inventory ls", "inventory ls --tenant default --json"))(ls)
    command(group, examples=("inventory seed", "inventory seed catalogue.json"))(seed)
    command(group, "set", examples=("inventory set prod-001 --stock 50 --price 1999 --currency EUR",))(set_)
    command(group, examples=("inventory adjust prod-001 -5",), negative_numbers=True)(adjust)
    app.add_typer(group, name="inventory")


def ls(
    session: Session,
    tenant: Annotated[str | None, typer.Option(metavar="ID", help="Only of this tenant.")] = None,
) -> None:
    """List stock, reservations and prices of all SKUs."""
    unreadable: list[Unreadable] = []
    stocks = sorted(
        (
            one
            for one in session.ops.store.scan_stock(unreadable.append)
            if tenant in (None, one.key.tenant_id)
        ),
        key=lambda one: one.key,
    )
    _show(session, stocks)
    if unreadable:
        names = ", ".join(row.key.pk for row in unreadable)
        raise ToolError(f"cannot read these rows: {names}; `pulsequeue audit` shows why.")


def seed(
    session: Session,
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="A catalogue; default the sample.")
    ] = None,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Add the missing products of a catalogue; leave existing ones unchanged."""
    from scripts.common.json_input import read_json
    from scripts.ops import inventory

    source = file or str(CATALOGUE)
    catalogue = inventory.products(read_json(source, stdin=session.stdin), source)
    new, published = inventory.seed(session.ops, catalogue, tenant)
    session.out.show(
        {"new": [stock.key.id for stock in new], "known": len(catalogue) - len(new)},
        f"{len(new)} SKUs added, {len(catalogue) - len(new)} existed already.",
    )
    _require_published(published=published)


def set_(
    session: Session,
    *,
    sku: Sku,
    stock: Annotated[int | None, typer.Option(metavar="N", min=0, help="Units on hand.")] = None,
    price: Annotated[
        int | None,
        typer.Option(min=0, metavar="MINOR", help="Unit price in minor units (cents)."),
    ] = None,
    currency: Annotated[str | None, typer.Option(metavar="CUR", help="ISO code, such as USD.")] = None,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="Name of the product.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Set the stock, price or name of a SKU; a new one needs a price and a currency."""
    from scripts.ops import inventory

    if stock is None and price is None and currency is None and name is None:
        raise ToolError("nothing to set; give --stock, --price, --currency or --name.", exit_code=2)
    key = inventory.key_of(sku, tenant)
    current = session.ops.store.read_stock([key]).get(key)
    new_price = inventory.price_of(current, price, currency)
    _changed(session, inventory.set_stock(session.ops, key, stock=stock, price=new_price, name=name))


def adjust(
    session: Session,
    sku: Sku,
    delta: Annotated[int, typer.Argument(metavar="DELTA", help="Units to add or remove: 5 or -5.")],
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Add units to a SKU's stock, or remove available ones."""
    from scripts.ops import inventory

    if delta == 0:
        raise ToolError("a change of 0 has no effect; give another number.", exit_code=2)
    _changed(session, inventory.adjust(session.ops, inventory.key_of(sku, tenant), delta))


def _changed(session: Session, changed: "StockChange") -> None:
    _show(session, [changed.stock], one=True)
    _require_published(published=changed.published)


def _require_published(*, published: bool) -> None:
    if not published:
        raise ToolError("the stock was changed, but the bus did not accept the InventoryAdjusted event.")


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
    empty = "the inventory is empty; run `pulsequeue inventory seed`"
    session.out.show(data[0] if one else data, Table(columns, rows, numbers, empty=empty))

"""Changes of stock by operators, each published on the bus and recorded in the operations log."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from scripts.common.errors import ToolError
from scripts.common.json_input import faults
from scripts.ops.context import OpsContext
from services.shared.events import (
    MAX_UNIT_PRICE,
    Currency,
    Event,
    Identifier,
    Minor,
    Text,
)
from services.shared.ledger import Key, Price, Stock
from services.shared.stock_events import inventory_adjusted

_BATCH_SIZE = 100


class Product(BaseModel):
    """One entry of a catalogue file."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    sku: Identifier
    stock: Annotated[int, Field(ge=0, strict=True)]
    unit_price_minor: Annotated[Minor, Field(le=MAX_UNIT_PRICE)]
    currency: Currency
    name: Text | None = None

    def as_stock(self, tenant: str) -> Stock:
        price = Price(self.unit_price_minor, self.currency)
        return Stock(Key(tenant, self.sku), self.stock, 0, self.stock, price, self.name)


_PRODUCTS = TypeAdapter(list[Product])
_SKU = TypeAdapter(Identifier)


@dataclass(frozen=True, slots=True)
class StockChange:
    stock: Stock
    published: bool
    """Whether the bus accepted the InventoryAdjusted event; the change is made in any case."""


def products(document: object, source: str) -> list[Product]:
    """Read a catalogue: a list of products, or an object that holds one under `products`."""
    if isinstance(document, dict) and "products" in document:
        document = document["products"]
    try:
        parsed = _PRODUCTS.validate_python(document)
    except ValidationError as error:
        raise ToolError(f"{source} is not a valid catalogue:\n  " + "\n  ".join(faults(error))) from None
    names = [product.sku for product in parsed]
    if duplicates := sorted({sku for sku in names if names.count(sku) > 1}):
        raise ToolError(f"{source} lists {', '.join(duplicates)} more than once.")
    return parsed


def key_of(sku: str, tenant: str) -> Key:
    try:
        return Key(_SKU.validate_python(tenant), _SKU.validate_python(sku))
    except ValidationError as error:
        raise ToolError(f"{sku!r} is not a valid SKU: {'; '.join(faults(error))}.", exit_code=2) from None


def seed(ops: OpsContext, catalogue: Iterable[Product], tenant: str) -> tuple[list[Stock], bool]:
    """Add the missing products; returns them, and whether all their events were published."""
    stocks = [product.as_stock(tenant) for product in catalogue]
    known = ops.store.read_stock([stock.key for stock in stocks])
    # One at a time, so that products added by a concurrent run are not published by this one.
    new = [stock for stock in stocks if stock.key not in known and ops.store.seed([stock])]
    published = True
    for start in range(0, len(new), _BATCH_SIZE):
        part = new[start : start + _BATCH_SIZE]
        published &= not ops.bus.publish([_adjusted(ops, stock, stock.stock) for stock in part])
    if new:
        _record(ops, "inventory seed", {"tenant": tenant}, {"skus": [stock.key.id for stock in new]})
    return new, published


def adjust(ops: OpsContext, key: Key, delta: int) -> StockChange:
    stock = ops.store.adjust(key, delta)
    if stock is None:
        current = ops.store.read_stock([key]).get(key)
        if current is None:
            raise ToolError(f"SKU {key.id!r} not found; create it with `pulsequeue inventory set`.")
        reserved = f", {current.reserved} reserved" if current.reserved else ""
        raise ToolError(
            f"cannot remove {-delta} units of {key.id!r}: {current.available} available{reserved}."
        )
    return _publish(ops, "inventory adjust", stock, delta, {"delta": delta})


def set_stock(
    ops: OpsContext, key: Key, *, stock: int | None, price: Price | None, name: str | None
) -> StockChange:
    """Create a SKU, or set parts of one."""
    before = ops.store.read_stock([key]).get(key)
    if before is None and price is None:
        raise ToolError(f"SKU {key.id!r} is new; give --price and --currency.")
    after = ops.store.set_stock(key, stock=stock, price=price, name=name)
    if after is None:
        current = ops.store.read_stock([key]).get(key)
        reserved = current.reserved if current else 0
        raise ToolError(f"{reserved} units of {key.id!r} are reserved; cannot set the stock to {stock}.")
    parameters = {
        "stock": stock,
        "unitPriceMinor": price.minor if price else None,
        "currency": price.currency if price else None,
        "name": name,
    }
    given = {name: value for name, value in parameters.items() if value is not None}
    return _publish(ops, "inventory set", after, after.stock - (before.stock if before else 0), given)


def price_of(current: Stock | None, minor: int | None, currency: str | None) -> Price | None:
    """Complete a price from the current one if only its amount or its currency is given."""
    if minor is None and currency is None:
        return None
    if current is None and (minor is None or currency is None):
        raise ToolError("a new SKU needs both --price and --currency.", exit_code=2)
    known = current.price if current else Price(0, "")
    price = Price(known.minor if minor is None else minor, currency or known.currency)
    try:
        Product(sku="sku", stock=0, unit_price_minor=price.minor, currency=price.currency)
    except ValidationError as error:
        raise ToolError(f"invalid price: {'; '.join(faults(error))}.", exit_code=2) from None
    return price


def _publish(
    ops: OpsContext, action: str, stock: Stock, delta: int, parameters: dict[str, Any]
) -> StockChange:
    published = not ops.bus.publish([_adjusted(ops, stock, delta)])
    parameters = {"sku": stock.key.id, "tenant": stock.key.tenant_id, **parameters}
    levels = {
        "stock": stock.stock,
        "reserved": stock.reserved,
        "available": stock.available,
        "published": published,
    }
    _record(ops, action, parameters, levels)
    return StockChange(stock, published)


def _record(ops: OpsContext, action: str, parameters: dict[str, Any], result: dict[str, Any]) -> None:
    ops.operations_log.record(action, parameters, result)


def _adjusted(ops: OpsContext, stock: Stock, delta: int) -> Event:
    return inventory_adjusted(stock, delta, str(uuid4()), ops.clock.now())

"""What operators do with stock. Every change is told on the bus and written into the audit log."""

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
    InventoryAdjusted,
    Minor,
    Text,
)
from services.shared.ledger import Key, Price, Stock

_AT_ONCE = 100


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
class Changed:
    stock: Stock
    told: bool
    """False when the change was made, but the bus did not take the event that tells of it."""


def products(document: object, source: str) -> list[Product]:
    """Read a catalogue: a list of products, or an object that holds one under `products`."""
    if isinstance(document, dict) and "products" in document:
        document = document["products"]
    try:
        read = _PRODUCTS.validate_python(document)
    except ValidationError as error:
        raise ToolError(f"{source} is not a catalogue:\n  " + "\n  ".join(faults(error))) from None
    names = [product.sku for product in read]
    if twice := sorted({sku for sku in names if names.count(sku) > 1}):
        raise ToolError(f"{source} names {', '.join(twice)} more than once.")
    return read


def key_of(sku: str, tenant: str) -> Key:
    try:
        return Key(_SKU.validate_python(tenant), _SKU.validate_python(sku))
    except ValidationError as error:
        raise ToolError(f"{sku!r} cannot be a SKU: {'; '.join(faults(error))}.", exit_code=2) from None


def seed(ops: OpsContext, catalogue: Iterable[Product], tenant: str) -> tuple[list[Stock], bool]:
    """Put the products that are not there yet; returns them, and whether everybody was told."""
    stocks = [product.as_stock(tenant) for product in catalogue]
    known = ops.store.read_stock([stock.key for stock in stocks])
    # One by one, so that what another seeding put first is not told as ours.
    new = [stock for stock in stocks if stock.key not in known and ops.store.seed([stock])]
    told = True
    for start in range(0, len(new), _AT_ONCE):
        part = new[start : start + _AT_ONCE]
        told &= not ops.bus.publish([_adjusted(ops, stock, stock.stock) for stock in part])
    if new:
        _record(ops, "inventory seed", {"tenant": tenant}, {"skus": [stock.key.id for stock in new]})
    return new, told


def adjust(ops: OpsContext, key: Key, delta: int) -> Changed:
    stock = ops.store.adjust(key, delta)
    if stock is None:
        current = ops.store.read_stock([key]).get(key)
        if current is None:
            raise ToolError(f"there is no SKU {key.id!r}; `pulsequeue inventory set` makes one.")
        raise ToolError(
            f"{key.id!r} has only {current.available} available of {current.stock}; {-delta} cannot be taken."
        )
    return _tell(ops, "inventory adjust", stock, delta, {"delta": delta})


def set_stock(
    ops: OpsContext, key: Key, *, stock: int | None, price: Price | None, name: str | None
) -> Changed:
    """Create a SKU, or set parts of one."""
    before = ops.store.read_stock([key]).get(key)
    if before is None and price is None:
        raise ToolError(f"{key.id!r} is not in the inventory yet; it needs --price and --currency.")
    after = ops.store.set_stock(key, stock=stock, price=price, name=name)
    if after is None:
        current = ops.store.read_stock([key]).get(key)
        reserved = current.reserved if current else 0
        raise ToolError(f"{reserved} of {key.id!r} are reserved; the stock cannot be set to {stock}.")
    parameters = {
        "stock": stock,
        "unitPriceMinor": price.minor if price else None,
        "currency": price.currency if price else None,
        "name": name,
    }
    given = {name: value for name, value in parameters.items() if value is not None}
    return _tell(ops, "inventory set", after, after.stock - (before.stock if before else 0), given)


def price_of(current: Stock | None, minor: int | None, currency: str | None) -> Price | None:
    """Complete a price of which only one half was given with what the SKU costs now."""
    if minor is None and currency is None:
        return None
    if current is None and (minor is None or currency is None):
        raise ToolError("a new SKU needs both --price and --currency.", exit_code=2)
    known = current.price if current else Price(0, "")
    price = Price(known.minor if minor is None else minor, currency or known.currency)
    try:
        Product(sku="sku", stock=0, unit_price_minor=price.minor, currency=price.currency)
    except ValidationError as error:
        raise ToolError(f"that is no price: {'; '.join(faults(error))}.", exit_code=2) from None
    return price


def _tell(ops: OpsContext, action: str, stock: Stock, delta: int, parameters: dict[str, Any]) -> Changed:
    told = not ops.bus.publish([_adjusted(ops, stock, delta)])
    parameters = {"sku": stock.key.id, "tenant": stock.key.tenant_id, **parameters}
    levels = {"stock": stock.stock, "reserved": stock.reserved, "available": stock.available, "told": told}
    _record(ops, action, parameters, levels)
    return Changed(stock, told)


def _record(ops: OpsContext, action: str, parameters: dict[str, Any], result: dict[str, Any]) -> None:
    ops.operations_log.record(action, parameters, result)


def _adjusted(ops: OpsContext, stock: Stock, delta: int) -> Event:
    return InventoryAdjusted(
        event_id=str(uuid4()),
        correlation_id=stock.key.id,
        occurred_at=ops.clock.now(),
        tenant_id=stock.key.tenant_id,
        sku=stock.key.id,
        delta=delta,
        stock=stock.stock,
        available=stock.available,
        unit_price_minor=stock.price.minor,
        currency=stock.price.currency,
        name=stock.name,
    )

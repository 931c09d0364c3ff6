"""Demo data of one tenant: the same arguments give the same events, byte for byte."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from itertools import chain, count
from typing import Final

from scripts.demo_data import orders, subscriptions
from scripts.demo_data.catalog import OTHER_CURRENCY, Customers, Product, popularity, products
from scripts.demo_data.rng import seeded_random
from scripts.demo_data.seasonality import Seasonality, months_before
from services.shared.events import Event, InventoryAdjusted, event_id

_CHUNK: Final = 1_000
_STOCK_COUNT_INTERVAL: Final = timedelta(days=91)
_STOCK: Final = 50_000
_FIRST_RATE: Final = Decimal("1.0800")
_RATE_STEP: Final = Decimal("0.0001")
_RATE_STEPS_A_MONTH: Final = 150


class SubjectKind(StrEnum):
    PRODUCTS = "products"
    CUSTOMERS = "customers"
    ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part that can be generated without the others."""

    kind: SubjectKind
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class FxRate:
    """A row of fx_rates."""

    tenant_id: str
    currency: str
    valid_from: date
    rate: Decimal


@dataclass(frozen=True)
class DemoData:
    """Orders of some customers over the last months, the current one included."""

    orders: int
    customers: int
    months: int
    seed: int
    tenant: str
    until: datetime

    def __post_init__(self) -> None:
        if min(self.orders, self.customers, self.months) < 1:
            raise ValueError("demo data needs at least one order, one customer and one month")

    def events(self) -> Iterator[Event]:
        """Generate all events, subject by subject; nothing is held in memory."""
        return chain.from_iterable(self.event_groups(self.chunks()))

    def events_of_kind(self, kind: SubjectKind) -> Iterator[Event]:
        chunks = [chunk for chunk in self.chunks() if chunk.kind is kind]
        return chain.from_iterable(self.event_groups(chunks))

    def event_groups(self, chunks: Sequence[Chunk]) -> Iterator[list[Event]]:
        """Generate all events of one product, one customer's subscriptions or one order at a time."""
        for chunk in chunks:
            for group in self._groups_of(chunk):
                if events := [event for event in group if event.occurred_at < self.until]:
                    yield events

    def chunks(self) -> list[Chunk]:
        sizes = {
            SubjectKind.PRODUCTS: len(self._products),
            SubjectKind.CUSTOMERS: self.customers,
            SubjectKind.ORDERS: self.orders,
        }
        return [
            Chunk(kind, first, min(first + _CHUNK, size))
            for kind, size in sizes.items()
            for first in range(0, size, _CHUNK)
        ]

    def rates(self) -> list[FxRate]:
        """Exchange rates of the second currency, valid from the first of each month."""
        random, rate, rates = seeded_random(self.seed, "rates"), _FIRST_RATE, []
        for back in range(self.months, 0, -1):
            rates.append(FxRate(self.tenant, OTHER_CURRENCY, months_before(self.until, back).date(), rate))
            rate += _RATE_STEP * random.randint(-_RATE_STEPS_A_MONTH, _RATE_STEPS_A_MONTH)
        return rates

    @cached_property
    def start(self) -> datetime:
        return months_before(self.until, self.months)

    @cached_property
    def _seasonality(self) -> Seasonality:
        return Seasonality(self.start, self.until)

    @cached_property
    def _customers(self) -> Customers:
        return Customers(self.seed, self.customers)

    @cached_property
    def _products(self) -> Sequence[Product]:
        return products(self.seed)

    # Other arguments give other order and subscription ids, so that two data sets of one tenant never mix;
    # more orders leave the subscriptions unchanged.
    @cached_property
    def _subscription_namespace(self) -> str:
        return _namespace(self.tenant, self.seed, self.customers, self.months, self.until)

    @cached_property
    def _order_namespace(self) -> str:
        return _namespace(self._subscription_namespace, self.orders)

    def _groups_of(self, chunk: Chunk) -> Iterator[Iterator[Event]]:
        match chunk.kind:
            case SubjectKind.PRODUCTS:
                return (self._stock_counts(product) for product in self._products[chunk.first : chunk.end])
            case SubjectKind.CUSTOMERS:
                return self._subscribed(chunk)
            case SubjectKind.ORDERS:
                return self._ordered(chunk)

    def _ordered(self, chunk: Chunk) -> Iterator[Iterator[Event]]:
        random, sold = seeded_random(self.seed, "orders", chunk.first), popularity(self._products)
        for number in range(chunk.first, chunk.end):
            share = (number + random.random()) / self.orders
            customer = self._customers.pick(share, random.random())
            draft = orders.Draft(
                self.tenant,
                f"order-{self._order_namespace}-{number:08}",
                customer,
                self._seasonality.at(share),
                orders.draw_lines(random, sold[customer.region.currency]),
            )
            yield orders.events_of(draft, random)

    def _subscribed(self, chunk: Chunk) -> Iterator[Iterator[Event]]:
        random = seeded_random(self.seed, "subscriptions", chunk.first)
        for number in range(chunk.first, chunk.end):
            customer = self._customers[number]
            subscriber = subscriptions.Subscriber(
                self.tenant,
                customer.name,
                customer.region.currency,
                self._seasonality.at(self._customers.joined(number)),
                self._subscription_namespace,
            )
            yield subscriptions.events_of(subscriber, self.until, random)

    def _stock_counts(self, product: Product) -> Iterator[Event]:
        """Every quarter the stock is counted and replenished."""
        for times in count():
            at = self.start + times * _STOCK_COUNT_INTERVAL
            if at >= self.until:
                return
            yield InventoryAdjusted(
                event_id=event_id(
                    self.tenant, product.sku, "InventoryAdjusted", f"{self._order_namespace}-{times}"
                ),
                correlation_id=product.sku,
                occurred_at=at,
                tenant_id=self.tenant,
                sku=product.sku,
                delta=_STOCK,
                stock=_STOCK * (times + 1),
                available=_STOCK * (times + 1),
                unit_price_minor=product.price_minor,
                currency=product.currency,
                name=product.name,
            )


def _namespace(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:6]

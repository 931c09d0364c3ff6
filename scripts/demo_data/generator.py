"""The past of one tenant: the same arguments tell the same events, to the byte."""

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
from scripts.demo_data.rng import chance
from scripts.demo_data.seasonality import Seasons, months_before
from services.shared.events import Event, InventoryAdjusted, event_id

_CHUNK: Final = 1_000
_COUNTED_EVERY: Final = timedelta(days=91)
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
    """A part that can be told without the others."""

    about: SubjectKind
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Rate:
    """A row of fx_rates."""

    tenant_id: str
    currency: str
    valid_from: date
    rate: Decimal


@dataclass(frozen=True)
class DemoData:
    """So many orders of so many customers in the last months, the running one included."""

    orders: int
    customers: int
    months: int
    seed: int
    tenant: str
    until: datetime

    def __post_init__(self) -> None:
        if min(self.orders, self.customers, self.months) < 1:
            raise ValueError("a past has at least one order, one customer and one month")

    def events(self) -> Iterator[Event]:
        """Tell everything, one subject after the other; nothing is kept."""
        return chain.from_iterable(self.stories(self.chunks()))

    def events_of_kind(self, about: SubjectKind) -> Iterator[Event]:
        chunks = [chunk for chunk in self.chunks() if chunk.about is about]
        return chain.from_iterable(self.stories(chunks))

    def stories(self, chunks: Sequence[Chunk]) -> Iterator[list[Event]]:
        """Tell all there is to tell of one product, one customer's subscriptions or one order at a time."""
        for chunk in chunks:
            for story in self._tell(chunk):
                if told := [event for event in story if event.occurred_at < self.until]:
                    yield told

    def chunks(self) -> list[Chunk]:
        sizes = {
            SubjectKind.PRODUCTS: len(self._products),
            SubjectKind.CUSTOMERS: self.customers,
            SubjectKind.ORDERS: self.orders,
        }
        return [
            Chunk(about, first, min(first + _CHUNK, size))
            for about, size in sizes.items()
            for first in range(0, size, _CHUNK)
        ]

    def rates(self) -> list[Rate]:
        """What the other currency was worth, from the first of each month on."""
        draw, rate, rates = chance(self.seed, "rates"), _FIRST_RATE, []
        for back in range(self.months, 0, -1):
            rates.append(Rate(self.tenant, OTHER_CURRENCY, months_before(self.until, back).date(), rate))
            rate += _RATE_STEP * draw.randint(-_RATE_STEPS_A_MONTH, _RATE_STEPS_A_MONTH)
        return rates

    @cached_property
    def begins(self) -> datetime:
        return months_before(self.until, self.months)

    @cached_property
    def _seasons(self) -> Seasons:
        return Seasons(self.begins, self.until)

    @cached_property
    def _customers(self) -> Customers:
        return Customers(self.seed, self.customers)

    @cached_property
    def _products(self) -> Sequence[Product]:
        return products(self.seed)

    # Another past of the same tenant is about other orders and subscriptions, or two stories would run into
    # each other; more orders leave the subscriptions what they are.
    @cached_property
    def _subscriptions_run(self) -> str:
        return _run(self.tenant, self.seed, self.customers, self.months, self.until)

    @cached_property
    def _orders_run(self) -> str:
        return _run(self._subscriptions_run, self.orders)

    def _tell(self, chunk: Chunk) -> Iterator[Iterator[Event]]:
        match chunk.about:
            case SubjectKind.PRODUCTS:
                return (self._counted(product) for product in self._products[chunk.first : chunk.end])
            case SubjectKind.CUSTOMERS:
                return self._subscribed(chunk)
            case SubjectKind.ORDERS:
                return self._ordered(chunk)

    def _ordered(self, chunk: Chunk) -> Iterator[Iterator[Event]]:
        draw, sold = chance(self.seed, "orders", chunk.first), popularity(self._products)
        for number in range(chunk.first, chunk.end):
            share = (number + draw.random()) / self.orders
            customer = self._customers.one_of_those_there(share, draw.random())
            draft = orders.Draft(
                self.tenant,
                f"order-{self._orders_run}-{number:08}",
                customer,
                self._seasons.at(share),
                orders.draw_lines(draw, sold[customer.region.currency]),
            )
            yield orders.info(draft, draw)

    def _subscribed(self, chunk: Chunk) -> Iterator[Iterator[Event]]:
        draw = chance(self.seed, "subscriptions", chunk.first)
        for number in range(chunk.first, chunk.end):
            customer = self._customers[number]
            subscriber = subscriptions.Subscriber(
                self.tenant,
                customer.name,
                customer.region.currency,
                self._seasons.at(self._customers.came(number)),
                self._subscriptions_run,
            )
            yield subscriptions.info(subscriber, self.until, draw)

    def _counted(self, product: Product) -> Iterator[Event]:
        """Every few months somebody counts what is on the shelf, and fills it up."""
        for times in count():
            at = self.begins + times * _COUNTED_EVERY
            if at >= self.until:
                return
            yield InventoryAdjusted(
                event_id=event_id(
                    self.tenant, product.sku, "InventoryAdjusted", f"{self._orders_run}-{times}"
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


def _run(*what: object) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()[:6]

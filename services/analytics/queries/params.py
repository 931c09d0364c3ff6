"""The resolved parameters of each query: defaults applied, contradictions rejected."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.analytics.model.date_ranges import Days, Months


@dataclass(frozen=True, slots=True)
class Filters:
    """What the pages of one list of orders have in common."""

    status: str | None
    customer: str | None
    start: date | None
    end: date | None


@dataclass(frozen=True, slots=True)
class Position:
    """The last order of a page, after which the next one begins."""

    placed_at: datetime
    order_id: str


@dataclass(frozen=True, slots=True)
class OrdersQuery:
    filters: Filters
    limit: int
    cursor: str | None


@dataclass(frozen=True, slots=True)
class OrderQuery:
    order_id: str


@dataclass(frozen=True, slots=True)
class MonthQuery:
    month: date


@dataclass(frozen=True, slots=True)
class MonthsQuery:
    months: Months


@dataclass(frozen=True, slots=True)
class MovementFilters:
    """What the pages of one list of movements have in common."""

    month: date
    kind: str | None


@dataclass(frozen=True, slots=True)
class MovementsQuery:
    filters: MovementFilters
    limit: int
    cursor: str | None


@dataclass(frozen=True, slots=True)
class CohortsQuery:
    basis: Literal["order", "subscription"]
    months: Months


@dataclass(frozen=True, slots=True)
class ProductsQuery:
    days: Days
    limit: int


Interval = Literal["day", "week", "month"]


@dataclass(frozen=True, slots=True)
class SalesHistoryQuery:
    days: Days
    interval: Interval
    region: str | None
    channel: str | None


@dataclass(frozen=True, slots=True)
class ProductFilters:
    """What the pages of one list of products have in common."""

    days: Days
    sort: Literal["units", "revenue"]
    currency: str | None
    """Of the revenue that is sorted by; None: the tenant's reporting currency."""


@dataclass(frozen=True, slots=True)
class ProductPageQuery:
    filters: ProductFilters
    limit: int
    cursor: str | None


@dataclass(frozen=True, slots=True)
class InventoryFilters:
    """What the pages of one list of products have in common."""

    days: Days
    search: str | None


@dataclass(frozen=True, slots=True)
class InventoryQuery:
    filters: InventoryFilters
    limit: int
    cursor: str | None

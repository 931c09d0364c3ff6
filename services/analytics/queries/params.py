"""What is wanted of the read side, with nothing left open."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.analytics.model.date_ranges import Days, Months


@dataclass(frozen=True, slots=True)
class Filters:
    """What the pages of one question have in common."""

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
class OrdersWanted:
    filters: Filters
    limit: int
    cursor: str | None


@dataclass(frozen=True, slots=True)
class OrderWanted:
    order_id: str


@dataclass(frozen=True, slots=True)
class MonthWanted:
    month: date


@dataclass(frozen=True, slots=True)
class CohortsWanted:
    basis: Literal["order", "subscription"]
    months: Months


@dataclass(frozen=True, slots=True)
class ProductsWanted:
    days: Days
    limit: int

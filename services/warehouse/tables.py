"""The tables that leave the database: columns, keys, and the day that a row belongs to."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ColumnType(StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    WHOLE = "whole"
    """A whole number of any length, as sums are."""
    DECIMAL = "decimal"
    DATE = "date"
    TIMESTAMP = "timestamp"
    """In UTC, without a zone."""


NUMBERS: Final = frozenset({ColumnType.INTEGER, ColumnType.WHOLE, ColumnType.DECIMAL})
DAY: Final = "export_day"
UPDATED: Final = "updated_at"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: ColumnType


DAY_COLUMN: Final = Column(DAY, ColumnType.DATE)


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """A table of the database, exported by day."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    day_of: str
    """The column of the database that a row's day is taken from."""
    with_order: bool = False
    """Whether that column is in `orders`, so that an order and what belongs to it share a day."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns of its files and of its tables in a warehouse."""
        return (DAY_COLUMN, *self.columns)

    @property
    def summed(self) -> tuple[Column, ...]:
        """The columns that are added up: all numbers, and the moments of the last changes."""
        return tuple(it for it in self.columns if it.type in NUMBERS or it.name == UPDATED)

    @property
    def shape(self) -> str:
        """A fingerprint of the columns: another one means that every file is written again."""
        text = ",".join(f"{it.name}:{it.type}" for it in self.columns)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def _columns(spec: str) -> tuple[Column, ...]:
    pairs = (item.partition(":") for item in spec.split())
    return tuple(Column(name, ColumnType(kind or "text")) for name, _, kind in pairs)


_CHANGES: Final = "created_at:timestamp updated_at:timestamp"
_COUNTS: Final = "orders:integer confirmed:integer rejected:integer cancelled:integer refunded:integer"

ORDERS: Final = ExportedTable(
    "orders",
    ("tenant_id", "order_id"),
    _columns(
        "tenant_id order_id customer_id status reason region channel payment_method"
        " amount_minor:integer currency units:integer placed_at:timestamp"
        " reserved_at:timestamp confirmed_at:timestamp ended_at:timestamp"
        f" version:integer {_CHANGES}"
    ),
    "placed_at",
)
ORDER_ITEMS: Final = ExportedTable(
    "order_items",
    ("tenant_id", "order_id", "sku"),
    _columns(
        "tenant_id order_id sku quantity:integer unit_price_minor:integer total_minor:integer"
        f" returned:integer returned_minor:integer {_CHANGES}"
    ),
    "placed_at",
    with_order=True,
)
PAYMENTS: Final = ExportedTable(
    "payments",
    ("tenant_id", "order_id"),
    _columns(
        "tenant_id order_id status amount_minor:integer currency charge_id reason refund_id"
        " refunded_minor:integer requested_at:timestamp answered_at:timestamp refunded_at:timestamp"
        f" version:integer {_CHANGES}"
    ),
    "placed_at",
    with_order=True,
)
SUBSCRIPTIONS: Final = ExportedTable(
    "subscriptions",
    ("tenant_id", "customer_id", "subscription_id"),
    _columns(
        "tenant_id customer_id subscription_id plan billing_interval amount_minor:integer currency"
        f" started_at:timestamp ended_at:timestamp reason version:integer {_CHANGES}"
    ),
    "started_at",
)
SALES_DAILY: Final = ExportedTable(
    "sales_daily",
    ("tenant_id", "day", "region", "currency"),
    _columns(
        f"tenant_id day:date region currency {_COUNTS} units:whole revenue_minor:whole refunded_minor:whole"
        f" {_CHANGES}"
    ),
    "day",
)
MRR_MONTH: Final = ExportedTable(
    "mrr_month",
    ("tenant_id", "month", "movement"),
    _columns(f"tenant_id month:date movement customers:integer annual_minor:decimal {_CHANGES}"),
    "month",
)
COHORT_MONTH: Final = ExportedTable(
    "cohort_month",
    ("tenant_id", "basis", "cohort", "month"),
    _columns(f"tenant_id basis cohort:date month:date entered:integer left_off:integer {_CHANGES}"),
    "month",
)

EXPORTED: Final[Sequence[ExportedTable]] = (
    ORDERS,
    ORDER_ITEMS,
    PAYMENTS,
    SUBSCRIPTIONS,
    SALES_DAILY,
    MRR_MONTH,
    COHORT_MONTH,
)
BY_NAME: Final[Mapping[str, ExportedTable]] = {table.name: table for table in EXPORTED}

"""Row types: tuples in the order of the table's columns, the key first, ready to be copied in."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple


class OrderRow(NamedTuple):
    tenant_id: str
    order_id: str
    customer_id: str | None
    status: str
    reason: str | None
    region: str | None
    channel: str | None
    payment_method: str | None
    amount_minor: int | None
    currency: str | None
    units: int
    placed_at: datetime
    reserved_at: datetime | None
    confirmed_at: datetime | None
    ended_at: datetime | None
    version: int


class ItemRow(NamedTuple):
    tenant_id: str
    order_id: str
    sku: str
    quantity: int
    unit_price_minor: int | None
    """None where it is not known, or differs between lines."""
    total_minor: int | None
    returned: int = 0
    """Units that came back, as an imported file tells; not taken off the quantity."""
    returned_minor: int = 0


class PaymentRow(NamedTuple):
    tenant_id: str
    order_id: str
    status: str
    amount_minor: int
    currency: str
    charge_id: str | None
    reason: str | None
    refund_id: str | None
    refunded_minor: int
    requested_at: datetime | None
    answered_at: datetime | None
    refunded_at: datetime | None
    version: int


class FulfillmentRow(NamedTuple):
    tenant_id: str
    order_id: str
    status: str
    units: int
    due_at: datetime
    ended_at: datetime | None
    version: int


class ProductRow(NamedTuple):
    tenant_id: str
    sku: str
    name: str | None
    stock: int
    available: int
    unit_price_minor: int
    currency: str
    adjusted_at: datetime
    adjusted_by: str
    """The id of the event that set the levels."""


class SubscriptionRow(NamedTuple):
    tenant_id: str
    customer_id: str
    subscription_id: str
    plan: str
    billing_interval: str
    amount_minor: int
    currency: str
    started_at: datetime
    ended_at: datetime | None
    reason: str | None
    version: int


class PeriodRow(NamedTuple):
    tenant_id: str
    customer_id: str
    subscription_id: str
    starts_at: datetime
    ends_at: datetime | None
    plan: str
    billing_interval: str
    amount_minor: int
    currency: str
    annual_minor: Decimal


class MovementRow(NamedTuple):
    tenant_id: str
    customer_id: str
    month: date
    movement: str
    annual_minor: Decimal
    exchange_minor: Decimal
    """The part of the change that comes from exchange rates; signed, per year."""


class SalesDay(NamedTuple):
    tenant_id: str
    day: date
    region: str
    currency: str
    orders: int
    confirmed: int
    rejected: int
    cancelled: int
    refunded: int
    units: int
    revenue_minor: int
    refunded_minor: int


class ProductDay(NamedTuple):
    tenant_id: str
    day: date
    sku: str
    currency: str
    orders: int
    confirmed: int
    rejected: int
    cancelled: int
    refunded: int
    units: int
    revenue_minor: int
    refunded_minor: int


class ChannelDay(NamedTuple):
    tenant_id: str
    day: date
    channel: str
    currency: str
    orders: int
    confirmed: int
    rejected: int
    cancelled: int
    refunded: int
    units: int
    revenue_minor: int
    refunded_minor: int


class ProductMonth(NamedTuple):
    tenant_id: str
    month: date
    sku: str
    currency: str
    orders: int
    confirmed: int
    rejected: int
    cancelled: int
    refunded: int
    units: int
    revenue_minor: int
    refunded_minor: int


class CustomerMonth(NamedTuple):
    tenant_id: str
    customer_id: str
    month: date
    currency: str
    orders: int
    revenue_minor: int
    refunded_minor: int


class MrrMonth(NamedTuple):
    tenant_id: str
    month: date
    movement: str
    customers: int
    annual_minor: Decimal


class CohortMonth(NamedTuple):
    tenant_id: str
    basis: str
    cohort: date
    month: date
    entered: int
    left_off: int


class CohortRevenue(NamedTuple):
    tenant_id: str
    basis: str
    cohort: date
    month: date
    currency: str
    revenue_minor: Decimal
    """Of orders: of those placed in the month. Of subscriptions: how a year's worth changed in it."""
    refunded_minor: Decimal


class OrderRows(NamedTuple):
    """All rows of one order."""

    order: OrderRow
    items: tuple[ItemRow, ...]
    payment: PaymentRow | None
    fulfillment: FulfillmentRow | None


class CustomerRows(NamedTuple):
    """All rows of one customer's subscriptions."""

    subscriptions: tuple[SubscriptionRow, ...]
    periods: tuple[PeriodRow, ...]
    movements: tuple[MovementRow, ...]


# Compared by identity: there is one of each, and they are looked up once per row.
@dataclass(frozen=True, eq=False, slots=True)
class Table:
    name: str
    row: type[tuple[Any, ...]]
    columns: tuple[str, ...]
    key_size: int
    """The key is the first so many columns; of a rollup, the others are sums."""

    @property
    def key(self) -> tuple[str, ...]:
        return self.columns[: self.key_size]

    @property
    def others(self) -> tuple[str, ...]:
        return self.columns[self.key_size :]


ORDERS: Final = Table("orders", OrderRow, OrderRow._fields, 2)
ORDER_ITEMS: Final = Table("order_items", ItemRow, ItemRow._fields, 3)
PAYMENTS: Final = Table("payments", PaymentRow, PaymentRow._fields, 2)
FULFILLMENT: Final = Table("fulfillment", FulfillmentRow, FulfillmentRow._fields, 2)
PRODUCTS: Final = Table("products", ProductRow, (*ProductRow._fields[:-2], "told_at", "told_by"), 2)
SUBSCRIPTIONS: Final = Table("subscriptions", SubscriptionRow, SubscriptionRow._fields, 3)
SUBSCRIPTION_PERIODS: Final = Table("subscription_periods", PeriodRow, PeriodRow._fields, 4)
MRR_MOVEMENTS: Final = Table("mrr_movements", MovementRow, MovementRow._fields, 3)

SALES_DAILY: Final = Table("sales_daily", SalesDay, SalesDay._fields, 4)
PRODUCT_DAILY: Final = Table("product_daily", ProductDay, ProductDay._fields, 4)
CHANNEL_DAILY: Final = Table("channel_daily", ChannelDay, ChannelDay._fields, 4)
PRODUCT_MONTH: Final = Table("product_month", ProductMonth, ProductMonth._fields, 4)
CUSTOMER_MONTH: Final = Table("customer_month", CustomerMonth, CustomerMonth._fields, 4)
MRR_MONTH: Final = Table("mrr_month", MrrMonth, MrrMonth._fields, 3)
COHORT_MONTH: Final = Table("cohort_month", CohortMonth, CohortMonth._fields, 4)
COHORT_REVENUE: Final = Table("cohort_revenue", CohortRevenue, CohortRevenue._fields, 5)

ROLLUPS: Final = (
    SALES_DAILY,
    CHANNEL_DAILY,
    PRODUCT_DAILY,
    PRODUCT_MONTH,
    CUSTOMER_MONTH,
    MRR_MONTH,
    COHORT_MONTH,
    COHORT_REVENUE,
)
"""In the order in which every transaction writes them."""

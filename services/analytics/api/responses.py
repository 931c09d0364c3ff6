"""Response bodies: money in minor units and a currency, times in UTC, rates as fractions of one."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, WithJsonSchema

from services.shared.events import rfc3339
from services.shared.http.responses import ResponseModel

Timestamp = Annotated[
    datetime,
    PlainSerializer(rfc3339),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Day = Annotated[date, PlainSerializer(date.isoformat), WithJsonSchema({"type": "string", "format": "date"})]
Month = Annotated[
    date,
    PlainSerializer(lambda month: f"{month:%Y-%m}"),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"}),
]


class Money(ResponseModel):
    amount_minor: int
    currency: Annotated[str, Field(description="ISO 4217")]


# --- orders


class OrderSummary(ResponseModel):
    order_id: str
    customer_id: Annotated[
        str | None, Field(description="Null also where the caller's role may not see customers.")
    ]
    status: Literal["RECEIVED", "PLACED", "RESERVED", "CONFIRMED", "REJECTED", "CANCELLED", "REFUNDED"]
    reason: str | None
    region: str | None
    channel: str | None
    payment_method: str | None
    amount: Money | None
    units: int
    placed_at: Timestamp
    reserved_at: Timestamp | None
    confirmed_at: Timestamp | None
    ended_at: Timestamp | None


class OrderItem(ResponseModel):
    sku: str
    quantity: int
    unit_price: Annotated[
        Money | None, Field(description="Null where it is not known, or differs between lines.")
    ]
    total: Annotated[Money | None, Field(description="The exact total of all lines of the SKU.")]


class Payment(ResponseModel):
    status: Literal["REQUESTED", "SUCCEEDED", "FAILED", "REFUNDED"]
    amount: Money
    charge_id: str | None
    reason: str | None
    refund_id: str | None
    refunded: Money
    requested_at: Timestamp | None
    answered_at: Timestamp | None
    refunded_at: Timestamp | None


class Fulfillment(ResponseModel):
    status: Literal["DUE", "CALLED_OFF", "RETURNED"]
    units: int
    due_at: Timestamp
    ended_at: Timestamp | None


class TimelineEntry(ResponseModel):
    event: str
    event_id: str
    occurred_at: Timestamp
    detail: Annotated[dict[str, Any], Field(description="The event as it was received.")]


class Order(OrderSummary):
    items: list[OrderItem]
    payment: Payment | None
    fulfillment: Fulfillment | None
    timeline: Annotated[
        list[TimelineEntry],
        Field(description="The events of the order, oldest first; at most the first 200."),
    ]


class Orders(ResponseModel):
    orders: list[OrderSummary]


# --- recurring revenue


class Movement(ResponseModel):
    amount: Money
    customers: int


class Mrr(ResponseModel):
    month: Month
    opening: Movement
    new: Movement
    expansion: Movement
    reactivation: Movement
    contraction: Movement
    churn: Movement
    exchange: Annotated[
        Movement,
        Field(description="The change through exchange rates alone, signed; in no other movement."),
    ]
    closing: Movement
    formula: str


class UpcomingChurn(ResponseModel):
    month: Month
    churn: Movement


class ChurnMonth(ResponseModel):
    month: Month
    opening: Movement
    expansion: Movement
    contraction: Movement
    churn: Movement
    logo_churn: float | None
    gross_revenue_churn: float | None
    net_revenue_churn: float | None
    gross_revenue_retention: float | None
    net_revenue_retention: float | None


class Churn(ChurnMonth):
    upcoming: Annotated[
        list[UpcomingChurn],
        Field(description="Churn of the months after the current one, as far as cancellations are known."),
    ]
    formulas: Annotated[dict[str, str], Field(description="How each rate is computed.")]


class MrrHistory(ResponseModel):
    start: Annotated[Month, Field(alias="from")]
    end: Annotated[Month, Field(alias="to", description="Exclusive.")]
    months: list[Mrr]


class ChurnHistory(ResponseModel):
    start: Annotated[Month, Field(alias="from")]
    end: Annotated[Month, Field(alias="to", description="Exclusive.")]
    months: list[ChurnMonth]
    formulas: Annotated[dict[str, str], Field(description="How each rate is computed.")]


class CustomerMovement(ResponseModel):
    customer_id: str
    kind: Literal["new", "expansion", "contraction", "churn", "reactivation", "exchange"]
    amount: Annotated[
        Money,
        Field(description="Per month, rounded for each customer; never negative, the kind says which way."),
    ]
    exchange: Annotated[Money, Field(description="The change through exchange rates alone, signed.")]


class CustomerMovements(ResponseModel):
    month: Month
    movements: Annotated[list[CustomerMovement], Field(description="By kind, then by customer.")]


class IndicatorsMonth(ResponseModel):
    month: Month
    annual_recurring_revenue: Money
    customers: int
    average_revenue_per_account: Annotated[Money | None, Field(description="Null without customers.")]
    quick_ratio: Annotated[float | None, Field(description="Null where nothing was lost.")]
    lifetime_value: Annotated[
        Money | None, Field(description="Null where no customer was there at the opening, or none churned.")
    ]


class IndicatorsHistory(ResponseModel):
    start: Annotated[Month, Field(alias="from")]
    end: Annotated[Month, Field(alias="to", description="Exclusive.")]
    months: list[IndicatorsMonth]
    formulas: Annotated[dict[str, str], Field(description="How each number is computed.")]


class CohortCell(ResponseModel):
    month: Month
    active: Annotated[
        int | None, Field(description="Null where the group is smaller than the tenant's minimum.")
    ]
    retention: float | None


class Cohort(ResponseModel):
    month: Month
    customers: Annotated[
        int | None, Field(description="Null where the group is smaller than the tenant's minimum.")
    ]
    months: list[CohortCell]


class Cohorts(ResponseModel):
    basis: Literal["order", "subscription"]
    start: Annotated[Month, Field(alias="from")]
    end: Annotated[Month, Field(alias="to")]
    cohorts: list[Cohort]


class CohortRevenue(ResponseModel):
    currency: str
    net: Annotated[
        Money,
        Field(
            description="Of orders placed in the month, less refunds; of subscriptions, the MRR at its end."
        ),
    ]
    retention: Annotated[float | None, Field(description="net / net of the cohort's first month")]


class RevenueCohortCell(ResponseModel):
    month: Month
    revenue: Annotated[
        list[CohortRevenue] | None,
        Field(description="By currency. Null where the group is smaller than the tenant's minimum."),
    ]


class RevenueCohort(ResponseModel):
    month: Month
    customers: Annotated[
        int | None, Field(description="Null where the group is smaller than the tenant's minimum.")
    ]
    months: list[RevenueCohortCell]


class RevenueCohorts(ResponseModel):
    basis: Literal["order", "subscription"]
    start: Annotated[Month, Field(alias="from")]
    end: Annotated[Month, Field(alias="to")]
    cohorts: list[RevenueCohort]


# --- sales


class Period(ResponseModel):
    start: Annotated[Day, Field(alias="from")]
    end: Annotated[Day, Field(alias="to", description="Exclusive.")]


class Revenue(ResponseModel):
    """Revenue of confirmed orders in one currency, and what of it was refunded."""

    currency: str
    revenue: Money
    refunded: Money
    net: Money
    average_order_value: Money | None


class Sales(ResponseModel):
    """The orders placed in a period, by their outcome."""

    orders: int
    confirmed: Annotated[int, Field(description="Includes orders that were refunded later.")]
    rejected: int
    cancelled: int
    refunded: int
    units: Annotated[int, Field(description="Of confirmed orders.")]
    success_rate: Annotated[float | None, Field(description="confirmed / (confirmed + rejected + cancelled)")]
    takings: Annotated[
        list[Revenue], Field(description="By currency; amounts in different currencies are never added up.")
    ]


class CurrencyChange(ResponseModel):
    currency: str
    revenue: float | None
    refunded: float | None
    net: float | None
    average_order_value: float | None


class Change(ResponseModel):
    """(current - previous) / previous; null where previous is 0 or null."""

    orders: float | None
    confirmed: float | None
    rejected: float | None
    cancelled: float | None
    refunded: float | None
    units: float | None
    success_rate: float | None
    takings: list[CurrencyChange]


class Summary(ResponseModel):
    period: Period
    current: Sales
    previous_period: Period
    previous: Sales
    change: Change


class RegionSales(Sales):
    region: Annotated[str | None, Field(description="Null: the orders name no region.")]


class Regions(ResponseModel):
    period: Period
    regions: list[RegionSales]


class ProductSales(Sales):
    sku: str
    name: str | None


class Products(ResponseModel):
    period: Period
    products: list[ProductSales]


class DaySales(Sales):
    day: Day


class ChannelSales(Sales):
    channel: Annotated[str | None, Field(description="Null: the orders name no channel.")]


class Channels(ResponseModel):
    period: Period
    channels: list[ChannelSales]


class IntervalSales(Sales):
    start: Annotated[Day, Field(alias="from")]
    end: Annotated[Day, Field(alias="to", description="Exclusive.")]


class SalesHistory(ResponseModel):
    period: Period
    interval: Literal["day", "week", "month"]
    intervals: Annotated[
        list[IntervalSales],
        Field(description="The first and the last are cut off where the period begins and ends."),
    ]


class ProductPage(ResponseModel):
    period: Period
    sort: Literal["units", "revenue"]
    currency: Annotated[str | None, Field(description="Of the revenue sorted by; null: sorted by units.")]
    products: list[ProductSales]


class LastMonth(ResponseModel):
    period: Period
    days: list[DaySales]


# --- the envelope


class Meta(ResponseModel):
    tenant: str
    as_of: Annotated[
        Timestamp | None, Field(description="The time of the newest event included; null: none received yet.")
    ]
    generated_at: Timestamp
    request_id: str
    withheld: Annotated[
        str | None, Field(description="What was withheld by governance rules; null: nothing.")
    ]


class Page(ResponseModel):
    limit: int
    next_cursor: Annotated[str | None, Field(description="Null on the last page.")]


# --- stock


class StockedProduct(ResponseModel):
    sku: str
    name: str | None
    unit_price: Money
    stock: int
    reserved: int
    available: int
    units_sold: Annotated[int, Field(description="In the period, of confirmed orders.")]
    days_of_cover: Annotated[
        float | None, Field(description="How long the available units last; null where none was sold.")
    ]
    told_at: Annotated[
        Timestamp | None,
        Field(
            description="Null: the units are of this moment. Otherwise the inventory does not hold the SKU, "
            "and they are of its newest InventoryAdjusted."
        ),
    ]


class Inventory(ResponseModel):
    period: Period
    formula: Annotated[str, Field(description="How `daysOfCover` is computed.")]
    products: list[StockedProduct]


# --- governance


class MetricGovernance(ResponseModel):
    """Who sees a metric, and under which rules."""

    metric: str
    visible_to: Annotated[list[str], Field(description="The roles that may read it.")]
    audited: Annotated[bool, Field(description="Whether each read is recorded.")]
    smallest_group: Annotated[
        int | float | None, Field(description="Of cohorts: smaller groups are withheld.")
    ]
    customers_hidden_from: Annotated[
        list[str], Field(description="Of orders: the roles that see no customers, wherever they are named.")
    ]


class Governance(ResponseModel):
    metrics: list[MetricGovernance]

"""What is told: money in minor units and a currency, times in UTC, shares of one as numbers."""

from datetime import date, datetime
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from services.shared.events import rfc3339

Moment = Annotated[
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


class Telling(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        serialize_by_alias=True,
        defer_build=True,
    )


class Money(Telling):
    amount_minor: int
    currency: Annotated[str, Field(description="ISO 4217")]


def share(part: float | Fraction, whole: float | Fraction) -> float | None:
    """Tell a part as a share of the whole, to six decimals; of nothing there is none."""
    return float(round(Fraction(part) / Fraction(whole), 6)) if whole else None


# --- orders


class OrderLine(Telling):
    order_id: str
    customer_id: Annotated[str | None, Field(description="Null also where the reader may not see it.")]
    status: Literal["PLACED", "RESERVED", "CONFIRMED", "REJECTED", "CANCELLED", "REFUNDED"]
    reason: str | None
    region: str | None
    channel: str | None
    payment_method: str | None
    amount: Money | None
    units: int
    placed_at: Moment
    reserved_at: Moment | None
    confirmed_at: Moment | None
    ended_at: Moment | None


class OrderedItem(Telling):
    sku: str
    quantity: int
    unit_price: Money | None


class Payment(Telling):
    status: Literal["REQUESTED", "SUCCEEDED", "FAILED", "REFUNDED"]
    amount: Money
    charge_id: str | None
    reason: str | None
    refund_id: str | None
    refunded: Money
    requested_at: Moment | None
    answered_at: Moment | None
    refunded_at: Moment | None


class Fulfillment(Telling):
    status: Literal["DUE", "CALLED_OFF", "RETURNED"]
    units: int
    due_at: Moment
    ended_at: Moment | None


class TimelineEntry(Telling):
    event: str
    event_id: str
    occurred_at: Moment
    detail: Annotated[dict[str, Any], Field(description="The event as it was heard.")]


class Order(OrderLine):
    items: list[OrderedItem]
    payment: Payment | None
    fulfillment: Fulfillment | None
    timeline: Annotated[
        list[TimelineEntry],
        Field(description="The events of the order, oldest first; of very many, the first 200."),
    ]


class Orders(Telling):
    orders: list[OrderLine]


# --- recurring revenue


class Movement(Telling):
    amount: Money
    customers: int


class Mrr(Telling):
    month: Month
    opening: Movement
    new: Movement
    expansion: Movement
    reactivation: Movement
    contraction: Movement
    churn: Movement
    closing: Movement
    formula: str


class Churn(Telling):
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
    formulas: Annotated[dict[str, str], Field(description="How each rate is made.")]


class CohortCell(Telling):
    month: Month
    active: Annotated[int | None, Field(description="Null where the group is too small to tell of.")]
    retention: float | None


class Cohort(Telling):
    month: Month
    customers: Annotated[int | None, Field(description="Null where the group is too small to tell of.")]
    months: list[CohortCell]


class Cohorts(Telling):
    basis: Literal["order", "subscription"]
    start: Annotated[Month, Field(alias="from")]
    end: Annotated[Month, Field(alias="to")]
    cohorts: list[Cohort]


# --- sales


class Period(Telling):
    start: Annotated[Day, Field(alias="from")]
    end: Annotated[Day, Field(alias="to", description="The first day that no longer counts.")]


class Takings(Telling):
    """What was taken in one currency, and what of it was given back."""

    currency: str
    revenue: Money
    refunded: Money
    net: Money
    average_order_value: Money | None


class Sales(Telling):
    """What became of the orders that were placed in a time."""

    orders: int
    confirmed: Annotated[int, Field(description="With those that were refunded later.")]
    rejected: int
    cancelled: int
    refunded: int
    units: Annotated[int, Field(description="Of confirmed orders.")]
    success_rate: Annotated[float | None, Field(description="confirmed / (confirmed + rejected + cancelled)")]
    takings: Annotated[list[Takings], Field(description="By currency: amounts of two are never added up.")]


class CurrencyChange(Telling):
    currency: str
    revenue: float | None
    refunded: float | None
    net: float | None
    average_order_value: float | None


class Change(Telling):
    """(now - before) / before; null where there was nothing before."""

    orders: float | None
    confirmed: float | None
    rejected: float | None
    cancelled: float | None
    refunded: float | None
    units: float | None
    success_rate: float | None
    takings: list[CurrencyChange]


class Summary(Telling):
    period: Period
    current: Sales
    previous_period: Period
    previous: Sales
    change: Change


class RegionSales(Sales):
    region: Annotated[str | None, Field(description="Null: nobody said where.")]


class Regions(Telling):
    period: Period
    regions: list[RegionSales]


class ProductSales(Sales):
    sku: str
    name: str | None


class Products(Telling):
    period: Period
    products: list[ProductSales]


class DaySales(Sales):
    day: Day


class LastMonth(Telling):
    period: Period
    days: list[DaySales]


# --- around every answer


class Meta(Telling):
    tenant: str
    as_of: Annotated[
        Moment | None, Field(description="The newest event that counts; null: none was heard yet.")
    ]
    generated_at: Moment
    request_id: str
    withheld: Annotated[str | None, Field(description="What is not told, and why; null: nothing.")]


class Page(Telling):
    limit: int
    next_cursor: Annotated[str | None, Field(description="Null: this page is the last.")]


class FaultTold(Telling):
    parameter: str
    problem: str


class ProblemTold(Telling):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: Annotated[str, Field(description="What to do.")]
    instance: str
    errors: list[FaultTold] | None = None

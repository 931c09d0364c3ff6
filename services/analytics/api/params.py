"""The parameters of each route, their formats, and their defaults."""

from abc import ABC, abstractmethod
from datetime import date, timedelta
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, WithJsonSchema

from services.analytics.model.date_ranges import Days, Months, later
from services.analytics.queries.params import (
    CohortsQuery,
    Filters,
    InventoryFilters,
    InventoryQuery,
    MonthQuery,
    MonthsQuery,
    MovementFilters,
    MovementsQuery,
    OrderQuery,
    OrdersQuery,
    ProductFilters,
    ProductPageQuery,
    ProductsQuery,
    SalesHistoryQuery,
)
from services.shared.events import Identifier, Label, Text
from services.shared.http.params import MAX_CURSOR_LENGTH, Day, RequestParams, formatted
from services.shared.http.problems import InvalidParameter, bad_parameters, invalid_parameter

MAX_DAYS: Final = 366
MAX_HISTORY_DAYS: Final = 1_096
"""Three years, of rollups that have few rows a day."""
MAX_MONTHS: Final = 36

_MONTH: Final = r"(19|2[0-9])[0-9]{2}-(0[1-9]|1[0-2])"


Month = Annotated[
    date,
    formatted(_MONTH, lambda month: date.fromisoformat(f"{month}-01"), "must be a month such as 2026-01"),
    WithJsonSchema({"type": "string", "pattern": f"^{_MONTH}$"}),
]
Limit = Annotated[
    int, Field(ge=1, le=200), formatted(r"[0-9]{1,9}", int, "must be a whole number from 1 to 200")
]
Basis = Literal["order", "subscription"]
Interval = Literal["day", "week", "month"]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
MovementKind = Literal["new", "expansion", "contraction", "churn", "reactivation", "exchange"]
OrderStatus = Literal["PLACED", "RESERVED", "CONFIRMED", "REJECTED", "CANCELLED", "REFUNDED"]


Query: TypeAlias = (
    OrdersQuery
    | OrderQuery
    | MonthQuery
    | MonthsQuery
    | MovementsQuery
    | CohortsQuery
    | ProductsQuery
    | ProductPageQuery
    | SalesHistoryQuery
    | InventoryQuery
    | Days
)
Cursor = Annotated[
    str | None,
    Field(
        max_length=MAX_CURSOR_LENGTH,
        description="The `page.nextCursor` of the page before. Valid only with the same filters.",
    ),
]


class AnalyticsParams(RequestParams, ABC):
    @abstractmethod
    def resolve(self, today: date) -> Query:
        """Apply defaults; reject contradictory parameters."""


class LastMonthParams(AnalyticsParams):
    """The route takes no parameters."""

    def resolve(self, today: date) -> Days:
        return Days.up_to(today + timedelta(days=1))


class OrdersParams(AnalyticsParams):
    limit: Annotated[Limit, Field(description="Orders per page.")] = 50
    cursor: Cursor = None
    status: Annotated[OrderStatus | None, Field(description="Orders with this status now.")] = None
    customer: Annotated[Identifier | None, Field(description="Orders of this customer.")] = None
    since: Annotated[
        Day | None, Field(alias="from", description="Orders placed on this day (UTC) or later.")
    ] = None
    until: Annotated[
        Day | None,
        Field(alias="to", description="Orders placed before this day (UTC), exclusive."),
    ] = None

    def resolve(self, today: date) -> OrdersQuery:
        del today
        if self.since and self.until and self.since >= self.until:
            raise bad_parameters(_reversed())
        return OrdersQuery(
            Filters(self.status, self.customer, self.since, self.until), self.limit, self.cursor
        )


class OrderParams(AnalyticsParams):
    order_id: Annotated[
        Identifier, Field(alias="orderId", description="The id that the publisher gave the order.")
    ]

    def resolve(self, today: date) -> OrderQuery:
        del today
        return OrderQuery(self.order_id)


class MonthParams(AnalyticsParams):
    month: Annotated[
        Month | None, Field(description="A month (UTC), such as 2026-01; default: the current month.")
    ] = None

    def resolve(self, today: date) -> MonthQuery:
        month = self.month or today.replace(day=1)
        if month > today:
            raise bad_parameters(invalid_parameter("month", "must not be in the future"))
        return MonthQuery(month)


class MovementsParams(AnalyticsParams):
    month: Annotated[
        Month | None,
        Field(
            description="A month (UTC), such as 2026-01; default: the current month. "
            "In months to come: what is known to end."
        ),
    ] = None
    kind: Annotated[
        MovementKind | None,
        Field(
            description="Movements of this kind; `exchange`: all that exchange rates moved, "
            "beside another movement or alone."
        ),
    ] = None
    limit: Annotated[Limit, Field(description="Movements per page.")] = 50
    cursor: Cursor = None

    def resolve(self, today: date) -> MovementsQuery:
        month = self.month or today.replace(day=1)
        return MovementsQuery(MovementFilters(month, self.kind), self.limit, self.cursor)


class _DaysParams(AnalyticsParams):
    since: Annotated[
        Day | None,
        Field(alias="from", description="The first day (UTC), inclusive; default: 30 days before `to`."),
    ] = None
    until: Annotated[
        Day | None,
        Field(
            alias="to",
            description="The last day (UTC), exclusive; default: tomorrow. "
            f"At most {MAX_DAYS} days after `from`.",
        ),
    ] = None

    def days(self, today: date) -> Days:
        end = self.until or today + timedelta(days=1)
        days = Days(self.since, end) if self.since else Days.up_to(end)
        _check(days.count, MAX_DAYS, "days")
        return days


class PeriodParams(_DaysParams):
    def resolve(self, today: date) -> Days:
        return self.days(today)


class ProductsParams(_DaysParams):
    limit: Annotated[
        Limit, Field(description="The number of products; those with the most units sold come first.")
    ] = 50

    def resolve(self, today: date) -> ProductsQuery:
        return ProductsQuery(self.days(today), self.limit)


class InventoryParams(AnalyticsParams):
    limit: Annotated[
        Limit, Field(description="Products per page; those with the most units sold come first.")
    ] = 50
    cursor: Cursor = None
    search: Annotated[
        Text | None, Field(description="Products whose SKU or name contains this, in any case.")
    ] = None

    def resolve(self, today: date) -> InventoryQuery:
        days = Days.up_to(today + timedelta(days=1))
        return InventoryQuery(InventoryFilters(days, self.search), self.limit, self.cursor)


class SalesHistoryParams(AnalyticsParams):
    since: Annotated[
        Day | None,
        Field(alias="from", description="The first day (UTC), inclusive; default: 30 days before `to`."),
    ] = None
    until: Annotated[
        Day | None,
        Field(
            alias="to",
            description="The last day (UTC), exclusive; default: tomorrow. "
            f"At most {MAX_HISTORY_DAYS} days after `from`.",
        ),
    ] = None
    interval: Annotated[Interval, Field(description="The length of each entry; weeks begin on Monday.")] = (
        "day"
    )
    region: Annotated[Label | None, Field(description="Orders of this region.")] = None
    channel: Annotated[
        Label | None, Field(description="Orders of this channel; not together with `region`.")
    ] = None

    def resolve(self, today: date) -> SalesHistoryQuery:
        end = self.until or today + timedelta(days=1)
        days = Days(self.since, end) if self.since else Days.up_to(end)
        _check(days.count, MAX_HISTORY_DAYS, "days")
        if self.region and self.channel:
            raise bad_parameters(invalid_parameter("channel", "must not be given together with `region`"))
        return SalesHistoryQuery(days, self.interval, self.region, self.channel)


class ProductPageParams(_DaysParams):
    sort: Annotated[
        Literal["units", "revenue"], Field(description="What comes first: most units, or most revenue.")
    ] = "units"
    currency: Annotated[
        Currency | None,
        Field(description="Of the revenue to sort by; default: the tenant's reporting currency."),
    ] = None
    limit: Annotated[Limit, Field(description="Products per page.")] = 50
    cursor: Cursor = None

    def resolve(self, today: date) -> ProductPageQuery:
        if self.currency and self.sort != "revenue":
            raise bad_parameters(invalid_parameter("currency", "takes effect only with `sort=revenue`"))
        return ProductPageQuery(
            ProductFilters(self.days(today), self.sort, self.currency), self.limit, self.cursor
        )


class _MonthsParams(AnalyticsParams):
    since: Annotated[
        Month | None,
        Field(alias="from", description="The first month (UTC), inclusive; default: 12 months before `to`."),
    ] = None
    until: Annotated[
        Month | None,
        Field(
            alias="to",
            description="The last month (UTC), exclusive; default: the next month. "
            f"At most {MAX_MONTHS} months after `from`.",
        ),
    ] = None

    def months(self, today: date) -> Months:
        end = self.until or later(today.replace(day=1), 1)
        months = Months(self.since or later(end, -12), end)
        _check(months.count, MAX_MONTHS, "months")
        return months


class MonthsParams(_MonthsParams):
    def resolve(self, today: date) -> MonthsQuery:
        months = self.months(today)
        if months.end > later(today.replace(day=1), 1):
            raise bad_parameters(invalid_parameter("to", "must not be later than the next month"))
        return MonthsQuery(months)


class CohortsParams(_MonthsParams):
    basis: Annotated[
        Basis,
        Field(
            description="`order`: customers by the month of their first confirmed order, "
            "active in months with one. `subscription`: customers by the first month with recurring revenue "
            "at its end, active while they have any."
        ),
    ] = "order"

    def resolve(self, today: date) -> CohortsQuery:
        return CohortsQuery(self.basis, self.months(today))


def _reversed() -> InvalidParameter:
    return invalid_parameter("to", "must be later than `from`: the range ends before `to`")


def _check(count: int, limit: int, unit: str) -> None:
    if count < 1:
        raise bad_parameters(_reversed())
    if count > limit:
        raise bad_parameters(invalid_parameter("from", f"must be at most {limit} {unit} before `to`"))

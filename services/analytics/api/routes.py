"""Every question there is: where it is asked, what it asks for, and where its answer comes from."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final

from services.analytics.api import params, responses
from services.analytics.api.caching import Keeping
from services.analytics.api.cursors import Cursors
from services.analytics.api.governance import Terms
from services.analytics.db.database import Connection
from services.analytics.model.date_ranges import Days
from services.analytics.queries import cohorts, mrr, orders, pipeline, sales, summary
from services.analytics.queries.params import (
    CohortsWanted,
    MonthWanted,
    OrdersWanted,
    OrderWanted,
    Position,
    ProductsWanted,
)
from services.shared.http.identity import Caller
from services.shared.http.problems import bad_cursor, forbidden


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks, on which terms, and when."""

    caller: Caller
    terms: Terms
    today: date
    cursors: Cursors

    @property
    def tenant_id(self) -> str:
        return self.caller.tenant_id


@dataclass(frozen=True, slots=True)
class Told:
    data: responses.Telling
    page: responses.Page | None = None
    withheld: str | None = None


@dataclass(frozen=True)
class Route:
    path: str
    metric: str
    """What governance knows it by."""
    summary: str
    asks: type[params.Asking]
    tells: type[responses.Telling]
    answer: Callable[[Connection, Question, Any], Told | None]
    keeping: Keeping = Keeping.REVALIDATED
    paged: bool = False

    @property
    def rule(self) -> str:
        """The path as the router takes it: an id may have any letter, a slash among them."""
        return re.sub(r"\{\w+\}", ".+", self.path)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(self.path)))

    def match(self, path: str) -> Mapping[str, str] | None:
        """Return what the path says where the route leaves it open; None if it is another route's."""
        found = self._pattern.fullmatch(path)
        return found.groupdict() if found else None


def _orders(connection: Connection, question: Question, wanted: OrdersWanted) -> Told:
    hides = question.terms.hides_customers
    if hides and wanted.filters.customer is not None:
        raise forbidden(
            f"The role {question.caller.role} does not see customers: ask without the parameter customer."
        )
    after = None
    if wanted.cursor is not None:
        after = question.cursors.open(question.tenant_id, wanted.filters, wanted.cursor)
        if after is None:
            raise bad_cursor()
    # One more than asked for tells whether there is another page.
    rows = orders.newest(connection, question.tenant_id, wanted.filters, after, wanted.limit + 1)
    shown = rows[: wanted.limit]
    following = None
    if len(rows) > len(shown):
        last = Position(shown[-1]["placed_at"], shown[-1]["order_id"])
        following = question.cursors.seal(question.tenant_id, wanted.filters, last)
    return Told(
        responses.Orders(orders=[orders.line(row, hides_customers=hides) for row in shown]),
        page=responses.Page(limit=wanted.limit, next_cursor=following),
        withheld=_CUSTOMERS if hides else None,
    )


def _order(connection: Connection, question: Question, wanted: OrderWanted) -> Told | None:
    hides = question.terms.hides_customers
    order = orders.one(connection, question.tenant_id, wanted.order_id, hides_customers=hides)
    return Told(order, withheld=_CUSTOMERS if hides else None) if order else None


def _mrr(connection: Connection, question: Question, wanted: MonthWanted) -> Told:
    month = mrr.month(connection, question.tenant_id, wanted.month)
    return Told(mrr.mrr(month, question.terms.currency))


def _churn(connection: Connection, question: Question, wanted: MonthWanted) -> Told:
    month = mrr.month(connection, question.tenant_id, wanted.month)
    return Told(mrr.churn(month, question.terms.currency))


def _cohorts(connection: Connection, question: Question, wanted: CohortsWanted) -> Told:
    smallest = question.terms.smallest_group
    told = cohorts.cohorts(connection, question.tenant_id, wanted, question.today, smallest)
    withheld = f"groups of fewer than {smallest} customers" if cohorts.withholds(told) else None
    return Told(told, withheld=withheld)


def _summary(connection: Connection, question: Question, wanted: Days) -> Told:
    return Told(summary.summary(connection, question.tenant_id, wanted))


def _by_region(connection: Connection, question: Question, wanted: Days) -> Told:
    return Told(pipeline.by_region(connection, question.tenant_id, wanted))


def _by_product(connection: Connection, question: Question, wanted: ProductsWanted) -> Told:
    return Told(pipeline.by_product(connection, question.tenant_id, wanted))


def _last_month(connection: Connection, question: Question, wanted: Days) -> Told:
    return Told(sales.by_day(connection, question.tenant_id, wanted))


_CUSTOMERS: Final = "customers"

DOCUMENT: Final = "/api/openapi.json"

ROUTES: Final = (
    Route(
        path="/api/orders",
        metric="orders",
        summary="Orders, newest first, page by page",
        asks=params.OrdersAsked,
        tells=responses.Orders,
        answer=_orders,
        keeping=Keeping.NEVER,
        paged=True,
    ),
    Route(
        path="/api/orders/{orderId}",
        metric="orders",
        summary="One order with its items, payment, fulfillment and timeline",
        asks=params.OrderAsked,
        tells=responses.Order,
        answer=_order,
        keeping=Keeping.NEVER,
    ),
    Route(
        path="/api/metrics/mrr",
        metric="mrr",
        summary="Monthly recurring revenue: how a month found it, moved it and left it",
        asks=params.MonthAsked,
        tells=responses.Mrr,
        answer=_mrr,
    ),
    Route(
        path="/api/metrics/churn",
        metric="churn",
        summary="Customers and recurring revenue lost and kept in a month",
        asks=params.MonthAsked,
        tells=responses.Churn,
        answer=_churn,
    ),
    Route(
        path="/api/metrics/cohorts",
        metric="cohorts",
        summary="Customers by the month in which they began, and how many stayed",
        asks=params.CohortsAsked,
        tells=responses.Cohorts,
        answer=_cohorts,
    ),
    Route(
        path="/api/metrics/summary",
        metric="summary",
        summary="Revenue, orders, average order value and success rate, with the period before",
        asks=params.PeriodAsked,
        tells=responses.Summary,
        answer=_summary,
    ),
    Route(
        path="/api/pipeline/by-region",
        metric="pipeline",
        summary="What was sold where",
        asks=params.PeriodAsked,
        tells=responses.Regions,
        answer=_by_region,
    ),
    Route(
        path="/api/pipeline/by-product",
        metric="pipeline",
        summary="What was sold of each product, most first",
        asks=params.ProductsAsked,
        tells=responses.Products,
        answer=_by_product,
    ),
    Route(
        path="/api/sales/last-month",
        metric="sales",
        summary="The last 30 days (UTC) with today, day by day, live",
        asks=params.LastMonthAsked,
        tells=responses.LastMonth,
        answer=_last_month,
        keeping=Keeping.NEVER,
    ),
)

"""The routes of the analytics API: path, metric, parameters, response, and the handler that reads it."""

from typing import Final, TypeAlias

from services.analytics.api import (
    governance_changes,
    inventory,
    mappers,
    params,
    recurring,
    responses,
    revenue_cohorts,
)
from services.analytics.api import sales as sales_by
from services.analytics.api.context import CUSTOMERS, MetricRoute, RequestContext, Result
from services.analytics.model.date_ranges import Days
from services.analytics.queries import cohorts, mrr, orders, sales
from services.analytics.queries.params import (
    CohortsQuery,
    Filters,
    MonthQuery,
    MonthsQuery,
    OrderQuery,
    OrdersQuery,
    Position,
    ProductsQuery,
)
from services.shared.database import Connection
from services.shared.http.caching import Caching
from services.shared.http.problems import bad_cursor, forbidden
from services.shared.http.roles import ORDERS_READ
from services.shared.ledger import Key


def _orders(connection: Connection, context: RequestContext, query: OrdersQuery) -> Result:
    hide_customers = context.rules.hides_customers
    if hide_customers and query.filters.customer is not None:
        raise forbidden(
            f"The role {context.caller.role} cannot see customers. Retry without the parameter customer."
        )
    after = _position(context, query)
    # One more than the limit shows whether there is another page.
    found = orders.orders(connection, context.tenant_id, query.filters, after, query.limit + 1)
    page = found[: query.limit]
    next_cursor = _cursor(context, query.filters, page[-1]) if len(found) > len(page) else None
    return Result(
        responses.Orders(
            orders=[mappers.order_summary(order, hide_customers=hide_customers) for order in page]
        ),
        page=responses.Page(limit=query.limit, next_cursor=next_cursor),
        withheld=CUSTOMERS if hide_customers else None,
    )


def _position(context: RequestContext, query: OrdersQuery) -> Position | None:
    if query.cursor is None:
        return None
    position = context.cursors.decode(context.tenant_id, query.filters, query.cursor)
    if position is None:
        raise bad_cursor()
    return position


def _cursor(context: RequestContext, filters: Filters, last: orders.OrderRecord) -> str:
    return context.cursors.encode(context.tenant_id, filters, Position(last.placed_at, last.order_id))


def _order(connection: Connection, context: RequestContext, query: OrderQuery) -> Result | None:
    hide_customers = context.rules.hides_customers
    history = orders.order(connection, context.tenant_id, query.order_id)
    if history is None:
        found = context.unprojected(Key(context.tenant_id, query.order_id))
        if found is None:
            return None
        order = mappers.unprojected_order(found, hide_customers=hide_customers)
    else:
        order = mappers.order(history, hide_customers=hide_customers)
    return Result(
        order,
        withheld=CUSTOMERS if hide_customers else None,
    )


def _mrr(connection: Connection, context: RequestContext, query: MonthQuery) -> Result:
    month = mrr.revenue_month(connection, context.tenant_id, query.month)
    return Result(mappers.mrr(month, context.rules.currency))


def _churn(connection: Connection, context: RequestContext, query: MonthQuery) -> Result:
    month = mrr.revenue_month(connection, context.tenant_id, query.month)
    upcoming = mrr.upcoming_churn(connection, context.tenant_id, context.today)
    return Result(mappers.churn(month, upcoming, context.rules.currency))


def _mrr_history(connection: Connection, context: RequestContext, query: MonthsQuery) -> Result:
    found = mrr.revenue_months(connection, context.tenant_id, query.months)
    return Result(mappers.mrr_history(found, query.months, context.rules.currency))


def _churn_history(connection: Connection, context: RequestContext, query: MonthsQuery) -> Result:
    found = mrr.revenue_months(connection, context.tenant_id, query.months)
    return Result(mappers.churn_history(found, query.months, context.rules.currency))


def _cohorts(connection: Connection, context: RequestContext, query: CohortsQuery) -> Result:
    smallest = context.rules.smallest_group
    found = cohorts.cohorts(connection, context.tenant_id, query, context.today)
    response = mappers.cohorts(query, found, smallest)
    withheld = f"groups of fewer than {smallest} customers" if mappers.withholds_groups(response) else None
    return Result(response, withheld=withheld)


def _summary(connection: Connection, context: RequestContext, days: Days) -> Result:
    return Result(mappers.summary(days, sales.comparison(connection, context.tenant_id, days)))


def _by_region(connection: Connection, context: RequestContext, days: Days) -> Result:
    return Result(mappers.regions(days, sales.by_region(connection, context.tenant_id, days)))


def _by_product(connection: Connection, context: RequestContext, query: ProductsQuery) -> Result:
    return Result(mappers.products(query.days, sales.by_product(connection, context.tenant_id, query)))


def _last_month(connection: Connection, context: RequestContext, days: Days) -> Result:
    return Result(mappers.last_month(days, sales.by_day(connection, context.tenant_id, days)))


DOCUMENT_PATH: Final = "/api/openapi.json"

AnalyticsRoute: TypeAlias = MetricRoute | governance_changes.GovernanceRoute

METRIC_ROUTES: Final = (
    MetricRoute(
        path="/api/orders",
        metric="orders",
        scope=ORDERS_READ,
        summary="Orders, newest first, page by page",
        params_model=params.OrdersParams,
        response_model=responses.Orders,
        rows="orders",
        handler=_orders,
        caching=Caching.NEVER,
        paged=True,
    ),
    MetricRoute(
        path="/api/orders/{orderId}",
        metric="orders",
        scope=ORDERS_READ,
        summary="One order with its items, payment, fulfillment and timeline",
        params_model=params.OrderParams,
        response_model=responses.Order,
        rows="items",
        handler=_order,
        caching=Caching.NEVER,
    ),
    MetricRoute(
        path="/api/metrics/mrr",
        metric="mrr",
        summary="Monthly recurring revenue: opening, movements and closing of a month",
        params_model=params.MonthParams,
        response_model=responses.Mrr,
        handler=_mrr,
    ),
    MetricRoute(
        path="/api/metrics/churn",
        metric="churn",
        summary="Customers and recurring revenue lost and retained in a month",
        params_model=params.MonthParams,
        response_model=responses.Churn,
        handler=_churn,
    ),
    MetricRoute(
        path="/api/metrics/mrr/history",
        metric="mrr",
        summary="Monthly recurring revenue of every month of a range",
        params_model=params.MonthsParams,
        response_model=responses.MrrHistory,
        rows="months",
        handler=_mrr_history,
    ),
    MetricRoute(
        path="/api/metrics/churn/history",
        metric="churn",
        summary="Customers and recurring revenue lost and retained in every month of a range",
        params_model=params.MonthsParams,
        response_model=responses.ChurnHistory,
        rows="months",
        handler=_churn_history,
    ),
    MetricRoute(
        path="/api/metrics/mrr/movements",
        metric="mrr",
        summary="The customers whose recurring revenue moved in a month",
        params_model=params.MovementsParams,
        response_model=responses.CustomerMovements,
        rows="movements",
        handler=recurring.movements,
        paged=True,
    ),
    MetricRoute(
        path="/api/metrics/indicators",
        metric="mrr",
        reveals=lambda _query: ("churn",),
        summary="ARR, ARPA, quick ratio and customer lifetime value of every month of a range",
        params_model=params.MonthsParams,
        response_model=responses.IndicatorsHistory,
        rows="months",
        handler=recurring.indicators,
    ),
    MetricRoute(
        path="/api/metrics/cohorts",
        metric="cohorts",
        summary="Retention of customers, by the month in which they began",
        params_model=params.CohortsParams,
        response_model=responses.Cohorts,
        rows="cohorts",
        handler=_cohorts,
    ),
    MetricRoute(
        path="/api/metrics/cohorts/revenue",
        metric="cohorts",
        reveals=revenue_cohorts.reveals,
        summary="Revenue of customers, by the month in which they began",
        params_model=params.CohortsParams,
        response_model=responses.RevenueCohorts,
        rows="cohorts",
        handler=revenue_cohorts.revenue_cohorts,
    ),
    MetricRoute(
        path="/api/metrics/summary",
        metric="summary",
        summary="Revenue, orders, average order value and success rate, compared with the period before",
        params_model=params.PeriodParams,
        response_model=responses.Summary,
        handler=_summary,
    ),
    MetricRoute(
        path="/api/inventory",
        metric="pipeline",
        summary="Stock, reservations, and for how many days the stock of each product lasts",
        params_model=params.InventoryParams,
        response_model=responses.Inventory,
        rows="products",
        handler=inventory.inventory,
        caching=Caching.NEVER,
        paged=True,
    ),
    MetricRoute(
        path="/api/pipeline/by-region",
        metric="pipeline",
        summary="Sales by region",
        params_model=params.PeriodParams,
        response_model=responses.Regions,
        rows="regions",
        handler=_by_region,
    ),
    MetricRoute(
        path="/api/pipeline/by-product",
        metric="pipeline",
        summary="Sales by product, most units first",
        params_model=params.ProductsParams,
        response_model=responses.Products,
        rows="products",
        handler=_by_product,
    ),
    MetricRoute(
        path="/api/sales/last-month",
        metric="sales",
        summary="Sales of the last 30 days (UTC), day by day, including today",
        params_model=params.LastMonthParams,
        response_model=responses.LastMonth,
        rows="days",
        handler=_last_month,
        caching=Caching.NEVER,
    ),
    MetricRoute(
        path="/api/sales/history",
        metric="sales",
        summary="Sales of every day, week or month of a range",
        params_model=params.SalesHistoryParams,
        response_model=responses.SalesHistory,
        rows="intervals",
        handler=sales_by.history,
    ),
    MetricRoute(
        path="/api/sales/by-region",
        metric="sales",
        summary="Sales of a range by region",
        params_model=params.PeriodParams,
        response_model=responses.Regions,
        rows="regions",
        handler=sales_by.by_region,
    ),
    MetricRoute(
        path="/api/sales/by-channel",
        metric="sales",
        summary="Sales of a range by channel",
        params_model=params.PeriodParams,
        response_model=responses.Channels,
        rows="channels",
        handler=sales_by.by_channel,
    ),
    MetricRoute(
        path="/api/sales/by-product",
        metric="sales",
        summary="Sales of a range by product, page by page",
        params_model=params.ProductPageParams,
        response_model=responses.ProductPage,
        rows="products",
        handler=sales_by.by_product,
        paged=True,
    ),
)

ROUTES: Final[tuple[AnalyticsRoute, ...]] = (*METRIC_ROUTES, *governance_changes.ROUTES)

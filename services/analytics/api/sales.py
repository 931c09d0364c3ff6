"""Sales over any range: by region, channel and product, and interval by interval."""

from services.analytics.api import mappers
from services.analytics.api.context import RequestContext, Result
from services.analytics.api.mappers import period_of, sales_fields
from services.analytics.api.responses import (
    Channels,
    ChannelSales,
    IntervalSales,
    Page,
    ProductPage,
    ProductSales,
    SalesHistory,
)
from services.analytics.model.date_ranges import Days
from services.analytics.queries import products, sales
from services.analytics.queries.params import ProductPageQuery, SalesHistoryQuery
from services.shared.database import Connection


def by_region(connection: Connection, context: RequestContext, days: Days) -> Result:
    return Result(mappers.regions(days, sales.by_region(connection, context.tenant_id, days)))


def by_channel(connection: Connection, context: RequestContext, days: Days) -> Result:
    found = sales.by_channel(connection, context.tenant_id, days)
    return Result(
        Channels(
            period=period_of(days),
            channels=[ChannelSales(channel=channel, **sales_fields(totals)) for channel, totals in found],
        )
    )


def by_product(connection: Connection, context: RequestContext, query: ProductPageQuery) -> Result:
    filters = query.filters
    currency = (filters.currency or context.rules.currency) if filters.sort == "revenue" else None
    after = context.position(filters, query.cursor)
    # One more than the limit shows whether there is another page.
    found = products.page(connection, context.tenant_id, filters.days, currency, after, query.limit + 1)
    page = found[: query.limit]
    more = len(found) > len(page)
    return Result(
        ProductPage(
            period=period_of(filters.days),
            sort=filters.sort,
            currency=currency,
            products=[
                ProductSales(sku=it.product.sku, name=it.product.name, **sales_fields(it.product.sales))
                for it in page
            ],
        ),
        page=Page(
            limit=query.limit,
            next_cursor=context.next_cursor(filters, page[-1].position) if more else None,
        ),
    )


def history(connection: Connection, context: RequestContext, query: SalesHistoryQuery) -> Result:
    found = sales.history(connection, context.tenant_id, query)
    return Result(
        SalesHistory(
            period=period_of(query.days),
            interval=query.interval,
            intervals=[
                IntervalSales(start=days.start, end=days.end, **sales_fields(totals))
                for days, totals in found
            ],
        )
    )

"""Stock: the products of analytics, with the units of this moment from the inventory table."""

from typing import Final

from services.analytics.api.context import RequestContext, Result
from services.analytics.api.responses import Inventory, Money, Page, Period, StockedProduct
from services.analytics.queries import inventory as inventory_queries
from services.analytics.queries.inventory import ListedProduct
from services.analytics.queries.params import InventoryQuery
from services.shared.database import Connection
from services.shared.ledger import Key, Stock

FORMULA: Final = "available / (units sold in the period / days of the period)"


def inventory(connection: Connection, context: RequestContext, query: InventoryQuery) -> Result:
    filters = query.filters
    after = context.position(filters, query.cursor)
    # One more than the limit shows whether there is another page.
    found = inventory_queries.products(connection, context.tenant_id, query, after, query.limit + 1)
    page = found[: query.limit]
    more = len(found) > len(page)
    stock = context.read_stock([Key(context.tenant_id, it.sku) for it in page]) if page else {}
    days = filters.days
    return Result(
        Inventory(
            period=Period(start=days.start, end=days.end),
            formula=FORMULA,
            products=[_product(it, stock.get(Key(context.tenant_id, it.sku)), days.count) for it in page],
        ),
        page=Page(
            limit=query.limit,
            next_cursor=context.next_cursor(filters, page[-1].position) if more else None,
        ),
    )


def _product(listed: ListedProduct, stock: Stock | None, days: int) -> StockedProduct:
    on_hand, available = (stock.stock, stock.available) if stock else (listed.stock, listed.available)
    return StockedProduct(
        sku=listed.sku,
        name=listed.name,
        unit_price=Money(amount_minor=listed.unit_price_minor, currency=listed.currency),
        stock=on_hand,
        reserved=on_hand - available,
        available=available,
        units_sold=listed.units_sold,
        days_of_cover=round(available * days / listed.units_sold, 1) if listed.units_sold else None,
        told_at=None if stock else listed.told_at,
    )

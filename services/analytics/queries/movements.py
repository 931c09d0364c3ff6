"""The customers whose recurring revenue moved in a month."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from psycopg import sql

from services.analytics.queries.mrr import RecurringRevenue
from services.analytics.queries.params import MovementFilters
from services.shared.database import Connection


@dataclass(frozen=True, slots=True)
class CustomerMovement:
    customer_id: str
    kind: str
    revenue: RecurringRevenue
    exchange: RecurringRevenue
    """Signed."""

    @property
    def position(self) -> Sequence[str]:
        return self.kind, self.customer_id


# The conditions of each are where an index is entered, and its order is that of the index.
_ALL: Final = sql.SQL(
    """
SELECT customer_id, movement, annual_minor, exchange_minor FROM mrr_movements
WHERE tenant_id = %(tenant)s AND month = %(month)s AND (movement, customer_id) > (%(after_kind)s, %(after)s)
ORDER BY movement, customer_id LIMIT %(limit)s
"""
)
_OF_KIND: Final = sql.SQL(
    """
SELECT customer_id, movement, annual_minor, exchange_minor FROM mrr_movements
WHERE tenant_id = %(tenant)s AND month = %(month)s AND movement = %(kind)s AND customer_id > %(after)s
ORDER BY customer_id LIMIT %(limit)s
"""
)
_BY_EXCHANGE: Final = sql.SQL(
    """
SELECT customer_id, movement, annual_minor, exchange_minor FROM mrr_movements
WHERE tenant_id = %(tenant)s AND month = %(month)s AND exchange_minor <> 0 AND customer_id > %(after)s
ORDER BY customer_id LIMIT %(limit)s
"""
)


def movements(
    connection: Connection,
    tenant_id: str,
    filters: MovementFilters,
    after: Sequence[str] | None,
    limit: int,
) -> list[CustomerMovement]:
    """Return the movements that come after a position: by kind, then by customer."""
    after_kind, after_customer = after or ("", "")
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "month": filters.month,
        "kind": filters.kind,
        "after_kind": after_kind,
        "after": after_customer,
        "limit": limit,
    }
    query = _ALL if filters.kind is None else _BY_EXCHANGE if filters.kind == "exchange" else _OF_KIND
    return [
        CustomerMovement(
            customer_id, kind, RecurringRevenue(Fraction(annual), 1), RecurringRevenue(Fraction(exchange))
        )
        for customer_id, kind, annual, exchange in connection.execute(query, values)
    ]

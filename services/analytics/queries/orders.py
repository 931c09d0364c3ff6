"""Orders, newest first, and one order with everything that is known of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from psycopg import sql
from psycopg.rows import dict_row

from services.analytics.api.responses import (
    Fulfillment,
    Money,
    Order,
    OrderedItem,
    OrderLine,
    Payment,
    TimelineEntry,
)
from services.analytics.db.database import Connection
from services.analytics.model.date_ranges import midnight
from services.analytics.queries.params import Filters, Position

_COLUMNS: Final = sql.SQL(
    "order_id, customer_id, status, reason, region, channel, payment_method, amount_minor, currency, units,"
    " placed_at, reserved_at, confirmed_at, ended_at"
)

_CONDITIONS: Final = {
    "tenant": sql.SQL("tenant_id = %(tenant)s"),
    "status": sql.SQL("status = %(status)s"),
    "customer": sql.SQL("customer_id = %(customer)s"),
    "start": sql.SQL("placed_at >= %(start)s"),
    "end": sql.SQL("placed_at < %(end)s"),
    # As one comparison of rows, it is where the index is entered; spelled out with OR, it would be a filter.
    "order_id": sql.SQL("(placed_at, order_id) < (%(placed_at)s, %(order_id)s)"),
}


def newest(
    connection: Connection, tenant_id: str, filters: Filters, after: Position | None, most: int
) -> list[dict[str, Any]]:
    """Return the rows of orders that come after a position."""
    values = {
        "tenant": tenant_id,
        "status": filters.status,
        "customer": filters.customer,
        "start": filters.start and midnight(filters.start),
        "end": filters.end and midnight(filters.end),
        "placed_at": after and after.placed_at,
        "order_id": after and after.order_id,
    }
    conditions = [spelled for name, spelled in _CONDITIONS.items() if values[name] is not None]
    query = sql.SQL(
        "SELECT {columns} FROM orders WHERE {conditions}"
        " ORDER BY placed_at DESC, order_id DESC LIMIT %(most)s"
    ).format(columns=_COLUMNS, conditions=sql.SQL(" AND ").join(conditions))
    return connection.cursor(row_factory=dict_row).execute(query, {**values, "most": most}).fetchall()


def line(row: Mapping[str, Any], *, hides_customers: bool) -> OrderLine:
    return OrderLine(**_line(row, hides_customers=hides_customers))


MOST_MOMENTS: Final = 200
"""An order has about five. One that a publisher tells of ten thousand times must not outgrow an answer."""

# In one statement: what it tells is of one moment.
_ORDER: Final = sql.SQL(
    """
SELECT {columns},
  (SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY sku), '[]') FROM order_items i
   WHERE tenant_id = %(tenant)s AND order_id = %(order_id)s) AS items,
  (SELECT to_jsonb(p) FROM payments p WHERE tenant_id = %(tenant)s AND order_id = %(order_id)s) AS payment,
  (SELECT to_jsonb(f) FROM fulfillment f
   WHERE tenant_id = %(tenant)s AND order_id = %(order_id)s) AS fulfillment,
  (SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY occurred_at, event_id, event), '[]') FROM (
     SELECT event, event_id, occurred_at, detail FROM event_inbox
     WHERE tenant_id = %(tenant)s AND kind = 'order' AND subject = %(order_id)s
     ORDER BY occurred_at, event_id, event LIMIT {moments}
   ) e) AS timeline
FROM orders WHERE tenant_id = %(tenant)s AND order_id = %(order_id)s
"""
).format(columns=_COLUMNS, moments=sql.Literal(MOST_MOMENTS))


def one(connection: Connection, tenant_id: str, order_id: str, *, hides_customers: bool) -> Order | None:
    row = (
        connection.cursor(row_factory=dict_row)
        .execute(_ORDER, {"tenant": tenant_id, "order_id": order_id})
        .fetchone()
    )
    if row is None:
        return None
    return Order(
        **_line(row, hides_customers=hides_customers),
        items=[_item(item, row["currency"]) for item in row["items"]],
        payment=row["payment"] and _payment(row["payment"]),
        fulfillment=row["fulfillment"] and _fulfillment(row["fulfillment"]),
        timeline=_timeline(row["timeline"], hides_customers=hides_customers),
    )


_TOLD_AS_IT_IS: Final = (
    *("order_id", "status", "reason", "region", "channel", "payment_method", "units"),
    *("placed_at", "reserved_at", "confirmed_at", "ended_at"),
)


def _line(row: Mapping[str, Any], *, hides_customers: bool) -> dict[str, Any]:
    return {
        **{name: row[name] for name in _TOLD_AS_IT_IS},
        "customer_id": None if hides_customers else row["customer_id"],
        "amount": _money(row["amount_minor"], row["currency"]),
    }


def _money(amount_minor: int | None, currency: str | None) -> Money | None:
    if amount_minor is None or currency is None:
        return None
    return Money(amount_minor=amount_minor, currency=currency)


def _item(row: Mapping[str, Any], currency: str | None) -> OrderedItem:
    return OrderedItem(
        sku=row["sku"],
        quantity=row["quantity"],
        unit_price=_money(row["unit_price_minor"], currency),
    )


def _payment(row: Mapping[str, Any]) -> Payment:
    return Payment(
        status=row["status"],
        amount=Money(amount_minor=row["amount_minor"], currency=row["currency"]),
        charge_id=row["charge_id"],
        reason=row["reason"],
        refund_id=row["refund_id"],
        refunded=Money(amount_minor=row["refunded_minor"], currency=row["currency"]),
        requested_at=row["requested_at"],
        answered_at=row["answered_at"],
        refunded_at=row["refunded_at"],
    )


def _fulfillment(row: Mapping[str, Any]) -> Fulfillment:
    return Fulfillment(
        status=row["status"], units=row["units"], due_at=row["due_at"], ended_at=row["ended_at"]
    )


_NAMES_A_CUSTOMER: Final = frozenset({"customerId", "customer_id"})


def _timeline(rows: Sequence[Mapping[str, Any]], *, hides_customers: bool) -> list[TimelineEntry]:
    hidden = _NAMES_A_CUSTOMER if hides_customers else frozenset()
    return [
        TimelineEntry(
            event=row["event"],
            event_id=row["event_id"],
            occurred_at=row["occurred_at"],
            detail={name: value for name, value in row["detail"].items() if name not in hidden},
        )
        for row in rows
    ]

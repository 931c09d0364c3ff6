"""Orders, newest first, and one order with its items, payment, fulfillment and events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import sql
from psycopg.rows import class_row, dict_row

from services.analytics.model.date_ranges import midnight
from services.analytics.queries.params import Filters, Position
from services.shared.database import Connection


@dataclass(frozen=True, slots=True)
class OrderRecord:
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


@dataclass(frozen=True, slots=True)
class ItemRecord:
    sku: str
    quantity: int
    unit_price_minor: int | None
    total_minor: int | None


@dataclass(frozen=True, slots=True)
class PaymentRecord:
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


@dataclass(frozen=True, slots=True)
class FulfillmentRecord:
    status: str
    units: int
    due_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class EventRecord:
    event: str
    event_id: str
    occurred_at: datetime
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OrderHistory:
    """One order with its parts, and its events, oldest first."""

    order: OrderRecord
    items: tuple[ItemRecord, ...]
    payment: PaymentRecord | None
    fulfillment: FulfillmentRecord | None
    events: tuple[EventRecord, ...]


_COLUMNS: Final = sql.SQL(", ").join(map(sql.Identifier, OrderRecord.__slots__))

_CONDITIONS: Final = {
    "tenant": sql.SQL("tenant_id = %(tenant)s"),
    "status": sql.SQL("status = %(status)s"),
    "customer": sql.SQL("customer_id = %(customer)s"),
    "start": sql.SQL("placed_at >= %(start)s"),
    "end": sql.SQL("placed_at < %(end)s"),
    # As one comparison of rows, it is where the index is entered; written with OR, it would be a filter.
    "order_id": sql.SQL("(placed_at, order_id) < (%(placed_at)s, %(order_id)s)"),
}


def orders(
    connection: Connection, tenant_id: str, filters: Filters, after: Position | None, limit: int
) -> list[OrderRecord]:
    """Return the orders that come after a position, newest first."""
    values = {
        "tenant": tenant_id,
        "status": filters.status,
        "customer": filters.customer,
        "start": filters.start and midnight(filters.start),
        "end": filters.end and midnight(filters.end),
        "placed_at": after and after.placed_at,
        "order_id": after and after.order_id,
    }
    conditions = [condition for name, condition in _CONDITIONS.items() if values[name] is not None]
    query = sql.SQL(
        "SELECT {columns} FROM orders WHERE {conditions}"
        " ORDER BY placed_at DESC, order_id DESC LIMIT %(limit)s"
    ).format(columns=_COLUMNS, conditions=sql.SQL(" AND ").join(conditions))
    cursor = connection.cursor(row_factory=class_row(OrderRecord))
    return cursor.execute(query, {**values, "limit": limit}).fetchall()


MAX_EVENTS: Final = 200
"""An order has about five. One with ten thousand must not outgrow a response."""

# One statement, so that all of it is of one moment.
_ORDER: Final = sql.SQL(
    """
SELECT {columns},
  (SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY sku), '[]') FROM (
     SELECT sku, quantity, unit_price_minor, coalesce(total_minor, quantity * unit_price_minor) AS total_minor
     FROM order_items WHERE tenant_id = %(tenant)s AND order_id = %(order_id)s
   ) i) AS items,
  (SELECT to_jsonb(p) FROM payments p WHERE tenant_id = %(tenant)s AND order_id = %(order_id)s) AS payment,
  (SELECT to_jsonb(f) FROM fulfillment f
   WHERE tenant_id = %(tenant)s AND order_id = %(order_id)s) AS fulfillment,
  (SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY occurred_at, event_id, event), '[]') FROM (
     SELECT event, event_id, occurred_at, detail FROM event_inbox
     WHERE tenant_id = %(tenant)s AND kind = 'order' AND subject = %(order_id)s
     ORDER BY occurred_at, event_id, event LIMIT {max_events}
   ) e) AS events
FROM orders WHERE tenant_id = %(tenant)s AND order_id = %(order_id)s
"""
).format(columns=_COLUMNS, max_events=sql.Literal(MAX_EVENTS))


def order(connection: Connection, tenant_id: str, order_id: str) -> OrderHistory | None:
    row = (
        connection.cursor(row_factory=dict_row)
        .execute(_ORDER, {"tenant": tenant_id, "order_id": order_id})
        .fetchone()
    )
    if row is None:
        return None
    return OrderHistory(
        order=OrderRecord(**{name: row[name] for name in OrderRecord.__slots__}),
        items=tuple(
            ItemRecord(item["sku"], item["quantity"], item["unit_price_minor"], item["total_minor"])
            for item in row["items"]
        ),
        payment=row["payment"] and _payment(row["payment"]),
        fulfillment=row["fulfillment"] and _fulfillment(row["fulfillment"]),
        events=tuple(
            EventRecord(event["event"], event["event_id"], _time(event["occurred_at"]), event["detail"])
            for event in row["events"]
        ),
    )


def _payment(row: Mapping[str, Any]) -> PaymentRecord:
    return PaymentRecord(
        status=row["status"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        charge_id=row["charge_id"],
        reason=row["reason"],
        refund_id=row["refund_id"],
        refunded_minor=row["refunded_minor"],
        requested_at=_optional_time(row["requested_at"]),
        answered_at=_optional_time(row["answered_at"]),
        refunded_at=_optional_time(row["refunded_at"]),
    )


def _fulfillment(row: Mapping[str, Any]) -> FulfillmentRecord:
    return FulfillmentRecord(
        status=row["status"],
        units=row["units"],
        due_at=_time(row["due_at"]),
        ended_at=_optional_time(row["ended_at"]),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _optional_time(text: str | None) -> datetime | None:
    return None if text is None else _time(text)

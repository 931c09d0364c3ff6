"""Orders of a file: one record is a line of an order, and its rows may stand anywhere in the file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from scripts.ops.imports.plan import NOT_YET, Plan, Reader, RowRefusedError, faults
from scripts.ops.imports.records import Record
from scripts.ops.imports.values import ValueRefusedError, minor, whole
from services.shared.events import OrderImported, event_id

_SHARED: Final = (
    "customer",
    "placed_at",
    "currency",
    "status",
    "region",
    "channel",
    "discount",
    "tax",
    "shipping",
)
"""Fields of the order: the same in all of its rows, or empty."""


@dataclass(frozen=True, slots=True)
class _Row:
    record: Record
    shared: dict[str, str]
    quantity: int


def plan_orders(records: Iterator[Record], plan: Plan) -> None:
    by_order: dict[str, list[_Row]] = {}
    spoilt: dict[str, int] = {}
    for record in records:
        order_id = plan.reader.text(record, "order")
        try:
            row = _row(plan.reader, record)
        except RowRefusedError as error:
            plan.reject(record, error.reason, error.column)
            if order_id is not None:
                spoilt.setdefault(order_id, record.line)
            continue
        by_order.setdefault(plan.reader.required(record, "order"), []).append(row)
    for order_id, rows in by_order.items():
        if order_id in spoilt:
            _reject_all(plan, rows, f"line {spoilt[order_id]} of the same order was rejected")
            continue
        try:
            order = _order(plan, order_id, rows)
        except RowRefusedError as error:
            _reject_all(plan, rows, error.reason, error.column)
            continue
        plan.subjects.append([order])
        _add_up(plan, order)


def _reject_all(plan: Plan, rows: Sequence[_Row], reason: str, column: str = "") -> None:
    # One sum would be wrong without the others: an order is imported whole or not at all.
    for row in rows:
        plan.reject(row.record, reason, column)


def _add_up(plan: Plan, order: OrderImported) -> None:
    sums = plan.of_currency(order.currency)
    sums.subjects += 1
    if order.status in {"CONFIRMED", "REFUNDED"}:
        sums.revenue_minor += order.amount_minor
        sums.refunded_minor += order.refunded_minor


def _row(reader: Reader, record: Record) -> _Row:
    reader.required(record, "order")
    reader.required(record, "sku")
    shared = {name: value for name in _SHARED if (value := reader.text(record, name)) is not None}
    quantity = reader.number(record, "quantity")
    if quantity is None:
        raise RowRefusedError("empty", reader.column("quantity"))
    try:
        units = whole(quantity)
    except ValueRefusedError as error:
        raise RowRefusedError(str(error), reader.column("quantity")) from error
    if not units:
        raise RowRefusedError("a line has a quantity other than 0", reader.column("quantity"))
    # Refused here already, so that the reject names the line.
    reader.number(record, "total")
    reader.number(record, "unit_price")
    reader.moment(record, "placed_at")
    return _Row(record, shared, units)


def _order(plan: Plan, order_id: str, rows: Sequence[_Row]) -> OrderImported:
    reader, first = plan.reader, rows[0].record
    shared: dict[str, str] = {}
    for row in rows:
        for name, value in row.shared.items():
            if shared.setdefault(name, value) != value:
                raise RowRefusedError(
                    f"rows of the order disagree: {shared[name]} and {value}", reader.column(name)
                )
    for name in ("customer", "placed_at", "currency"):
        if name not in shared:
            raise RowRefusedError("empty in all rows of the order", reader.column(name))
    currency = shared["currency"].upper()
    whole_order = Record(first.line, {reader.column(name): value for name, value in shared.items()})
    details: dict[str, Any] = {
        "event_id": event_id(plan.tenant_id, order_id, "OrderImported", plan.import_id),
        "occurred_at": NOT_YET,
        "tenant_id": plan.tenant_id,
        "order_id": order_id,
        "customer_id": shared["customer"],
        "placed_at": reader.moment(whole_order, "placed_at"),
        "status": reader.word("status", shared["status"]) if "status" in shared else "CONFIRMED",
        "lines": [_line(reader, row, currency) for row in rows],
        "currency": currency,
        "region": shared.get("region"),
        "channel": shared.get("channel"),
    }
    for name in ("discount", "tax", "shipping"):
        details[f"{name}_minor"] = reader.minor(whole_order, name, currency) or 0
    try:
        return OrderImported.model_validate(details)
    except ValidationError as error:
        raise RowRefusedError(faults([dict(it) for it in error.errors()])) from error


def _line(reader: Reader, row: _Row, currency: str) -> dict[str, Any]:
    price, total = reader.number(row.record, "unit_price"), reader.minor(row.record, "total", currency)
    if total is None:
        if price is None:
            raise RowRefusedError("neither a total nor a unit price", reader.column("total"))
        try:
            total = minor(price * row.quantity, currency)
        except ValueRefusedError as error:
            reason = f"quantity times price: {error}; give the line's total"
            raise RowRefusedError(reason, reader.column("unit_price")) from error
    elif row.quantity < 0 < total:
        # Many files write what came back as a negative quantity beside a positive amount.
        total = -total
    line = {"sku": reader.required(row.record, "sku"), "quantity": row.quantity, "total_minor": total}
    return line if price is None or price < 0 else {**line, "unit_price": f"{price:f}"}

"""The rows of an order that a file brought in: of several files, the newest counts."""

from collections.abc import Sequence

from services.analytics.db.tables import ItemRow, OrderRow, OrderRows, PaymentRow
from services.shared.events import ImportedLine, OrderImported

_SOLD = ("CONFIRMED", "REFUNDED")


def imported_rows(events: Sequence[OrderImported]) -> OrderRows:
    event = max(events, key=lambda one: (one.occurred_at, one.event_id))
    is_sold = event.status in _SOLD
    status = event.status
    if is_sold:
        is_whole = 0 < event.refunded_minor >= event.amount_minor
        status = "REFUNDED" if is_whole or event.status == "REFUNDED" else "CONFIRMED"
    order = OrderRow(
        tenant_id=event.tenant_id,
        order_id=event.order_id,
        customer_id=event.customer_id,
        status=status,
        reason=None,
        region=event.region,
        channel=event.channel,
        payment_method=None,
        amount_minor=event.amount_minor,
        currency=event.currency,
        units=event.units,
        placed_at=event.placed_at,
        reserved_at=None,
        confirmed_at=event.placed_at if is_sold else None,
        ended_at=None,
        version=len(events),
    )
    items = _items(event, is_sold=is_sold)
    # Nothing is to be sent: it was, or never will be.
    return OrderRows(order, items, _payment(event, status, len(events)) if is_sold else None, None)


def _items(event: OrderImported, *, is_sold: bool) -> tuple[ItemRow, ...]:
    by_sku: dict[str, list[ImportedLine]] = {}
    for line in event.lines:
        by_sku.setdefault(line.sku, []).append(line)
    # A file may know that all was refunded, and have no lines for it.
    all_back = event.status == "REFUNDED" and event.returned_minor < event.sold_minor
    return tuple(_item(event, sku, by_sku[sku], is_sold=is_sold, all_back=all_back) for sku in sorted(by_sku))


def _item(
    event: OrderImported, sku: str, lines: Sequence[ImportedLine], *, is_sold: bool, all_back: bool
) -> ItemRow:
    sold = [line for line in lines if line.quantity > 0]
    back = [line for line in lines if line.quantity < 0]
    quantity, total = sum(line.quantity for line in sold), sum(line.total_minor for line in sold)
    returned, returned_minor = -sum(line.quantity for line in back), -sum(line.total_minor for line in back)
    if all_back:
        returned, returned_minor = quantity, total
    return ItemRow(
        tenant_id=event.tenant_id,
        order_id=event.order_id,
        sku=sku,
        quantity=quantity,
        unit_price_minor=_unit_price(sold),
        total_minor=total,
        returned=returned if is_sold else 0,
        returned_minor=returned_minor if is_sold else 0,
    )


def _unit_price(lines: Sequence[ImportedLine]) -> int | None:
    """Return the price that all lines have, if it has no fraction of a minor unit."""
    if any(line.total_minor % line.quantity for line in lines):
        return None
    prices = {line.total_minor // line.quantity for line in lines}
    return prices.pop() if len(prices) == 1 else None


def _payment(event: OrderImported, status: str, version: int) -> PaymentRow:
    return PaymentRow(
        tenant_id=event.tenant_id,
        order_id=event.order_id,
        status="REFUNDED" if status == "REFUNDED" else "SUCCEEDED",
        amount_minor=event.amount_minor,
        currency=event.currency,
        charge_id=None,
        reason=None,
        refund_id=None,
        refunded_minor=event.refunded_minor,
        requested_at=None,
        answered_at=event.placed_at,
        refunded_at=None,
        version=version,
    )

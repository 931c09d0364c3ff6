"""The rows of an order: a function of the set of its events, in whatever order they arrived.

Any of them may be missing, for now or for good. Of several of one kind the first counts: the one with the
smallest time and id. Only refunds add up: each counts once, by the id that the gateway gave it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar, cast

from services.analytics.db.tables import FulfillmentRow, ItemRow, OrderRow, OrderRows, PaymentRow, ProductRow
from services.analytics.model.imported_orders import imported_rows
from services.shared.events import (
    Event,
    InventoryAdjusted,
    OrderCancelled,
    OrderConfirmed,
    OrderEvent,
    OrderImported,
    OrderPlaced,
    OrderRejected,
    PaymentFailed,
    PaymentProcessed,
    PaymentRequested,
    RefundProcessed,
    SubscriptionEvent,
)

E = TypeVar("E", bound=Event)


class Subject(NamedTuple):
    """What an event is about; all events of a subject are folded together."""

    tenant_id: str
    kind: str
    id: str


class UnknownSubjectError(Exception):
    """The projector received an event of a kind that it has no rows for."""


def subject_of(event: Event) -> Subject:
    if isinstance(event, OrderEvent):
        return Subject(event.tenant_id, "order", event.order_id)
    if isinstance(event, SubscriptionEvent):
        # A customer's subscriptions are counted together.
        return Subject(event.tenant_id, "subscription", event.customer_id)
    if isinstance(event, InventoryAdjusted):
        return Subject(event.tenant_id, "sku", event.sku)
    raise UnknownSubjectError(
        f"{event.detail_type()} has no rows in the read side; remove it from the projector's rule"
    )


def order_rows(events: Sequence[Event]) -> OrderRows:
    """Fold all the events of one order, of which there is at least one."""
    own = [event for event in events if not isinstance(event, OrderImported)]
    if not own:
        return imported_rows(cast("Sequence[OrderImported]", events))
    first = _FirstEvents(own, version=len(events))
    tenant_id, order_id = events[0].tenant_id, cast("OrderEvent", events[0]).order_id
    items = _items(tenant_id, order_id, first)
    units = sum([item.quantity for item in items])
    return OrderRows(
        _order(order_id, first, units),
        items,
        _payment(order_id, first),
        _fulfillment(order_id, first, units),
    )


def product_row(event: InventoryAdjusted) -> ProductRow:
    return ProductRow(
        tenant_id=event.tenant_id,
        sku=event.sku,
        name=event.name,
        stock=event.stock,
        available=event.available,
        unit_price_minor=event.unit_price_minor,
        currency=event.currency,
        adjusted_at=event.occurred_at,
        adjusted_by=event.event_id,
    )


class _FirstEvents:
    """The first event of each kind."""

    __slots__ = ("_by_kind", "all", "refunds", "version")

    def __init__(self, events: Sequence[Event], version: int) -> None:
        self.all = events
        self.version = version
        self._by_kind: dict[type[Event], Event] = {}
        for event in events:
            kind = type(event)
            first = self._by_kind.get(kind)
            if first is None or (event.occurred_at, event.event_id) < (first.occurred_at, first.event_id):
                self._by_kind[kind] = event
        self.refunds = _Refunds(events) if RefundProcessed in self._by_kind else None

    def of(self, kind: type[E]) -> E | None:
        return cast("E | None", self._by_kind.get(kind))


class _Refunds:
    """What was given back of one order: the first event of each refund."""

    __slots__ = ("amount_minor", "last", "restocked")

    def __init__(self, events: Sequence[Event]) -> None:
        by_id: dict[str, RefundProcessed] = {}
        refunds = [event for event in events if isinstance(event, RefundProcessed)]
        refunds.sort(key=lambda refund: (refund.occurred_at, refund.event_id))
        for refund in refunds:
            by_id.setdefault(refund.refund_id, refund)
        self.amount_minor = sum([refund.amount_minor for refund in by_id.values()])
        self.last = list(by_id.values())[-1]
        self.restocked = any(refund.restocked for refund in by_id.values())

    def is_whole(self, amount_minor: int) -> bool:
        return self.amount_minor >= amount_minor


def _order(order_id: str, first: _FirstEvents, units: int) -> OrderRow:
    placed, requested, confirmed = (
        first.of(OrderPlaced),
        first.of(PaymentRequested),
        first.of(OrderConfirmed),
    )
    status, end = _status(first)
    priced = confirmed or requested or first.of(PaymentProcessed) or first.of(PaymentFailed)
    return OrderRow(
        tenant_id=first.all[0].tenant_id,
        order_id=order_id,
        customer_id=_customer_id(first),
        status=status,
        reason=end.reason if end else None,
        region=placed.region if placed else None,
        channel=placed.channel if placed else None,
        payment_method=_payment_method(placed, requested),
        amount_minor=priced.amount_minor if priced else None,
        currency=priced.currency if priced else None,
        units=units,
        placed_at=_placed_at(first, placed, requested),
        reserved_at=requested.occurred_at if requested else None,
        confirmed_at=confirmed.occurred_at if confirmed else None,
        ended_at=end.occurred_at if end else None,
        version=first.version,
    )


def _status(first: _FirstEvents) -> tuple[str, OrderRejected | OrderCancelled | RefundProcessed | None]:
    """Return how far the order came, and the event that ended it."""
    if confirmed := first.of(OrderConfirmed):
        refunds = first.refunds
        if refunds and refunds.is_whole(confirmed.amount_minor):
            return "REFUNDED", refunds.last
        return "CONFIRMED", None
    # A refund does not change these: what is refunded there is a charge that came too late.
    if cancelled := first.of(OrderCancelled):
        return "CANCELLED", cancelled
    if rejected := first.of(OrderRejected):
        return "REJECTED", rejected
    return ("RESERVED" if first.of(PaymentRequested) else "PLACED"), None


def _customer_id(first: _FirstEvents) -> str | None:
    event = (
        first.of(OrderConfirmed)
        or first.of(PaymentRequested)
        or first.of(OrderPlaced)
        or first.of(OrderRejected)
        or first.of(OrderCancelled)
    )
    return event.customer_id if event else None


def _payment_method(placed: OrderPlaced | None, requested: PaymentRequested | None) -> str | None:
    method = placed.payment_method if placed else None
    return method or (requested.payment_method if requested else None)


def _placed_at(
    first: _FirstEvents, placed: OrderPlaced | None, requested: PaymentRequested | None
) -> datetime:
    if placed:
        return placed.placed_at or placed.occurred_at
    if requested:
        return requested.placed_at
    return min(event.occurred_at for event in first.all)


def _items(tenant_id: str, order_id: str, first: _FirstEvents) -> tuple[ItemRow, ...]:
    """Add up the lines of each SKU; events with prices take precedence."""
    items: dict[str, ItemRow] = {}
    for sku, quantity, unit_price in _lines(first):
        total = None if unit_price is None else quantity * unit_price
        item = items.get(sku)
        if item is None:
            items[sku] = ItemRow(tenant_id, order_id, sku, quantity, unit_price, total)
        else:
            items[sku] = item._replace(
                quantity=item.quantity + quantity,
                unit_price_minor=unit_price if unit_price == item.unit_price_minor else None,
                total_minor=None if total is None else (item.total_minor or 0) + total,
            )
    return tuple([items[sku] for sku in sorted(items)])


def _lines(first: _FirstEvents) -> list[tuple[str, int, int | None]]:
    """Return SKU, quantity and, where it is known, the unit price of each line."""
    if priced := first.of(OrderConfirmed) or first.of(PaymentRequested):
        return [(item.sku, item.quantity, item.unit_price_minor) for item in priced.items]
    if placed := first.of(OrderPlaced):
        return [(item.sku, item.quantity, None) for item in placed.items]
    return []


def _payment(order_id: str, first: _FirstEvents) -> PaymentRow | None:
    requested, charged, failed, refunds = (
        first.of(PaymentRequested),
        first.of(PaymentProcessed),
        first.of(PaymentFailed),
        first.refunds,
    )
    refund = refunds.last if refunds else None
    source = charged or failed or requested or refund
    if source is None:
        return None
    answer = charged or failed
    return PaymentRow(
        tenant_id=source.tenant_id,
        order_id=order_id,
        status=_payment_status(charged, failed, refunds, source.amount_minor),
        amount_minor=source.amount_minor,
        currency=source.currency,
        charge_id=charged.charge_id if charged else refund.charge_id if refund else None,
        reason=refund.reason if refund else failed.reason if failed and not charged else None,
        refund_id=refund.refund_id if refund else None,
        refunded_minor=refunds.amount_minor if refunds else 0,
        requested_at=requested.occurred_at if requested else None,
        answered_at=answer.occurred_at if answer else None,
        refunded_at=refund.occurred_at if refund else None,
        version=first.version,
    )


def _payment_status(
    charged: PaymentProcessed | None,
    failed: PaymentFailed | None,
    refunds: _Refunds | None,
    amount_minor: int,
) -> str:
    if refunds and refunds.is_whole(amount_minor):
        return "REFUNDED"
    if charged or refunds:
        return "SUCCEEDED"
    return "FAILED" if failed else "REQUESTED"


def _fulfillment(order_id: str, first: _FirstEvents, units: int) -> FulfillmentRow | None:
    confirmed = first.of(OrderConfirmed)
    if confirmed is None:
        return None
    status = _fulfillment_status(first.refunds, confirmed.amount_minor)
    return FulfillmentRow(
        tenant_id=confirmed.tenant_id,
        order_id=order_id,
        status=status,
        units=units,
        due_at=confirmed.occurred_at,
        ended_at=first.refunds.last.occurred_at if first.refunds and status != "DUE" else None,
        version=first.version,
    )


def _fulfillment_status(refunds: _Refunds | None, amount_minor: int) -> str:
    """Goods that are back were returned; what is paid back wholly is not sent."""
    if refunds and refunds.restocked:
        return "RETURNED"
    return "CALLED_OFF" if refunds and refunds.is_whole(amount_minor) else "DUE"

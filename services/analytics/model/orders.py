"""What is known of an order: a function of the set of its events, in whatever order they came.

Any of them may be missing, for now or for good. Of several of one kind, the first tells: the one with the
smallest time and id.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar, cast

from services.analytics.db.tables import FulfillmentRow, ItemRow, OrderRow, OrderRows, PaymentRow, ProductRow
from services.shared.events import (
    Event,
    InventoryAdjusted,
    OrderCancelled,
    OrderConfirmed,
    OrderEvent,
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
    """What an event is about, and with which others it is read together."""

    tenant_id: str
    kind: str
    id: str


class UnknownSubjectError(Exception):
    """An event of a kind that nobody has said how to project."""


def subject_of(event: Event) -> Subject:
    if isinstance(event, OrderEvent):
        return Subject(event.tenant_id, "order", event.order_id)
    if isinstance(event, SubscriptionEvent):
        # A customer's subscriptions are counted together.
        return Subject(event.tenant_id, "subscription", event.customer_id)
    if isinstance(event, InventoryAdjusted):
        return Subject(event.tenant_id, "sku", event.sku)
    raise UnknownSubjectError(f"{event.detail_type()} is about nothing that is projected")


def order_rows(events: Sequence[Event]) -> OrderRows:
    """Fold all the events of one order, of which there is at least one."""
    heard = _Heard(events)
    tenant_id, order_id = events[0].tenant_id, cast("OrderEvent", events[0]).order_id
    items = _items(tenant_id, order_id, heard)
    units = sum([item.quantity for item in items])
    return OrderRows(
        _order(order_id, heard, units),
        items,
        _payment(order_id, heard),
        _fulfillment(order_id, heard, units),
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
        told_at=event.occurred_at,
        told_by=event.event_id,
    )


class _Heard:
    """The first event of each kind."""

    __slots__ = ("_first", "all")

    def __init__(self, events: Sequence[Event]) -> None:
        self.all = events
        self._first: dict[type[Event], Event] = {}
        for event in events:
            kind = type(event)
            first = self._first.get(kind)
            if first is None or (event.occurred_at, event.event_id) < (first.occurred_at, first.event_id):
                self._first[kind] = event

    def first(self, kind: type[E]) -> E | None:
        return cast("E | None", self._first.get(kind))


def _order(order_id: str, heard: _Heard, units: int) -> OrderRow:
    placed = heard.first(OrderPlaced)
    requested = heard.first(PaymentRequested)
    confirmed = heard.first(OrderConfirmed)
    rejected = heard.first(OrderRejected)
    cancelled = heard.first(OrderCancelled)
    status, end = _status(heard)
    priced = confirmed or requested or heard.first(PaymentProcessed) or heard.first(PaymentFailed)
    named = confirmed or requested or placed or rejected or cancelled
    method = placed.payment_method if placed else None
    return OrderRow(
        tenant_id=heard.all[0].tenant_id,
        order_id=order_id,
        customer_id=named.customer_id if named else None,
        status=status,
        reason=end.reason if end else None,
        region=placed.region if placed else None,
        channel=placed.channel if placed else None,
        payment_method=method or (requested.payment_method if requested else None),
        amount_minor=priced.amount_minor if priced else None,
        currency=priced.currency if priced else None,
        units=units,
        placed_at=_placed_at(heard, placed, requested),
        reserved_at=requested.occurred_at if requested else None,
        confirmed_at=confirmed.occurred_at if confirmed else None,
        ended_at=end.occurred_at if end else None,
        version=len(heard.all),
    )


def _status(heard: _Heard) -> tuple[str, OrderRejected | OrderCancelled | RefundProcessed | None]:
    """Say how far the order came, and what ended it."""
    if heard.first(OrderConfirmed):
        refund = heard.first(RefundProcessed)
        return ("REFUNDED", refund) if refund else ("CONFIRMED", None)
    # A refund does not turn this one: what is given back there is a charge that came too late.
    if cancelled := heard.first(OrderCancelled):
        return "CANCELLED", cancelled
    if rejected := heard.first(OrderRejected):
        return "REJECTED", rejected
    return ("RESERVED" if heard.first(PaymentRequested) else "PLACED"), None


def _placed_at(heard: _Heard, placed: OrderPlaced | None, requested: PaymentRequested | None) -> datetime:
    if placed:
        return placed.placed_at or placed.occurred_at
    if requested:
        return requested.placed_at
    return min(event.occurred_at for event in heard.all)


def _items(tenant_id: str, order_id: str, heard: _Heard) -> tuple[ItemRow, ...]:
    """Add up the lines of each SKU, as the one who knows prices tells them."""
    priced = heard.first(OrderConfirmed) or heard.first(PaymentRequested)
    if priced:
        lines: Iterable[tuple[str, int, int | None]] = [
            (item.sku, item.quantity, item.unit_price_minor) for item in priced.items
        ]
    elif placed := heard.first(OrderPlaced):
        lines = [(item.sku, item.quantity, None) for item in placed.items]
    else:
        return ()
    totals: dict[str, tuple[int, int | None]] = {}
    for sku, quantity, price in lines:
        # Two lines of one SKU have one price; were it not so, the first one's would be told.
        before, told = totals.get(sku, (0, price))
        totals[sku] = before + quantity, told
    return tuple([ItemRow(tenant_id, order_id, sku, *totals[sku]) for sku in sorted(totals)])


def _payment(order_id: str, heard: _Heard) -> PaymentRow | None:
    requested = heard.first(PaymentRequested)
    charged = heard.first(PaymentProcessed)
    failed = heard.first(PaymentFailed)
    refund = heard.first(RefundProcessed)
    told = charged or failed or requested or refund
    if told is None:
        return None
    answer = charged or failed
    return PaymentRow(
        tenant_id=told.tenant_id,
        order_id=order_id,
        status=("REFUNDED" if refund else "SUCCEEDED" if charged else "FAILED" if failed else "REQUESTED"),
        amount_minor=told.amount_minor,
        currency=told.currency,
        charge_id=charged.charge_id if charged else refund.charge_id if refund else None,
        reason=refund.reason if refund else failed.reason if failed and not charged else None,
        refund_id=refund.refund_id if refund else None,
        refunded_minor=refund.amount_minor if refund else 0,
        requested_at=requested.occurred_at if requested else None,
        answered_at=answer.occurred_at if answer else None,
        refunded_at=refund.occurred_at if refund else None,
        version=len(heard.all),
    )


def _fulfillment(order_id: str, heard: _Heard, units: int) -> FulfillmentRow | None:
    confirmed = heard.first(OrderConfirmed)
    if confirmed is None:
        return None
    refund = heard.first(RefundProcessed)
    return FulfillmentRow(
        tenant_id=confirmed.tenant_id,
        order_id=order_id,
        status="DUE" if refund is None else "RETURNED" if refund.restocked else "CALLED_OFF",
        units=units,
        due_at=confirmed.occurred_at,
        ended_at=refund.occurred_at if refund else None,
        version=len(heard.all),
    )

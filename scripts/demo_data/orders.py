"""The events of an order, as the services would have emitted them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, Literal, TypeVar

from scripts.demo_data.catalog import PAYMENT_METHODS, Customer, Product
from scripts.demo_data.rng import Weighted, up_to_days
from services.shared.events import (
    Event,
    Item,
    OrderCancellationRequested,
    OrderCancelled,
    OrderConfirmed,
    OrderEvent,
    OrderPlaced,
    OrderRejected,
    PaymentFailed,
    PaymentProcessed,
    PaymentRequested,
    PricedItem,
    RefundProcessed,
    RefundRequested,
    event_id,
)

E = TypeVar("E", bound=OrderEvent)
Rejection = Literal["out_of_stock", "unknown_sku", "currency_mismatch"]
Cancellation = Literal["payment_failed", "reservation_expired", "customer_request"]

_HOLD: Final = timedelta(minutes=15)
_QUICK_MILLISECONDS: Final = 2_000
_SLOW_MILLISECONDS: Final = 600_000
_REFUND_DAYS: Final = 25
_RESTOCK_SHARE: Final = 0.6
_SPLIT_LINE_SHARE: Final = 0.02
"""Share of orders that name a SKU on two lines."""

_REJECTIONS: Final = Weighted[Rejection](
    ("out_of_stock", "unknown_sku", "currency_mismatch"), (0.85, 0.1, 0.05)
)
_DECLINES: Final = Weighted(("card_declined", "insufficient_funds", "gateway_timeout"), (0.6, 0.3, 0.1))
_REFUND_REASONS: Final = Weighted(("damaged", "changed_mind", "late", "wrong_item"), (0.3, 0.4, 0.2, 0.1))
_LINES: Final = Weighted((1, 2, 3, 4), (0.55, 0.27, 0.12, 0.06))
_QUANTITIES: Final = Weighted((1, 2, 3, 6), (0.74, 0.18, 0.06, 0.02))


@dataclass(frozen=True, slots=True)
class Draft:
    """An order as the customer places it."""

    tenant_id: str
    order_id: str
    customer: Customer
    placed_at: datetime
    lines: Mapping[Product, int]

    @property
    def amount_minor(self) -> int:
        return sum(product.price_minor * quantity for product, quantity in self.lines.items())

    @property
    def money(self) -> dict[str, Any]:
        return {"amount_minor": self.amount_minor, "currency": self.customer.region.currency}

    def event_fields(self, event: type[OrderEvent], transition: str, at: datetime) -> dict[str, Any]:
        return {
            "event_id": event_id(self.tenant_id, self.order_id, event.detail_type(), transition),
            "correlation_id": self.order_id,
            "occurred_at": at,
            "tenant_id": self.tenant_id,
            "order_id": self.order_id,
        }


def draw_lines(random: Random, products: Weighted[Product]) -> dict[Product, int]:
    lines: dict[Product, int] = {}
    for _ in range(_LINES.pick(random)):
        product = products.pick(random)
        lines[product] = lines.get(product, 0) + _QUANTITIES.pick(random)
    return lines


def events_of(draft: Draft, random: Random) -> Iterator[Event]:
    """Generate all events of an order, oldest first."""
    yield _placed(draft, random)
    yield from _OUTCOMES.pick(random)(draft, random)


def _placed(draft: Draft, random: Random) -> OrderPlaced:
    items = [Item(sku=product.sku, quantity=quantity) for product, quantity in draft.lines.items()]
    if random.random() < _SPLIT_LINE_SHARE and items[0].quantity > 1:
        first = items[0]
        items[:1] = [Item(sku=first.sku, quantity=1), Item(sku=first.sku, quantity=first.quantity - 1)]
    return OrderPlaced(
        **draft.event_fields(OrderPlaced, "placed", draft.placed_at),
        customer_id=draft.customer.name,
        items=tuple(items),
        region=draft.customer.region.name,
        channel=draft.customer.channel,
        payment_method=PAYMENT_METHODS.pick(random),
        placed_at=draft.placed_at,
    )


def _requested(draft: Draft, random: Random) -> PaymentRequested:
    at = _soon(draft.placed_at, random)
    return PaymentRequested(
        **draft.event_fields(PaymentRequested, "reserved", at),
        **draft.money,
        customer_id=draft.customer.name,
        items=_priced(draft),
        placed_at=draft.placed_at,
        expires_at=at + _HOLD,
    )


def _processed(draft: Draft, at: datetime) -> PaymentProcessed:
    return PaymentProcessed(
        **draft.event_fields(PaymentProcessed, "charged", at), **draft.money, charge_id=f"ch_{draft.order_id}"
    )


def _cancelled(draft: Draft, at: datetime, reason: Cancellation) -> OrderCancelled:
    return OrderCancelled(
        **draft.event_fields(OrderCancelled, "cancelled", at), customer_id=draft.customer.name, reason=reason
    )


def _refunded(draft: Draft, at: datetime, reason: str, *, restocked: bool) -> RefundProcessed:
    return RefundProcessed(
        **draft.event_fields(RefundProcessed, "refunded", at),
        **draft.money,
        charge_id=f"ch_{draft.order_id}",
        refund_id=f"re_{draft.order_id}",
        restocked=restocked,
        reason=reason,
    )


def _priced(draft: Draft) -> tuple[PricedItem, ...]:
    return tuple(
        PricedItem(sku=product.sku, quantity=quantity, unit_price_minor=product.price_minor)
        for product, quantity in draft.lines.items()
    )


def _confirmed(draft: Draft, random: Random) -> Iterator[Event]:
    requested = _requested(draft, random)
    at = _soon(requested.occurred_at, random)
    yield requested
    yield _processed(draft, at)
    yield OrderConfirmed(
        **draft.event_fields(OrderConfirmed, "confirmed", at),
        **draft.money,
        customer_id=draft.customer.name,
        items=requested.items,
    )


def _returned(draft: Draft, random: Random) -> Iterator[Event]:
    at = draft.placed_at
    for event in _confirmed(draft, random):
        at = event.occurred_at
        yield event
    reason, restock = _REFUND_REASONS.pick(random), random.random() < _RESTOCK_SHARE
    at += timedelta(milliseconds=up_to_days(random, _REFUND_DAYS))
    yield RefundRequested(**draft.event_fields(RefundRequested, "asked", at), restock=restock, reason=reason)
    yield _refunded(draft, _soon(at, random), reason, restocked=restock)


def _rejected(draft: Draft, random: Random) -> Iterator[Event]:
    yield OrderRejected(
        **draft.event_fields(OrderRejected, "rejected", _soon(draft.placed_at, random)),
        customer_id=draft.customer.name,
        reason=_REJECTIONS.pick(random),
        skus=(next(iter(draft.lines)).sku,),
    )


def _declined(draft: Draft, random: Random) -> Iterator[Event]:
    requested = _requested(draft, random)
    at = _soon(requested.occurred_at, random)
    yield requested
    yield PaymentFailed(
        **draft.event_fields(PaymentFailed, "declined", at), **draft.money, reason=_DECLINES.pick(random)
    )
    yield _cancelled(draft, at, "payment_failed")


def _expired(draft: Draft, random: Random) -> Iterator[Event]:
    requested = _requested(draft, random)
    yield requested
    yield _cancelled(draft, requested.expires_at, "reservation_expired")


def _charged_too_late(draft: Draft, random: Random) -> Iterator[Event]:
    at = draft.placed_at
    for event in _expired(draft, random):
        at = event.occurred_at
        yield event
    at = _soon(at, random)
    yield _processed(draft, at)
    yield _refunded(draft, at, "order_no_longer_reserved", restocked=False)


def _cancelled_by_customer(draft: Draft, random: Random) -> Iterator[Event]:
    requested = _requested(draft, random)
    at = requested.occurred_at + timedelta(milliseconds=int(random.random() * _SLOW_MILLISECONDS))
    yield requested
    yield OrderCancellationRequested(**draft.event_fields(OrderCancellationRequested, "asked", at))
    yield _cancelled(draft, _soon(at, random), "customer_request")


_OUTCOMES: Final = Weighted[Callable[[Draft, Random], Iterator[Event]]](
    (_confirmed, _returned, _rejected, _declined, _expired, _charged_too_late, _cancelled_by_customer),
    (0.832, 0.045, 0.032, 0.048, 0.018, 0.003, 0.022),
)


def _soon(at: datetime, random: Random) -> datetime:
    return at + timedelta(milliseconds=int(random.random() * _QUICK_MILLISECONDS))

"""What a command means: the order id that follows from a key, and the events. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import NAMESPACE_URL, uuid5

from pydantic import ValidationError

from services.shared.events import (
    Event,
    OrderCancellationRequested,
    OrderPlaced,
    RefundRequested,
    SubscriptionCancelled,
    SubscriptionChanged,
    SubscriptionStarted,
    event_id,
)
from services.shared.ledger import Key, Order, Status

_ORDER_IDS: Final = uuid5(NAMESPACE_URL, "urn:pulsequeue:orders")
_EVENT_IDS: Final = uuid5(NAMESPACE_URL, "urn:pulsequeue:commands")

PUBLISHABLE: Final[Mapping[str, type[Event]]] = {
    model.detail_type(): model for model in (SubscriptionStarted, SubscriptionChanged, SubscriptionCancelled)
}
"""The events that only a shop emits, and that change nothing but what they tell.

Orders are placed, cancelled and refunded through routes of their own. Settlements, refunds made and stock
levels are published by the function that made them."""

CANCELLABLE: Final = frozenset({Status.RESERVED, Status.CONFIRMED, Status.CANCELLED})
REFUNDABLE: Final = frozenset({Status.CONFIRMED, Status.REFUNDED})
"""Statuses in which a request has an effect, or had it already."""

E = TypeVar("E", bound=Event)


def order_id(tenant_id: str, key: str) -> str:
    """Derive the id of an order from the idempotency key: the same key is the same order, for ever."""
    return f"ord-{uuid5(_ORDER_IDS, f'{tenant_id}#{key}').hex}"


def order_placed(tenant_id: str, order: str, body: Mapping[str, Any], accepted_at: datetime) -> OrderPlaced:
    """Make the event of an accepted order; the same receipt makes the same event."""
    return OrderPlaced.model_validate(
        {
            **body,
            "eventId": event_id(tenant_id, order, "OrderPlaced", "accepted"),
            "occurredAt": accepted_at,
            "placedAt": accepted_at,
            "tenantId": tenant_id,
            "orderId": order,
        }
    )


def cancellation(key: Key, reason: str | None, at: datetime) -> OrderCancellationRequested:
    return OrderCancellationRequested(**_requested(key, OrderCancellationRequested, at), reason=reason)


def is_too_late_to_cancel(order: Order, now: datetime) -> bool:
    """Whether an order is paid, and may have been shipped: a cancellation would have no effect."""
    until = order.cancellable_until
    return order.status is Status.CONFIRMED and until is not None and now > until


def refund(  # noqa: PLR0913 - what the event says
    key: Key,
    idempotency_key: str,
    at: datetime,
    *,
    amount_minor: int | None,
    restock: bool,
    reason: str | None,
) -> RefundRequested:
    """Request a refund; the same key is the same refund. Without a key it is of all that is left."""
    return RefundRequested(
        **_requested(key, RefundRequested, at, idempotency_key),
        amount_minor=amount_minor,
        restock=restock,
        reason=reason,
    )


def _requested(key: Key, event: type[Event], at: datetime, idempotency_key: str = "") -> dict[str, Any]:
    return {
        "event_id": event_id(*key, event.detail_type(), f"requested {idempotency_key}".rstrip()),
        "correlation_id": key.id,
        "occurred_at": at,
        "tenant_id": key.tenant_id,
        "order_id": key.id,
    }


def shop_event(
    tenant_id: str, key: str, model: type[E], detail: Mapping[str, Any], at: datetime
) -> E | ValidationError:
    """Make an event of a shop; its id follows from the tenant and the idempotency key."""
    try:
        return model.model_validate(
            {
                "occurredAt": at,
                **detail,
                "eventId": str(uuid5(_EVENT_IDS, f"{tenant_id}#{model.detail_type()}#{key}")),
                "tenantId": tenant_id,
            }
        )
    except ValidationError as error:
        return error


def digest(canonical: str) -> str:
    return hashlib.sha256(canonical.encode()).hexdigest()


def is_same_order(order: Order, body: Mapping[str, Any]) -> bool:
    """Return whether an order is the one that a body asks for, as far as the order still tells."""
    ordered: dict[str, int] = {}
    for item in body["items"]:
        ordered[item["sku"]] = ordered.get(item["sku"], 0) + item["quantity"]
    return (
        order.customer_id == body["customerId"]
        and {line.sku: line.quantity for line in order.lines} == ordered
        and order.payment_method == body.get("paymentMethod")
    )

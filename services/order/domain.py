"""The decisions of the order service, and the events that an order in a given state requires. Pure.

Events are a function of the order: publishing them again after a crash publishes the same events.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, cast

from services.shared.event_fields import event_fields, priced_items
from services.shared.events import (
    Event,
    OrderCancelled,
    OrderConflicted,
    OrderPlaced,
    OrderRejected,
    PaymentRequested,
    RefundRequested,
    event_id,
    rfc3339,
)
from services.shared.ledger import Key, Move, Order, Placement, Status, sum_quantities

Difference = Literal["customer", "items", "payment_method"]
Rejection = Literal["out_of_stock", "unknown_sku", "currency_mismatch", "price_changed"]

LONG_HOLDS: Final[Mapping[str, timedelta]] = {"bank_transfer": timedelta(days=3)}
"""How long a reservation waits for payments that take days, by payment method."""


def hold_for(event: OrderPlaced, usual: timedelta, longer: Mapping[str, timedelta]) -> timedelta:
    """Say how long a reservation waits for its payment."""
    return longer.get(event.payment_method or "", usual)


def placement(event: OrderPlaced, now: datetime, hold: timedelta) -> Placement:
    return Placement(
        key=Key(event.tenant_id, event.order_id),
        customer_id=event.customer_id,
        quantities=sum_quantities(event.items),
        placed_at=event.placed_at or event.occurred_at,
        payment_method=event.payment_method,
        at=now,
        expires_at=now + hold,
        event_id=event.event_id,
        expected_amount_minor=event.expected_amount_minor,
        cancellable_until=event.cancellable_until,
    )


def differences(event: OrderPlaced, order: Order) -> tuple[Difference, ...]:
    """Name what a placement asks for that differs from the order under its id; nothing for a duplicate."""
    quantities = sorted((line.sku, line.quantity) for line in order.lines)
    differs: dict[Difference, bool] = {
        "customer": event.customer_id != order.customer_id,
        "items": sorted(sum_quantities(event.items)) != quantities,
        "payment_method": event.payment_method != order.payment_method,
    }
    return tuple(name for name, different in differs.items() if different)


def conflict(event: OrderPlaced, differences: tuple[Difference, ...]) -> OrderConflicted:
    """Announce that a placement was ignored; its time and id follow from the placement.

    A publisher that repeats an event gives it the same id, but may leave its time to the bus.
    """
    cause = f"{event.event_id} {rfc3339(event.occurred_at)}"
    return OrderConflicted(
        event_id=event_id(event.tenant_id, event.order_id, OrderConflicted.detail_type(), cause),
        correlation_id=event.order_id,
        occurred_at=event.occurred_at,
        tenant_id=event.tenant_id,
        order_id=event.order_id,
        placed_event_id=event.event_id,
        customer_id=event.customer_id,
        differences=differences,
    )


def is_cancellable(order: Order, requested_at: datetime) -> bool:
    """Whether a paid order may still be cancelled: not when it may have been shipped."""
    return order.cancellable_until is None or requested_at <= order.cancellable_until


def cancel(order: Order, now: datetime, cause: str) -> Move | None:
    """Cancel a reserved order at the customer's request."""
    if order.status is not Status.RESERVED:
        return None
    return Move(order, order.moved(Status.CANCELLED, now, cause, reason="customer_request"))


def expire(order: Order, now: datetime, cause: str) -> Move | None:
    """Cancel a reserved order whose hold is over."""
    if order.status is not Status.RESERVED or order.expires_at is None or order.expires_at > now:
        return None
    return Move(order, order.moved(Status.CANCELLED, now, cause, reason="reservation_expired"))


def events_for(order: Order) -> list[Event]:
    """List the events that this service must publish about an order in this state."""
    match order.status:
        case Status.RESERVED if order.expires_at is not None and order.currency is not None:
            reserved = order.entered(Status.RESERVED)
            return [
                PaymentRequested(
                    **event_fields(order, PaymentRequested, "reserved", reserved.at),
                    customer_id=order.customer_id,
                    items=priced_items(order),
                    amount_minor=order.amount_minor,
                    currency=order.currency,
                    payment_method=order.payment_method,
                    placed_at=order.placed_at,
                    expires_at=order.expires_at,
                )
            ]
        case Status.REJECTED:
            rejected = order.entered(Status.REJECTED)
            return [
                OrderRejected(
                    **event_fields(order, OrderRejected, "rejected", rejected.at),
                    customer_id=order.customer_id,
                    reason=cast("Rejection", order.reason),
                    skus=order.blamed,
                )
            ]
        case Status.CANCELLED if order.reason in ("customer_request", "reservation_expired"):
            cancelled = order.entered(Status.CANCELLED)
            return [
                OrderCancelled(
                    **event_fields(order, OrderCancelled, "cancelled", cancelled.at),
                    customer_id=order.customer_id,
                    reason=cast('Literal["customer_request", "reservation_expired"]', order.reason),
                )
            ]
        case _:
            return []


def refund_request_for(order: Order) -> RefundRequested:
    """Request the refund of an order cancelled after payment: its goods have not left, so they are restocked.

    Its time is that of the confirmation: several cancellation requests must give the same event.
    """
    confirmed = order.entered(Status.CONFIRMED)
    return RefundRequested(
        **event_fields(order, RefundRequested, "customer_request", confirmed.at),
        restock=True,
        reason="customer_request",
    )

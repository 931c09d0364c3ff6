"""What the payment service decides, and what the world must hear of an order in a given state. Pure."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.payment.gateway import Charged, Declined
from services.shared.event_fields import event_fields, priced_items
from services.shared.events import (
    Event,
    OrderCancelled,
    OrderConfirmed,
    PaymentFailed,
    PaymentProcessed,
    RefundProcessed,
    RefundRequested,
)
from services.shared.ledger import Move, Order, Payment, Status

TOO_LATE = "order_no_longer_reserved"


def settle(order: Order, answer: Charged | Declined, now: datetime, cause: str) -> Move | None:
    """Turn the gateway's answer into the end of a reservation."""
    if order.status is not Status.RESERVED:
        return None
    if isinstance(answer, Charged):
        payment = Payment(charge_id=answer.charge_id)
        return Move(order, order.moved(Status.CONFIRMED, now, cause, payment=payment))
    payment = Payment(declined=answer.presentable)
    return Move(order, order.moved(Status.CANCELLED, now, cause, reason="payment_failed", payment=payment))


def is_stray(order: Order, charge: Charged) -> bool:
    """Tell whether a charge has nothing to pay for: its order went another way before it could confirm."""
    if order.amount_minor == 0:
        return False
    return order.payment is None or order.payment.charge_id != charge.charge_id


def may_hide_a_charge(order: Order) -> bool:
    """An order that was called off while its payment was under way may have been charged all the same."""
    return order.status is Status.CANCELLED and order.payment is None and order.amount_minor > 0


def note_stray(order: Order, charge: Charged, refund_id: str, now: datetime, cause: str) -> Move | None:
    """Write a charge that came too late, and its refund, into the order it could not confirm."""
    if not may_hide_a_charge(order):
        return None
    payment = Payment(charge_id=charge.charge_id, refund_id=refund_id, refund_reason=TOO_LATE)
    return Move(order, order.moved(Status.CANCELLED, now, cause, payment=payment))


def refund(order: Order, refund_id: str, now: datetime, request: RefundRequested) -> Move | None:
    """Only what was paid can be given back."""
    if order.status is not Status.CONFIRMED or order.payment is None:
        return None
    payment = replace(
        order.payment,
        refund_id=refund_id,
        refund_reason=request.reason or "requested",
        restocked=request.restock,
    )
    return Move(order, order.moved(Status.REFUNDED, now, request.event_id, payment=payment))


def payment_events_for(order: Order) -> list[Event]:
    """List the events that the payment of an order in this state must have had published."""
    payment = order.payment
    if payment is None:
        return []
    if payment.charge_id is None:
        return [_payment_failed(order, payment), _order_cancelled(order)]
    if order.status in (Status.CONFIRMED, Status.REFUNDED):
        return [_payment_processed(order, payment.charge_id, Status.CONFIRMED), _order_confirmed(order)]
    return [_payment_processed(order, payment.charge_id, Status.CANCELLED), *refund_events_for(order)]


def refund_events_for(order: Order) -> list[Event]:
    """List the events that the refund of an order must have had published."""
    payment = order.payment
    if payment is None or payment.charge_id is None or payment.refund_id is None:
        return []
    return [
        RefundProcessed(
            **event_fields(order, RefundProcessed, "refunded", order.history[-1].at),
            **_money(order),
            charge_id=payment.charge_id,
            refund_id=payment.refund_id,
            restocked=payment.restocked,
            reason=payment.refund_reason or "",
        )
    ]


def _payment_processed(order: Order, charge_id: str, reached: Status) -> PaymentProcessed:
    # A charge that came too late happened when it was noted, which is the last thing that happened.
    at = order.entered(reached).at if reached is Status.CONFIRMED else order.history[-1].at
    return PaymentProcessed(
        **event_fields(order, PaymentProcessed, "charged", at), **_money(order), charge_id=charge_id
    )


def _payment_failed(order: Order, payment: Payment) -> PaymentFailed:
    at = order.entered(Status.CANCELLED).at
    return PaymentFailed(
        **event_fields(order, PaymentFailed, "declined", at), **_money(order), reason=payment.declined or ""
    )


def _order_cancelled(order: Order) -> OrderCancelled:
    at = order.entered(Status.CANCELLED).at
    return OrderCancelled(
        **event_fields(order, OrderCancelled, "cancelled", at),
        customer_id=order.customer_id,
        reason="payment_failed",
    )


def _order_confirmed(order: Order) -> OrderConfirmed:
    at = order.entered(Status.CONFIRMED).at
    return OrderConfirmed(
        **event_fields(order, OrderConfirmed, "confirmed", at),
        **_money(order),
        customer_id=order.customer_id,
        items=priced_items(order),
    )


def _money(order: Order) -> dict[str, Any]:
    return {"amount_minor": order.amount_minor, "currency": order.currency}

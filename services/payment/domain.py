"""The decisions of the payment service, and the events that an order in a given state requires. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from services.payment.gateway import Charged, ChargeRequest, Declined, RefundRequest
from services.shared.event_fields import event_fields, priced_items
from services.shared.events import (
    Event,
    OrderCancelled,
    OrderConfirmed,
    OrderEvent,
    PaymentAnswered,
    PaymentFailed,
    PaymentProcessed,
    RefundProcessed,
    RefundRequested,
    event_id,
)
from services.shared.ledger import Move, Order, Payment, Refund, Status

TOO_LATE = "order_no_longer_reserved"
MAX_REFUNDS = 100
"""Of one order: each adds to its row, which has a limit."""


class Ask(Enum):
    """What the gateway is asked about an order."""

    CHARGE = auto()
    VOID = auto()


def ask(order: Order, now: datetime) -> Ask | None:
    """Decide whether to charge, to give up a charge that may have been made, or to leave the gateway alone.

    A reservation past its time is not charged: its release makes the payment service look again.
    """
    if order.status is Status.RESERVED:
        return None if order.expires_at is not None and order.expires_at <= now else Ask.CHARGE
    return Ask.VOID if may_have_been_charged(order) else None


def concerns(order: Order, events: Sequence[OrderEvent]) -> bool:
    """Whether events leave something to do: not the answer to a charge that was settled without it.

    Gateways send those, too. One that settled its order is owed the events of that, should it come again.
    """
    if order.status is Status.RESERVED or may_have_been_charged(order):
        return True
    caused = {step.event_id for step in order.history}
    return any(not isinstance(event, PaymentAnswered) or event.event_id in caused for event in events)


def charge_request(order: Order) -> ChargeRequest:
    payment = order.payment or Payment()
    return ChargeRequest(
        key=order.key.pk,
        order_id=order.key.id,
        amount_minor=order.amount_minor,
        currency=order.currency or "",
        method=order.payment_method,
        intent_id=payment.intent_id,
        pending=payment.pending,
    )


def note_intent(order: Order, intent_id: str, now: datetime, cause: str) -> Move | None:
    """Write what is going to be charged into the order; the first intent stands."""
    if order.status is not Status.RESERVED or (order.payment and order.payment.intent_id):
        return None
    payment = replace(order.payment or Payment(), intent_id=intent_id)
    return Move(order, order.moved(Status.RESERVED, now, cause, payment=payment))


def note_pending(order: Order, now: datetime, cause: str) -> Move | None:
    """Record that the gateway will answer later."""
    if order.status is not Status.RESERVED or (order.payment and order.payment.pending):
        return None
    payment = replace(order.payment or Payment(), pending=True)
    return Move(order, order.moved(Status.RESERVED, now, cause, payment=payment))


def settle(order: Order, result: Charged | Declined, now: datetime, cause: str) -> Move | None:
    """End a reservation as the gateway's result requires: confirmed or cancelled."""
    if order.status is not Status.RESERVED:
        return None
    so_far = replace(order.payment or Payment(), pending=False)
    if isinstance(result, Charged):
        payment = replace(so_far, charge_id=result.charge_id)
        return Move(order, order.moved(Status.CONFIRMED, now, cause, payment=payment))
    payment = replace(so_far, declined=result.presentable)
    return Move(order, order.moved(Status.CANCELLED, now, cause, reason="payment_failed", payment=payment))


def is_late_charge(order: Order, charge: Charged) -> bool:
    """Whether a charge pays for nothing: its order left RESERVED before the charge could confirm it."""
    if order.amount_minor == 0:
        return False
    return order.payment is None or order.payment.charge_id != charge.charge_id


def may_have_been_charged(order: Order) -> bool:
    """Whether an order was cancelled while its payment may have been in progress."""
    if order.status is not Status.CANCELLED or order.amount_minor == 0:
        return False
    return order.payment is None or (order.payment.charge_id is None and order.payment.declined is None)


def is_ruled_out(order: Order, now: datetime, settles_within: timedelta) -> bool:
    """Whether a charge that the gateway does not find can no longer come for a released order."""
    return now >= order.entered(Status.CANCELLED).at + settles_within


def record_late_charge(
    order: Order, charge: Charged, refund_id: str, now: datetime, cause: str
) -> Move | None:
    """Record a late charge and its refund in the order that it could not confirm.

    The gateway may have declined it before: then the order tells both.
    """
    payment = order.payment or Payment()
    if order.status is not Status.CANCELLED or order.amount_minor == 0 or payment.charge_id is not None:
        return None
    refund = replace(late_refund(order, charge), id=refund_id, at=now)
    payment = replace(payment, charge_id=charge.charge_id, pending=False, refunds=(refund,))
    return Move(order, order.moved(Status.CANCELLED, now, cause, payment=payment))


def late_refund(order: Order, charge: Charged) -> Refund:
    return Refund(charge.charge_id, order.amount_minor, TOO_LATE)


def refund_request(order: Order, charge_id: str, refund: Refund) -> RefundRequest:
    return RefundRequest(
        key=event_id(*order.key, "Refund", refund.request_id),
        charge_id=charge_id,
        amount_minor=refund.amount_minor,
        currency=order.currency or "",
    )


def claim_refunds(order: Order, requests: Sequence[RefundRequested], now: datetime) -> Move | None:
    """Set aside what each new request gives back, before anything is given back.

    So concurrent requests never exceed what was paid: one that asks for more than is left gets nothing.
    """
    payment = order.payment
    if order.status is not Status.CONFIRMED or payment is None or payment.charge_id is None:
        return None
    claimed = payment
    for request in requests:
        if refund := _claim(order, claimed, request):
            claimed = replace(claimed, refunds=(*claimed.refunds, refund))
    if claimed == payment:
        return None
    return Move(order, order.moved(Status.CONFIRMED, now, requests[0].event_id, payment=claimed))


def _claim(order: Order, payment: Payment, request: RefundRequested) -> Refund | None:
    left = order.amount_minor - payment.claimed_minor
    amount = left if request.amount_minor is None else request.amount_minor
    is_free = order.amount_minor == 0 and not payment.refunds
    known = any(refund.request_id == request.event_id for refund in payment.refunds)
    if known or amount > left or (amount == 0 and not is_free) or len(payment.refunds) >= MAX_REFUNDS:
        return None
    restocked = request.restock and not any(refund.restocked for refund in payment.refunds)
    return Refund(request.event_id, amount, request.reason or "requested", restocked)


def open_refunds(order: Order, request_ids: Collection[str]) -> list[Refund]:
    """List what was set aside for these requests, and is not known to have been given back."""
    refunds = order.payment.refunds if order.payment else ()
    return [refund for refund in refunds if refund.id is None and refund.request_id in request_ids]


def finish_refunds(order: Order, refund_ids: Mapping[str, str], now: datetime, cause: str) -> Move | None:
    """Note what was given back, by request; REFUNDED is an order of which nothing is left."""
    if order.payment is None or not open_refunds(order, refund_ids):
        return None
    refunds = tuple(
        replace(refund, id=refund_ids[refund.request_id], at=now)
        if refund.id is None and refund.request_id in refund_ids
        else refund
        for refund in order.payment.refunds
    )
    payment = replace(order.payment, refunds=refunds)
    is_whole = payment.refunded_minor >= order.amount_minor
    status = Status.REFUNDED if is_whole else Status.CONFIRMED
    return Move(order, order.moved(status, now, cause, payment=payment))


def payment_events_for(order: Order) -> list[Event]:
    """List the events that must be published about the payment of an order in this state."""
    payment = order.payment
    events: list[Event] = []
    if payment is None:
        return events
    if payment.declined is not None:
        events += [_payment_failed(order, payment.declined), _order_cancelled(order)]
    if payment.charge_id is None:
        return events
    if order.status in (Status.CONFIRMED, Status.REFUNDED):
        return [_payment_processed(order, payment.charge_id, Status.CONFIRMED), _order_confirmed(order)]
    return [
        *events,
        _payment_processed(order, payment.charge_id, Status.CANCELLED),
        *refund_events_for(order),
    ]


def refund_events_for(order: Order, request_ids: Collection[str] | None = None) -> list[Event]:
    """List the events that must be published about the refunds of an order, or of some requests only."""
    payment = order.payment
    if payment is None or payment.charge_id is None:
        return []
    return [
        RefundProcessed(
            **event_fields(order, RefundProcessed, f"refunded {refund.request_id}".rstrip(), refund.at),
            amount_minor=refund.amount_minor,
            currency=order.currency or "",
            charge_id=payment.charge_id,
            refund_id=refund.id,
            restocked=refund.restocked,
            reason=refund.reason,
        )
        for refund in payment.refunds
        if refund.id is not None
        and refund.at is not None
        and (request_ids is None or refund.request_id in request_ids)
    ]


def _payment_processed(order: Order, charge_id: str, reached: Status) -> PaymentProcessed:
    # A late charge has no transition of its own: its time is that of the last one, which recorded it.
    at = order.entered(reached).at if reached is Status.CONFIRMED else order.history[-1].at
    return PaymentProcessed(
        **event_fields(order, PaymentProcessed, "charged", at), **_money(order), charge_id=charge_id
    )


def _payment_failed(order: Order, reason: str) -> PaymentFailed:
    at = order.entered(Status.CANCELLED).at
    return PaymentFailed(**event_fields(order, PaymentFailed, "declined", at), **_money(order), reason=reason)


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

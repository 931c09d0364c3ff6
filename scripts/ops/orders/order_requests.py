"""Cancellations and refunds requested by an operator: events on the bus, carried out by the services."""

from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from scripts.common.errors import ToolError
from scripts.common.json_input import faults
from scripts.ops.context import OpsContext
from scripts.ops.presenters import money
from services.shared.events import Event, Identifier, OrderCancellationRequested, RefundRequested
from services.shared.ledger import Key, Order, Status

_IDENTIFIER = TypeAdapter(Identifier)


def key_of(order_id: str, tenant: str) -> Key:
    try:
        return Key(_IDENTIFIER.validate_python(tenant), _IDENTIFIER.validate_python(order_id))
    except ValidationError as error:
        raise ToolError(f"invalid order id {order_id!r}: {'; '.join(faults(error))}.", exit_code=2) from None


def find(ops: OpsContext, key: Key) -> Order:
    order = find_or_none(ops, key)
    if order is None:
        raise not_found(ops, key)
    return order


def not_found(ops: OpsContext, key: Key) -> ToolError:
    of_tenant = "" if key.tenant_id == "default" else f" of tenant {key.tenant_id!r}"
    return ToolError(f"order {key.id!r}{of_tenant} not found in the environment {ops.env}.")


def find_or_none(ops: OpsContext, key: Key) -> Order | None:
    try:
        return ops.store.read_orders([key]).get(key)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ToolError(
            f"cannot read the row of order {key.id!r} ({type(error).__name__}: {error}); correct it by hand."
        ) from error


def request_cancellation(ops: OpsContext, key: Key, reason: str | None) -> None:
    order = find(ops, key)
    if order.status not in (Status.RESERVED, Status.CONFIRMED):
        raise ToolError(
            f"order {key.id!r} is {order.status}; only RESERVED and CONFIRMED orders can be cancelled."
        )
    until = order.cancellable_until
    if order.status is Status.CONFIRMED and until is not None and ops.clock.now() > until:
        raise ToolError(
            f"order {key.id!r} was cancellable until {until:%Y-%m-%d %H:%M:%S} UTC; "
            f"use `pulsequeue order refund {key.id}`."
        )
    _publish(ops, key, OrderCancellationRequested, reason=reason)


def request_refund(
    ops: OpsContext, key: Key, reason: str | None, *, amount_minor: int | None, restock: bool
) -> str:
    """Request a refund, of all that is left without an amount; returns the id of the request."""
    order = find(ops, key)
    if order.status is not Status.CONFIRMED:
        raise ToolError(f"order {key.id!r} is {order.status}; only CONFIRMED orders can be refunded.")
    left = order.amount_minor - (order.payment.claimed_minor if order.payment else 0)
    if amount_minor is not None and amount_minor > left:
        raise ToolError(
            f"only {money(left, order.currency)} of {money(order.amount_minor, order.currency)} are left to "
            f"refund of order {key.id!r}."
        )
    return _publish(ops, key, RefundRequested, reason=reason, amountMinor=amount_minor, restock=restock)


def _publish(ops: OpsContext, key: Key, model: type[Event], **details: object) -> str:
    try:
        event = model.model_validate(
            {
                "eventId": str(uuid4()),
                "occurredAt": ops.clock.now(),
                "tenantId": key.tenant_id,
                "orderId": key.id,
                **details,
            }
        )
    except ValidationError as error:
        raise ToolError(f"invalid request: {'; '.join(faults(error))}.", exit_code=2) from None
    if ops.bus.publish([event]):
        raise ToolError(f"the bus did not accept {model.detail_type()} for order {key.id!r}; retry.")
    return event.event_id


def cancelled(order: Order) -> bool:
    """Whether a cancellation is complete; a paid order is cancelled by a refund."""
    return order.status in (Status.CANCELLED, Status.REFUNDED)


def refunded(order: Order, request_id: str) -> bool:
    """Whether a refund was made, or all was given back for another request."""
    refunds = order.payment.refunds if order.payment else ()
    return order.status is Status.REFUNDED or any(
        refund.request_id == request_id and refund.id is not None for refund in refunds
    )

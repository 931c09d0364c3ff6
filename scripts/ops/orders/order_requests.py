"""What an operator asks of an order: events on the bus, carried out by the services."""

from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from scripts.common.errors import ToolError
from scripts.common.json_input import faults
from scripts.ops.context import OpsContext
from services.shared.events import Event, Identifier, OrderCancellationRequested, RefundRequested
from services.shared.ledger import Key, Order, Status

_IDENTIFIER = TypeAdapter(Identifier)


def key_of(order_id: str, tenant: str) -> Key:
    try:
        return Key(_IDENTIFIER.validate_python(tenant), _IDENTIFIER.validate_python(order_id))
    except ValidationError as error:
        raise ToolError(
            f"{order_id!r} cannot be an order id: {'; '.join(faults(error))}.", exit_code=2
        ) from None


def find(ops: OpsContext, key: Key) -> Order:
    try:
        order = ops.store.read_orders([key]).get(key)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ToolError(
            f"the row of order {key.id!r} cannot be read ({type(error).__name__}: {error}); "
            "it needs a person."
        ) from error
    if order is None:
        whose = "" if key.tenant_id == "default" else f" of tenant {key.tenant_id!r}"
        raise ToolError(f"there is no order {key.id!r}{whose} in {ops.env}.")
    return order


def request_cancellation(ops: OpsContext, key: Key, reason: str | None) -> None:
    order = find(ops, key)
    if order.status not in (Status.RESERVED, Status.CONFIRMED):
        raise ToolError(f"order {key.id!r} is {order.status}; there is nothing to cancel.")
    _ask(ops, key, OrderCancellationRequested, reason=reason)


def request_refund(ops: OpsContext, key: Key, reason: str | None, *, restock: bool) -> None:
    order = find(ops, key)
    if order.status is not Status.CONFIRMED:
        raise ToolError(f"order {key.id!r} is {order.status}; only what is CONFIRMED can be refunded.")
    _ask(ops, key, RefundRequested, reason=reason, restock=restock)


def _ask(ops: OpsContext, key: Key, model: type[Event], **details: object) -> None:
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
        raise ToolError(f"the request is not valid: {'; '.join(faults(error))}.", exit_code=2) from None
    if ops.bus.publish([event]):
        raise ToolError(f"the bus did not take the {model.detail_type()} of {key.id!r}; try again.")


def cancelled(order: Order) -> bool:
    """A paid order is called off by refunding it."""
    return order.status in (Status.CANCELLED, Status.REFUNDED)


def refunded(order: Order) -> bool:
    return order.status is Status.REFUNDED

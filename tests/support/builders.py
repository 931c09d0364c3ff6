"""Short ways to the values that many tests start from, and generators of any of them."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any, Literal

from hypothesis import strategies as st

from services.shared.backoff import Waits
from services.shared.events import (
    Event,
    OrderCancellationRequested,
    OrderCancelled,
    OrderPlaced,
    PaymentRequested,
    PricedItem,
    RefundRequested,
)
from services.shared.ledger import Key, Line, Order, Placement, Status, Transition
from services.shared.messages import Delivery
from tests.support.fakes import START

HOLD = timedelta(minutes=15)


def no_waiting(attempts: int = 6) -> Waits:
    """Waits that do not wait."""

    def waits() -> Iterator[bool]:
        return iter(list(repeat(True, attempts)))

    return waits


# --- events, as they are and as they travel -----------------------------------------------------------


def placed_detail(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - anything may be on the wire
    """The publisher's minimum, and the id and time that the envelope adds."""
    return {
        "eventId": "evt-1",
        "occurredAt": "2026-01-31T12:00:00Z",
        "orderId": "test-order-123",
        "customerId": "test-customer-123",
        "items": [{"sku": "prod-001", "quantity": 2}],
        **changed,
    }


def placed(
    order_id: str = "order-1",
    *,
    sku: str = "prod-001",
    quantity: int = 1,
    **more: Any,  # noqa: ANN401 - as above
) -> OrderPlaced:
    more.setdefault("items", [{"sku": sku, "quantity": quantity}])
    more.setdefault("customerId", "customer-1")
    return OrderPlaced.model_validate(
        {"eventId": f"placed-{order_id}", "occurredAt": START, "orderId": order_id, **more}
    )


def cancellation(order_id: str = "order-1") -> OrderCancellationRequested:
    return OrderCancellationRequested(
        event_id=f"cancel-{order_id}", correlation_id=order_id, occurred_at=START, order_id=order_id
    )


def released(
    order_id: str = "order-1",
    reason: Literal["payment_failed", "reservation_expired", "customer_request"] = "reservation_expired",
) -> OrderCancelled:
    return OrderCancelled(
        event_id=f"released-{order_id}",
        correlation_id=order_id,
        occurred_at=START,
        order_id=order_id,
        customer_id="customer-1",
        reason=reason,
    )


def refund_request(
    order_id: str = "order-1",
    *,
    amount_minor: int | None = None,
    restock: bool = False,
    event_id: str = "refund",
) -> RefundRequested:
    return RefundRequested(
        event_id=f"{event_id}-{order_id}",
        amount_minor=amount_minor,
        correlation_id=order_id,
        occurred_at=START,
        order_id=order_id,
        restock=restock,
    )


def payment_request(order_id: str = "order-1", *, expires_at: datetime = START + HOLD) -> PaymentRequested:
    return PaymentRequested(
        event_id=f"pay-{order_id}",
        correlation_id=order_id,
        occurred_at=START,
        order_id=order_id,
        customer_id="customer-1",
        items=(PricedItem(sku="prod-001", quantity=1, unit_price_minor=1_000),),
        amount_minor=1_000,
        currency="USD",
        placed_at=START,
        expires_at=expires_at,
    )


def deliveries(*events: Event) -> list[Delivery]:
    """One message per event: m0, m1, ..."""
    return [Delivery(f"m{n}", event) for n, event in enumerate(events)]


def sqs_record(message_id: str, body: str, *, receives: int = 1) -> dict[str, Any]:
    """A message as the queue hands it over, as far as functions look at it."""
    return {
        "messageId": message_id,
        "body": body,
        "receiptHandle": f"receipt-{message_id}",
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


def sqs_event(*bodies: str, receives: int = 1) -> dict[str, Any]:
    """One invocation's batch, as the queue hands it over: m0, m1, ..."""
    return {"Records": [sqs_record(f"m{n}", body, receives=receives) for n, body in enumerate(bodies)]}


def envelope(detail: Any, detail_type: str = "OrderPlaced", **more: Any) -> str:  # noqa: ANN401 - as above
    """The body of a message: an event as the bus puts it into a queue."""
    return json.dumps(
        {
            "version": "0",
            "id": "envelope-id",
            "time": "2026-01-31T11:59:00Z",
            "detail-type": detail_type,
            "source": "pulsequeue.shop",
            "detail": detail,
            **more,
        }
    )


# --- the ledger ---------------------------------------------------------------------------------------


def a_key(name: str) -> Key:
    return Key("default", name)


def placement(order_id: str, quantities: Mapping[str, int] | None = None) -> Placement:
    return Placement(
        key=a_key(order_id),
        customer_id="customer-1",
        quantities=tuple((quantities or {"prod-001": 1}).items()),
        placed_at=START,
        payment_method=None,
        at=START,
        expires_at=START + HOLD,
        event_id=f"placed-{order_id}",
    )


def reserved(
    order_id: str = "order-1", quantities: Mapping[str, int] | None = None, *, price: int = 1_000
) -> Order:
    lines = tuple(Line(sku, quantity, price) for sku, quantity in (quantities or {"prod-001": 1}).items())
    return Order(
        key=a_key(order_id),
        status=Status.RESERVED,
        customer_id="customer-1",
        lines=lines,
        placed_at=START,
        history=(Transition(Status.RESERVED, START, f"placed-{order_id}"),),
        amount_minor=sum(line.quantity * line.unit_price_minor for line in lines),
        currency="USD",
        expires_at=START + HOLD,
    )


# --- any of them --------------------------------------------------------------------------------------

identifiers = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters="#"), min_size=1, max_size=40
)
# The wire and the tables keep milliseconds.
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis adds the zone
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)

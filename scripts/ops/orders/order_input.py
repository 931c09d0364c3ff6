"""Orders from a document or from options: read, validated, and sent unchanged."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from scripts.common.errors import ToolError
from scripts.common.json_input import faults
from services.payment.simulated_gateway import METHODS
from services.shared.events import Event, Item, OrderPlaced, event_id, rfc3339
from services.shared.ledger import Key

_USAGE = 2
_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OrderInput:
    """One order as its author wrote it, and a label for error messages."""

    label: str
    detail: Any


class RawOrderPlaced(Event):
    """An OrderPlaced whose detail is sent unchanged, valid or not."""

    detail_json: str

    @classmethod
    def detail_type(cls) -> str:
        return OrderPlaced.detail_type()

    def wire(self) -> str:
        return self.detail_json


def read_orders(document: object, scenario: str | None = None) -> list[OrderInput]:
    """Read the orders of a document: one order, a list of orders, or named scenarios."""
    scenarios = _scenarios(document)
    if scenario is not None:
        if scenarios is None:
            raise ToolError(
                "--scenario needs a FILE with named scenarios; this one has none.", exit_code=_USAGE
            )
        if scenario not in scenarios:
            raise ToolError(
                f"scenario {scenario!r} not found; choose one of {', '.join(scenarios)}.", exit_code=_USAGE
            )
        scenarios = {scenario: scenarios[scenario]}
    if scenarios is not None:
        return [OrderInput(f"scenario {name!r}", detail) for name, detail in scenarios.items()]
    if isinstance(document, list):
        if not document:
            raise ToolError("the document is an empty list; there is nothing to publish.")
        return [OrderInput(f"order {number}", detail) for number, detail in enumerate(document, start=1)]
    return [OrderInput("the order", document)]


def _scenarios(document: object) -> dict[str, Any] | None:
    """Return named scenarios, or None for an order: an order has values that are not objects."""
    if isinstance(document, dict) and document and all(isinstance(part, dict) for part in document.values()):
        return document
    return None


def check(orders: Sequence[OrderInput], now: datetime) -> None:
    """Validate every order; refuse all of them if one is invalid."""
    problems: list[str] = []
    label_of: dict[Key, str] = {}
    for given in orders:
        if not isinstance(given.detail, dict):
            problems.append(f"{given.label}: should be an object with orderId, customerId and items")
            continue
        try:
            order = OrderPlaced.model_validate(
                {"eventId": "not-yet", "occurredAt": rfc3339(now), **given.detail}
            )
        except ValidationError as error:
            order_id = given.detail.get("orderId")
            label = f"{given.label} ({order_id})" if isinstance(order_id, str) and order_id else given.label
            problems += [f"{label}: {fault}" for fault in faults(error)]
            continue
        if order.payment_method not in (None, *METHODS) and not str(order.payment_method).startswith("pm_"):
            problems.append(
                f"{given.label}: paymentMethod: {order.payment_method!r} is unknown; known are "
                f"{', '.join(sorted(METHODS))}; add --no-validate to send it anyway"
            )
        key = Key(order.tenant_id, order.order_id)
        if key in label_of:
            problems.append(f"{given.label}: order id {order.order_id!r} is already used by {label_of[key]}")
        label_of.setdefault(key, given.label)
    if problems:
        raise ToolError("nothing published; correct these orders:\n  " + "\n  ".join(problems))


def to_event(order: OrderInput, now: datetime) -> RawOrderPlaced:
    """Make the event of an order, adding `eventId` and `placedAt` if they are missing."""
    detail, key = order.detail, key_of(order)
    order_id = key.id if key else str(uuid4())
    name = event_id(*key, "OrderPlaced", "placed") if key else order_id
    if isinstance(detail, dict):
        detail = {"eventId": name, "placedAt": rfc3339(now), **detail}
    return RawOrderPlaced.model_construct(
        event_id=name,
        correlation_id=order_id,
        occurred_at=now,
        detail_json=json.dumps(detail, ensure_ascii=False, separators=(",", ":")),
    )


def placed(order: OrderInput) -> OrderPlaced | None:
    """Return an order as the services read it; None if they cannot."""
    try:
        return OrderPlaced.model_validate({"eventId": "-", "occurredAt": rfc3339(_ANY_TIME), **order.detail})
    except (ValidationError, TypeError):
        return None


def key_of(order: OrderInput) -> Key | None:
    """Return the key of an order, if it has an order id."""
    detail = order.detail
    if not isinstance(detail, dict):
        return None
    tenant, order_id = detail.get("tenantId", "default"), detail.get("orderId", detail.get("order_id"))
    return Key(tenant, order_id) if isinstance(tenant, str) and isinstance(order_id, str) else None


def items_of(texts: Sequence[str]) -> list[dict[str, Any]]:
    """Parse the `--item` options, each `sku=quantity`."""
    items = []
    for text in texts:
        sku, equals, quantity = text.rpartition("=")
        if not equals or not quantity.isascii() or not quantity.isdigit():
            raise ToolError(f"--item {text!r} should be sku=quantity, such as prod-001=2.", exit_code=_USAGE)
        item = {"sku": sku, "quantity": int(quantity[:18])}
        try:
            Item.model_validate(item)
        except ValidationError as error:
            raise ToolError(f"--item {text!r}: {'; '.join(faults(error))}.", exit_code=_USAGE) from None
        items.append(item)
    return items


def order_detail(
    order_id: str | None,
    customer_id: str,
    items: Sequence[Mapping[str, Any]],
    optional: Mapping[str, str | None],
) -> dict[str, Any]:
    """Build an order from the options of the command line."""
    return {
        "orderId": f"order-{uuid4().hex[:12]}" if order_id is None else order_id,
        "customerId": customer_id,
        "items": [dict(item) for item in items],
        **{name: value for name, value in optional.items() if value is not None},
    }

"""Orders to be placed: read out of a document, checked by the model, sent exactly as they were given."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from scripts.common.errors import ToolError
from scripts.common.json_input import faults
from services.shared.events import Event, Item, OrderPlaced, event_id, rfc3339
from services.shared.ledger import Key

_USAGE = 2


@dataclass(frozen=True, slots=True)
class Draft:
    """One order as its publisher wrote it, and what to call it when something is wrong with it."""

    label: str
    detail: Any


class AsGiven(Event):
    """An order exactly as it was given, valid or not."""

    detail_json: str

    @classmethod
    def detail_type(cls) -> str:
        return OrderPlaced.detail_type()

    def wire(self) -> str:
        return self.detail_json


def drafts(document: object, scenario: str | None = None) -> list[Draft]:
    """Take the orders out of a document: one order, a list of them, or scenarios by name."""
    scenarios = _scenarios(document)
    if scenario is not None:
        if scenarios is None:
            raise ToolError("the document holds no named scenarios to choose from.", exit_code=_USAGE)
        if scenario not in scenarios:
            raise ToolError(
                f"there is no scenario {scenario!r}; there are {', '.join(scenarios)}.", exit_code=_USAGE
            )
        scenarios = {scenario: scenarios[scenario]}
    if scenarios is not None:
        return [Draft(f"scenario {name!r}", detail) for name, detail in scenarios.items()]
    if isinstance(document, list):
        if not document:
            raise ToolError("the document is an empty list; there is nothing to publish.")
        return [Draft(f"order {number}", detail) for number, detail in enumerate(document, start=1)]
    return [Draft("the order", document)]


def _scenarios(document: object) -> dict[str, Any] | None:
    """Tell named scenarios from an order: an order has values that are no objects."""
    if isinstance(document, dict) and document and all(isinstance(part, dict) for part in document.values()):
        return document
    return None


def check(orders: Sequence[Draft], now: datetime) -> None:
    """Hold every order against the model, and refuse all of them if one is wrong."""
    found: list[str] = []
    first: dict[Key, str] = {}
    for draft in orders:
        if not isinstance(draft.detail, dict):
            found.append(f"{draft.label}: should be an object with orderId, customerId and items")
            continue
        try:
            order = OrderPlaced.model_validate(
                {"eventId": "not-yet", "occurredAt": rfc3339(now), **draft.detail}
            )
        except ValidationError as error:
            name = draft.detail.get("orderId")
            label = f"{draft.label} ({name})" if isinstance(name, str) and name else draft.label
            found += [f"{label}: {fault}" for fault in faults(error)]
            continue
        key = Key(order.tenant_id, order.order_id)
        if key in first:
            found.append(f"{draft.label}: order id {order.order_id!r} is already that of {first[key]}")
        first.setdefault(key, draft.label)
    if found:
        raise ToolError("nothing was published, because:\n  " + "\n  ".join(found))


def event_of(draft: Draft, now: datetime) -> AsGiven:
    """Make the event of an order: what was given, and the two things a publisher should say and need not."""
    given = draft.detail
    if isinstance(given, dict):
        key = key_of(draft)
        order = key.id if key else str(uuid4())
        name = event_id(*key, "OrderPlaced", "placed") if key else order
        given = {"eventId": name, "placedAt": rfc3339(now), **given}
    else:
        name = order = str(uuid4())
    return AsGiven.model_construct(
        event_id=name,
        correlation_id=order,
        occurred_at=now,
        detail_json=json.dumps(given, ensure_ascii=False, separators=(",", ":")),
    )


def key_of(draft: Draft) -> Key | None:
    """Name the order that a draft will become, if it says so itself."""
    given = draft.detail
    if not isinstance(given, dict):
        return None
    tenant, order = given.get("tenantId", "default"), given.get("orderId", given.get("order_id"))
    return Key(tenant, order) if isinstance(tenant, str) and isinstance(order, str) else None


def items_of(texts: Sequence[str]) -> list[dict[str, Any]]:
    """Read `sku=quantity`, as often as it was given."""
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
    """Put an order together from what the command line was given."""
    return {
        "orderId": f"order-{uuid4().hex[:12]}" if order_id is None else order_id,
        "customerId": customer_id,
        "items": [dict(item) for item in items],
        **{name: value for name, value in optional.items() if value is not None},
    }

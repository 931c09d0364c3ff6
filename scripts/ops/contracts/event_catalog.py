"""The event catalogue: events, their emitters and consumers, and validation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from scripts.common.errors import ToolError
from scripts.common.json_input import faults
from services.shared.events import CATALOGUE, Event, by_name, rfc3339
from services.shared.messages import detail_of

if TYPE_CHECKING:
    from scripts.environment.topology import Topology

# Emitters are known from the code alone; a test compares this table with it.
EMITTERS: Mapping[str, tuple[str, ...]] = {
    "OrderPlaced": ("cli", "commands", "shop"),
    "PaymentRequested": ("order",),
    "PaymentProcessed": ("payment",),
    "PaymentFailed": ("payment",),
    "OrderConfirmed": ("payment",),
    "OrderRejected": ("order",),
    "OrderConflicted": ("order",),
    "OrderCancelled": ("order", "expiry", "payment"),
    "OrderCancellationRequested": ("cli", "commands", "shop"),
    "RefundRequested": ("order", "cli", "commands"),
    "RefundProcessed": ("payment",),
    "InventoryAdjusted": ("cli", "commands"),
    "SubscriptionStarted": ("billing", "commands"),
    "SubscriptionChanged": ("billing", "commands"),
    "SubscriptionCancelled": ("billing", "commands"),
}


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    event: str
    description: str
    emitted_by: tuple[str, ...]
    consumed_by: tuple[str, ...]


def catalogue(topology: "Topology") -> list[CatalogEntry]:
    return [
        CatalogEntry(
            event=model.detail_type(),
            description=(model.__doc__ or "").strip(),
            emitted_by=EMITTERS[model.detail_type()],
            consumed_by=tuple(
                name
                for name, function in topology.consumers.items()
                if model.detail_type() in function.subscriptions
            ),
        )
        for model in CATALOGUE
    ]


def model_of(name: str) -> type[Event]:
    model = by_name(name)
    if model is None:
        raise ToolError(f"event {name!r} not found; list them with `pulsequeue events ls`.", exit_code=2)
    return model


def validate(document: object, name: str | None, now: datetime) -> tuple[str, list[str]]:
    """Validate a detail or an envelope as a consumer would; returns the event name and the faults."""
    if not isinstance(document, dict):
        raise ToolError("an event must be a JSON object.")
    envelope: dict[str, Any] = document if "detail-type" in document else {"detail": document}
    detail_type = envelope.get("detail-type")
    name = name or (detail_type if isinstance(detail_type, str) else None)
    if name is None:
        raise ToolError("the event is unknown; give --event NAME or an envelope.", exit_code=2)
    if detail_type is not None and detail_type != name:
        return name, [f"detail-type: is {detail_type!r}, not {name!r}"]
    if not isinstance(envelope.get("detail"), dict):
        return name, ["detail: should be an object"]
    # A detail without an envelope gets one from the bus, with an id and a time.
    filled = detail_of({"id": "given-by-the-bus", "time": rfc3339(now), **envelope})
    try:
        model_of(name).model_validate(filled)
    except ValidationError as error:
        return name, faults(error)
    return name, []

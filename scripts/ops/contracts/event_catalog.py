"""Which events there are, who emits them, who takes them, and whether a given one is right."""

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

# No file says who emits what but the code that does it; a test holds this against that code.
EMITTERS: Mapping[str, tuple[str, ...]] = {
    "OrderPlaced": ("cli", "shop"),
    "PaymentRequested": ("order",),
    "PaymentProcessed": ("payment",),
    "PaymentFailed": ("payment",),
    "OrderConfirmed": ("payment",),
    "OrderRejected": ("order",),
    "OrderCancelled": ("order", "expiry", "payment"),
    "OrderCancellationRequested": ("cli", "shop"),
    "RefundRequested": ("order", "cli"),
    "RefundProcessed": ("payment",),
    "InventoryAdjusted": ("cli",),
    "SubscriptionStarted": ("billing",),
    "SubscriptionChanged": ("billing",),
    "SubscriptionCancelled": ("billing",),
}


@dataclass(frozen=True, slots=True)
class Entry:
    event: str
    says: str
    emitted_by: tuple[str, ...]
    consumed_by: tuple[str, ...]


def catalogue(topology: "Topology") -> list[Entry]:
    return [
        Entry(
            event=model.detail_type(),
            says=(model.__doc__ or "").strip(),
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
        raise ToolError(f"there is no event {name!r}; `pulsequeue events ls` lists them.", exit_code=2)
    return model


def validate(document: object, name: str | None, now: datetime) -> tuple[str, list[str]]:
    """Check an event, bare or in its envelope, as its consumer would; returns its name and its faults."""
    if not isinstance(document, dict):
        raise ToolError("an event is a JSON object, and this is none.")
    envelope: dict[str, Any] = document if "detail-type" in document else {"detail": document}
    said = envelope.get("detail-type")
    name = name or (said if isinstance(said, str) else None)
    if name is None:
        raise ToolError("which event is it? Say --event NAME, or give the whole envelope.", exit_code=2)
    if said is not None and said != name:
        return name, [f"detail-type: says {said!r}, not {name!r}"]
    if not isinstance(envelope.get("detail"), dict):
        return name, ["detail: should be an object"]
    # Where there is no envelope, the bus will put one around it, with an id and a time.
    filled = detail_of({"id": "given-by-the-bus", "time": rfc3339(now), **envelope})
    try:
        model_of(name).model_validate(filled)
    except ValidationError as error:
        return name, faults(error)
    return name, []

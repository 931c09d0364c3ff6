"""Messages in: what a consumer gets from its queue, grouped by order, and what it hands back."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import ValidationError

from services.shared.events import Event, OrderEvent
from services.shared.ledger import Key, Order
from services.shared.log_events import LogEvent
from services.shared.telemetry import Telemetry

E = TypeVar("E", bound=OrderEvent)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event, as one message brought it."""

    message_id: str
    event: Event


@dataclass(frozen=True, slots=True)
class Group(Generic[E]):
    """The deliveries of a batch that are about the same order, in arrival order."""

    events: list[E]
    message_ids: set[str]

    @property
    def first(self) -> E:
        return self.events[0]


def by_order(deliveries: Sequence[Delivery], model: type[E]) -> dict[Key, Group[E]]:
    """Group the deliveries of one kind of event by the order they are about."""
    groups: dict[Key, Group[E]] = {}
    for delivery in deliveries:
        event = delivery.event
        if isinstance(event, model):
            group = groups.setdefault(Key(event.tenant_id, event.order_id), Group([], set()))
            group.events.append(event)
            group.message_ids.add(delivery.message_id)
    return groups


def retry_unknown_orders(
    groups: Mapping[Key, Group[E]], orders: Mapping[Key, Order], telemetry: Telemetry
) -> set[str]:
    """Return the ids of messages about orders that do not exist: their placement may still be on the way."""
    retry: set[str] = set()
    for key, group in groups.items():
        if key not in orders:
            telemetry.warning(LogEvent.ORDER_NOT_FOUND, key)
            retry |= group.message_ids
    return retry


@dataclass(frozen=True, slots=True)
class Poison:
    """A message that no number of deliveries will make readable."""

    message_id: str
    body: str
    reason: str
    detail: str


class PoisonQueue(Protocol):
    def send(self, poison: Sequence[Poison]) -> Collection[str]:
        """Send messages to the dead-letter queue; returns the ids of those it did not accept."""


Handle = Callable[[Sequence[Delivery]], Collection[str]]
"""Does the work of a batch and returns the ids of the messages to retry."""


def detail_of(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event's detail, with the envelope's id and time where the publisher gave none."""
    given = {"eventId": envelope.get("id"), "occurredAt": envelope.get("time")}
    return {**{name: value for name, value in given.items() if value is not None}, **envelope["detail"]}


def explain(error: ValidationError) -> str:
    """Describe what is wrong with an event without quoting its values, which may be personal."""
    faults = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'event'}: {fault['msg']}" for fault in faults[:5])

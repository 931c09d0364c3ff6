"""Messages in: what a consumer gets from its queue, grouped by order, and what it hands back."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Generic, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from services.shared.events import Event, Identifier, OrderEvent
from services.shared.ledger import Key, Order, Unsettled
from services.shared.log_events import LogEvent
from services.shared.telemetry import Telemetry

E = TypeVar("E", bound=OrderEvent)
RECEIVED_AT_ONCE: Final = 10
"""The most messages that SQS returns to one call, and that Lambda hands over without a batch window."""
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


@dataclass(frozen=True, slots=True)
class Message:
    """One message, as its queue handed it out."""

    id: str
    body: str
    receipt: str
    receives: int


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


def existing_orders(
    groups: Mapping[Key, Group[E]], read: Mapping[Key, Order | Unsettled], telemetry: Telemetry
) -> tuple[dict[Key, Order], set[str]]:
    """Return the orders that were read, and the ids of the messages to retry about all others.

    An order that does not exist may still be on the way; one that could not be read concerns its own
    messages only.
    """
    orders: dict[Key, Order] = {}
    retry: set[str] = set()
    for key, group in groups.items():
        order = read.get(key)
        if isinstance(order, Order):
            orders[key] = order
            continue
        if order is None:
            telemetry.warning(LogEvent.ORDER_NOT_FOUND, key)
        else:
            telemetry.warning(LogEvent.ORDER_UNREAD, key, why=order.why)
        retry |= group.message_ids
    return orders, retry


@dataclass(frozen=True, slots=True)
class Poison:
    """A message that no number of deliveries will make readable."""

    message_id: str
    body: str
    reason: str
    detail: str
    about: Key | None = None
    """The order it names, if that can be read."""


class PoisonQueue(Protocol):
    def send(self, poison: Sequence[Poison]) -> Collection[str]:
        """Send messages to the dead-letter queue; returns the ids of those it did not accept."""


class Backlog(Protocol):
    """What else waits in the consumer's queue when a batch came full."""

    def take(self, received: int) -> Sequence[Message]:
        """Take further messages to a batch, until it is whole or none is left."""

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete taken messages that were handled; one that stays returns as a duplicate."""


class Redelivery(Protocol):
    """How long messages that are handed back stay away, instead of the queue's own time-out."""

    def delay(self, receives: Mapping[str, int]) -> int:
        """Delay messages, by receipt, as their number of receives says; returns for how many that failed."""


class DelayedQueue(Protocol):
    """The consumer's own queue, for events that came before their time."""

    def send(self, events: Mapping[Key, tuple[Event, timedelta]]) -> Collection[Key]:
        """Let events come again, not before so long has passed where the queue can delay them by as much.

        Returns the orders whose events it did not accept.
        """


Handle = Callable[[Sequence[Delivery]], Collection[str]]
"""Does the work of a batch and returns the ids of the messages to retry."""


def detail_of(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event's detail, with the envelope's id and time where the publisher gave none."""
    given = {"eventId": envelope.get("id"), "occurredAt": envelope.get("time")}
    return {**{name: value for name, value in given.items() if value is not None}, **envelope["detail"]}


def order_named_in(detail: Mapping[str, Any]) -> Key | None:
    """Return the order that a detail names, even if the rest of it is not valid."""
    named = detail.get("orderId"), detail.get("tenantId", "default")
    try:
        order_id, tenant_id = (_IDENTIFIER.validate_python(name) for name in named)
    except ValidationError:
        return None
    return Key(tenant_id, order_id)


def explain(error: ValidationError) -> str:
    """Describe what is wrong with an event without quoting its values, which may be personal."""
    faults = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'event'}: {fault['msg']}" for fault in faults[:5])

"""What a webhook is: an endpoint, how it is doing, and one message on its way to it."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final, Literal, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, StrictInt
from pydantic.alias_generators import to_camel

from services.shared import events
from services.shared.events import Event, Identifier, Instant

Format: TypeAlias = Literal["standard", "cloudevents"]
Status: TypeAlias = Literal["waiting", "delivered", "retrying", "failed", "dropped"]

TEST_TYPE: Final = "webhook.test"
OLD_SECRET_LIFETIME: Final = timedelta(hours=24)
"""How long the secret before the last one keeps signing."""

_MESSAGE_IDS: Final = uuid5(NAMESPACE_URL, "urn:pulsequeue:webhook-messages")


def _outside(event: type[Event]) -> str:
    """Return what an event is called outside: `order.confirmed` for OrderConfirmed."""
    subject, *rest = re.findall(r"[A-Z][a-z]+", event.detail_type())
    return f"{subject}.{'_'.join(rest)}".lower()


TYPES: Final[dict[type[Event], str]] = {
    event: _outside(event)
    for event in (
        events.OrderPlaced,
        events.OrderConfirmed,
        events.OrderRejected,
        events.OrderCancelled,
        events.PaymentProcessed,
        events.PaymentFailed,
        events.RefundProcessed,
        events.InventoryAdjusted,
        events.SubscriptionStarted,
        events.SubscriptionChanged,
        events.SubscriptionCancelled,
    )
}
"""The events that a subscriber may hear of, and what they are called outside."""


@dataclass(frozen=True, slots=True)
class Secret:
    value: str = field(repr=False)
    expires_at: datetime | None = None
    """Only of the secret before the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a subscriber receives messages. Only members of the organisation change it."""

    tenant_id: str
    id: str
    url: str
    types: tuple[str, ...]
    """The types it hears of; empty: all."""
    description: str
    format: Format
    enabled: bool
    secrets: tuple[Secret, ...]
    created_at: datetime
    created_by: str
    revision: int = 0

    def receives(self, event_type: str) -> bool:
        return self.enabled and (not self.types or event_type in self.types)

    def signing_secrets(self, now: datetime) -> list[str]:
        return [it.value for it in self.secrets if it.expires_at is None or it.expires_at > now]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How an endpoint is doing. Only deliveries change it."""

    failures: int = 0
    """In a row."""
    failing_since: datetime | None = None
    retry_at: datetime | None = None
    """It is not called before."""
    quick_answers_due: int = 0
    """It was slow: until it has given so many quick answers, its messages take the lane of retries."""
    disabled_at: datetime | None = None
    disabled_reason: Literal["gone", "failing"] | None = None

    @property
    def sound(self) -> bool:
        """Whether it may share a lane with others without delaying them."""
        return not self.failures and not self.quick_answers_due

    def closed(self, now: datetime) -> bool:
        """Whether it rests."""
        return self.retry_at is not None and self.retry_at > now

    def pause(self, now: datetime) -> int:
        """Return how many seconds it rests."""
        return max(0, ceil((self.retry_at - now).total_seconds())) if self.retry_at else 0


HEALTHY: Final = Health()


@dataclass(frozen=True, slots=True)
class Subscription:
    """An endpoint with its health."""

    endpoint: Endpoint
    health: Health

    @property
    def active(self) -> bool:
        return self.endpoint.enabled and self.health.disabled_at is None


class Message(BaseModel):
    """One message to one endpoint, as a queue holds it."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        serialize_by_alias=True,
        defer_build=True,
    )

    tenant_id: Identifier
    endpoint_id: Identifier
    id: Identifier
    """The same for every attempt, and for every endpoint that hears of the event."""
    type: str
    timestamp: Instant
    """When what it tells of happened."""
    data: dict[str, Any]
    attempts: StrictInt = 0
    """Made before it was put into this queue."""
    by_hand: bool = False
    """Somebody waits for it: its first attempt is made even while its endpoint rests."""
    moved_at: Instant | None = None
    """When it came to the lane of retries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The entry of one message in an endpoint's log."""

    message: Message
    status: Status
    attempts: int
    last_at: datetime | None = None
    http_status: int | None = None
    error: str | None = None
    """Why no response came: a code, never what the other side said."""
    request_id: str | None = None
    """The subscriber's own, from its response."""
    duration_ms: int | None = None


def message_for(endpoint: Endpoint, event: Event) -> Message | None:
    """Make the message that tells an endpoint of an event; None if it does not want to hear of it."""
    event_type = TYPES.get(type(event))
    if event_type is None or not endpoint.receives(event_type):
        return None
    return Message(
        tenant_id=endpoint.tenant_id,
        endpoint_id=endpoint.id,
        id=f"msg_{uuid5(_MESSAGE_IDS, f'{event.tenant_id}#{event.event_id}').hex[:24]}",
        type=event_type,
        timestamp=event.occurred_at,
        data=event.model_dump(mode="json", exclude_none=True),
    )

"""One attempt to deliver a message, and what follows from it.

Two lanes, so that a slow or dead endpoint delays no other. The fast lane makes the first attempt for
endpoints that answer. Whatever fails, and everything for an endpoint that is slow or failing, takes the lane
of retries, which has a queue and a concurrency of its own.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, TypeAlias

from services.shared.errors import TransientError
from services.shared.log_events import LogEvent
from services.shared.metric_names import Metric, WebhookOutcome
from services.shared.telemetry import Telemetry
from services.webhooks.model import HEALTHY, Delivery, Endpoint, Health, Message, Status, Subscription
from services.webhooks.queues import MessageQueue
from services.webhooks.signing import body_of, headers_of
from services.webhooks.store import WebhookStore

RETRY_SECONDS: Final = (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
"""After the first, second, … failed attempt: nine attempts over more than a day."""
DISABLED_AFTER: Final = timedelta(days=7)
MAX_DELAY_SECONDS: Final = 900
"""The longest delay of SQS."""

_SLOW_SECONDS: Final = 2.0
_MOST_PAUSE: Final = timedelta(hours=1)
_GONE: Final = 410

Reason: TypeAlias = Literal["timeout", "dns", "address", "connection", "tls", "response"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call: a status, or the reason why there is none."""

    seconds: float
    http_status: int | None = None
    request_id: str | None = None
    error: Reason | None = None

    @property
    def accepted(self) -> bool:
        return self.http_status is not None and 200 <= self.http_status < 300  # noqa: PLR2004 - HTTP


Call: TypeAlias = Callable[[str, Mapping[str, str], bytes], Answer]
"""Posts a body to a URL, once, without following redirects; never raises for what the other side does."""


class Jitter(Protocol):
    def __call__(self, low: float, high: float, /) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """What both lanes do."""

    store: WebhookStore
    call: Call
    clock: Callable[[], datetime]
    telemetry: Telemetry
    jitter: Jitter = random.uniform
    most_seconds: int | None = None
    """Limits every wait; for stacks on one machine."""

    def active(self, message: Message) -> Subscription | None:
        """Return the endpoint of a message; a message for none, or for a disabled one, is dropped."""
        subscription = self.store.subscription(message.tenant_id, message.endpoint_id)
        if subscription is not None and subscription.active:
            return subscription
        self.telemetry.count(Metric.WEBHOOK_DELIVERIES, outcome=WebhookOutcome.DROPPED)
        if subscription is not None:
            dropped = Delivery(message=message, status="dropped", attempts=message.attempts)
            self.store.record(dropped, self.clock())
        return None

    def make(self, subscription: Subscription, message: Message, before: int) -> int | None:
        """Make one attempt after others; returns the seconds until the next, None if there is none."""
        endpoint = subscription.endpoint
        body = body_of(message, endpoint.format)
        now = self.clock()
        headers = headers_of(message, endpoint.format, body, endpoint.signing_secrets(now), now)
        answer = self.call(endpoint.url, headers, body.encode())
        attempts = before + 1
        wait = None if answer.accepted or answer.http_status == _GONE else _wait_after(attempts)
        status = _status(answer, wait)
        now = self.clock()
        self.store.record(
            Delivery(
                message=message,
                status=status,
                attempts=attempts,
                last_at=now,
                http_status=answer.http_status,
                error=answer.error,
                request_id=answer.request_id,
                duration_ms=round(answer.seconds * 1_000),
            ),
            now,
        )
        self._note(endpoint, subscription.health, answer, now)
        self.telemetry.count(Metric.WEBHOOK_DELIVERIES, outcome=WebhookOutcome(status))
        if status == "failed":
            self.telemetry.warning(
                LogEvent.WEBHOOK_FAILED,
                tenant=endpoint.tenant_id,
                endpoint=endpoint.id,
                message_id=message.id,
                attempts=attempts,
            )
        return None if wait is None else self.spread(wait)

    def spread(self, seconds: float) -> int:
        """Keep messages that failed together from returning together."""
        most = self.most_seconds if self.most_seconds is not None else seconds
        return max(1, round(min(seconds, most) * self.jitter(1, 1.15)))

    def _note(self, endpoint: Endpoint, before: Health, answer: Answer, now: datetime) -> None:
        """Remember how the endpoint is doing, where that changed."""
        after = _health_after(before, answer, now, self.most_seconds)
        if after == before:
            return
        self.store.set_health(endpoint, after)
        if after.disabled_at is not None:
            self.telemetry.count(Metric.WEBHOOKS_DISABLED)
            self.telemetry.warning(
                LogEvent.WEBHOOK_DISABLED,
                tenant=endpoint.tenant_id,
                endpoint=endpoint.id,
                reason=after.disabled_reason,
            )


@dataclass(frozen=True, slots=True)
class FastLane:
    """Makes first attempts, and moves all others to the lane of retries."""

    attempts: Attempts
    retries: MessageQueue

    def deliver(self, message: Message) -> int | None:
        subscription = self.attempts.active(message)
        if subscription is None:
            return None
        now, health = self.attempts.clock(), subscription.health
        if health.slow or health.closed(now):
            waiting = Delivery(message=message, status="waiting", attempts=message.attempts)
            self.attempts.store.record(waiting, now)
            self._move(message, health.pause(now))
        elif (seconds := self.attempts.make(subscription, message, message.attempts)) is not None:
            self._move(message, seconds)
        return None

    def _move(self, message: Message, seconds: int) -> None:
        if self.retries.send([message], delay=min(MAX_DELAY_SECONDS, seconds)):
            raise TransientError("the message could not be moved to the lane of retries")


@dataclass(frozen=True, slots=True)
class RetriesLane:
    """Makes all further attempts; a message stays in its queue between them."""

    attempts: Attempts

    def deliver(self, message: Message) -> int | None:
        """Returns for how many seconds the message stays away; None: it is done."""
        subscription = self.attempts.active(message)
        if subscription is None:
            return None
        now = self.attempts.clock()
        if subscription.health.closed(now):
            return self.attempts.spread(subscription.health.pause(now))
        recorded = self.attempts.store.recorded(message)
        if recorded is not None and recorded.status in ("delivered", "failed"):
            return None  # a copy of a message that is done
        before = recorded.attempts if recorded else message.attempts
        return self.attempts.make(subscription, message, before)


def _wait_after(attempts: int) -> float | None:
    return RETRY_SECONDS[attempts - 1] if attempts <= len(RETRY_SECONDS) else None


def _status(answer: Answer, wait: float | None) -> Status:
    if answer.accepted:
        return "delivered"
    return "failed" if wait is None else "retrying"


def _health_after(before: Health, answer: Answer, now: datetime, most_seconds: int | None) -> Health:
    slow = answer.seconds >= _SLOW_SECONDS
    if answer.accepted:
        return replace(HEALTHY, slow=slow)
    if answer.http_status == _GONE:
        return replace(before, disabled_at=now, disabled_reason="gone")
    failures, since = before.failures + 1, before.failing_since or now
    if now - since >= DISABLED_AFTER:
        return replace(before, failures=failures, disabled_at=now, disabled_reason="failing")
    pause = min(_MOST_PAUSE, timedelta(seconds=RETRY_SECONDS[0] * 2 ** min(failures - 1, 16)))
    if most_seconds is not None:
        pause = min(pause, timedelta(seconds=most_seconds))
    return replace(before, failures=failures, failing_since=since, retry_at=now + pause, slow=slow)

"""One attempt to deliver a message, and what follows from it.

Two lanes, so that a slow or dead endpoint delays no other. The fast lane makes the first attempt for
endpoints that answer, and waits 2 s. Whatever fails, and everything for an endpoint that is slow or failing,
takes the lane of retries, which has a queue and a concurrency of its own and waits 10 s.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
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

FIRST_SECONDS: Final = 2.0
"""How long a first attempt waits. Whoever takes longer is called from the other lane, which waits longer."""

_QUICK_ANSWERS: Final = 10
"""So many must a slow endpoint give before it is called in the fast lane again."""
LIFETIME: Final = timedelta(seconds=115_000)
"""As long as all waits together, at their longest. A message that waited for its turn so long has failed."""

_PROBE: Final = timedelta(seconds=15)
"""How long nobody else calls a failing endpoint while one message tries; longer than any call takes."""
_LOG_TRIES: Final = 5
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
            self._end(message, "dropped")
        return None

    def make(self, subscription: Subscription, message: Message, known: Delivery | None) -> int | None:
        """Make one attempt after those that are known; returns the seconds until the next, None if none."""
        endpoint = subscription.endpoint
        body = body_of(message, endpoint.format)
        now = self.clock()
        headers = headers_of(message, endpoint.format, body, endpoint.signing_secrets(now), now)
        answer = self.call(endpoint.url, headers, body.encode())
        entry = self._log(message, known, answer)
        self._note(endpoint, subscription.health, answer, self.clock())
        self.telemetry.count(Metric.WEBHOOK_DELIVERIES, outcome=WebhookOutcome(entry.status))
        if entry.status == "failed":
            self._warn_failed(endpoint, message, entry.attempts)
        return self.spread(RETRY_SECONDS[entry.attempts - 1]) if entry.status == "retrying" else None

    def note_waiting(self, message: Message) -> None:
        """Show a message in the log that no attempt was made for; one that is there stays as it is."""
        waiting = Delivery(message=message, status="waiting", attempts=message.attempts)
        self.store.record(waiting, self.clock(), after=None)

    def claim(self, subscription: Subscription, now: datetime) -> bool:
        """Let one message alone find out whether a failing endpoint answers again."""
        health = subscription.health
        claimed = replace(health, retry_at=now + _PROBE)
        return not health.failures or self.store.change_health(subscription.endpoint, health, claimed)

    def _log(self, message: Message, known: Delivery | None, answer: Answer) -> Delivery:
        """Count an attempt, also beside those of another copy of the message; returns the entry."""
        now = self.clock()
        for _ in range(_LOG_TRIES):
            entry = _entry(message, known, answer, now)
            if self.store.record(entry, now, after=known):
                return entry
            known = self.store.recorded(message)
        raise TransientError("other attempts keep changing the log of the message")

    def give_up(self, subscription: Subscription, message: Message) -> None:
        """End a message that was tried, or waited for its turn, for as long as messages are."""
        endpoint, entry = subscription.endpoint, self._end(message, "failed")
        self.telemetry.count(Metric.WEBHOOK_DELIVERIES, outcome=WebhookOutcome.FAILED)
        self._warn_failed(endpoint, message, entry.attempts)

    def _warn_failed(self, endpoint: Endpoint, message: Message, attempts: int) -> None:
        self.telemetry.warning(
            LogEvent.WEBHOOK_FAILED,
            tenant=endpoint.tenant_id,
            endpoint=endpoint.id,
            message_id=message.id,
            attempts=attempts,
        )

    def _end(self, message: Message, status: Status) -> Delivery:
        """Note that no more attempts are made, unless the message is done already; returns the entry."""
        known = None
        for _ in range(_LOG_TRIES):
            ended = known or Delivery(message=message, status=status, attempts=message.attempts)
            ended = replace(ended, status=status)
            if self.store.record(ended, self.clock(), after=known):
                return ended
            known = self.store.recorded(message)
            if known is not None and known.status not in ("waiting", "retrying"):
                return known
        raise TransientError("other attempts keep changing the log of the message")

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
        if not health.sound:
            self.attempts.note_waiting(message)
            self._move(message, 0 if message.by_hand else health.pause(now))
        elif (seconds := self.attempts.make(subscription, message, None)) is not None:
            self._move(message, seconds)
        return None

    def _move(self, message: Message, seconds: int) -> None:
        moved = message.model_copy(update={"moved_at": self.attempts.clock()})
        if self.retries.send([moved], delay=min(MAX_DELAY_SECONDS, seconds)):
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
        left = (message.moved_at or now) + LIFETIME - now
        if left <= timedelta(0):
            self.attempts.give_up(subscription, message)
            return None
        seconds = self._deliver(subscription, message, now)
        return None if seconds is None else min(seconds, ceil(left.total_seconds()))

    def _deliver(self, subscription: Subscription, message: Message, now: datetime) -> int | None:
        closed = subscription.health.closed(now)
        if closed and not message.by_hand:
            return self.attempts.spread(subscription.health.pause(now))
        recorded = self.attempts.store.recorded(message)
        if recorded is not None and recorded.status in ("delivered", "failed"):
            return None  # a copy of a message that is done
        if not message.by_hand or (recorded and recorded.attempts):
            if closed:
                return self.attempts.spread(subscription.health.pause(now))
            if not self.attempts.claim(subscription, now):
                return self.attempts.spread(RETRY_SECONDS[0])
        return self.attempts.make(subscription, message, recorded)


def _entry(message: Message, known: Delivery | None, answer: Answer, now: datetime) -> Delivery:
    attempts = (known.attempts if known else message.attempts) + 1
    if known is not None and known.status == "delivered" and not answer.accepted:
        return replace(known, attempts=attempts)  # another copy was accepted: the message is done
    return Delivery(
        message=message,
        status=_status(answer, attempts),
        attempts=attempts,
        last_at=now,
        http_status=answer.http_status,
        error=answer.error,
        request_id=answer.request_id,
        duration_ms=round(answer.seconds * 1_000),
    )


def _status(answer: Answer, attempts: int) -> Status:
    if answer.accepted:
        return "delivered"
    return "failed" if answer.http_status == _GONE or attempts > len(RETRY_SECONDS) else "retrying"


def _health_after(before: Health, answer: Answer, now: datetime, most_seconds: int | None) -> Health:
    due = max(0, before.quick_answers_due - 1) if answer.seconds < FIRST_SECONDS else _QUICK_ANSWERS
    if answer.accepted:
        return replace(HEALTHY, quick_answers_due=due)
    if answer.http_status == _GONE:
        return replace(before, disabled_at=now, disabled_reason="gone")
    failures, since = before.failures + 1, before.failing_since or now
    if now - since >= DISABLED_AFTER:
        return replace(before, failures=failures, disabled_at=now, disabled_reason="failing")
    pause = min(_MOST_PAUSE, timedelta(seconds=RETRY_SECONDS[0] * 2 ** min(failures - 1, 16)))
    if most_seconds is not None:
        pause = min(pause, timedelta(seconds=most_seconds))
    return replace(
        before, failures=failures, failing_since=since, retry_at=now + pause, quick_answers_due=due
    )

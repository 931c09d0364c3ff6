"""The events of a customer's subscriptions: upgrades, downgrades, pauses, cancellations, reactivations."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, Literal

from scripts.demo_data.catalog import PLANS, Plan
from scripts.demo_data.rng import Weighted, up_to_days
from services.shared.events import (
    Event,
    SubscriptionCancelled,
    SubscriptionChanged,
    SubscriptionEvent,
    SubscriptionStarted,
    event_id,
)

_SUBSCRIBER_SHARE: Final = 0.3
_SECOND_SHARE: Final = 0.1
_YEARLY_SHARE: Final = 0.25
_CANCELLED_AHEAD: Final = 0.5
"""Share of cancellations announced before they take effect."""
_AHEAD_DAYS: Final = 9
_MONTH: Final = timedelta(days=30)
_MONTH_JITTER_DAYS: Final = 6
_WAIT_DAYS: Final = 90
_PLANS: Final = Weighted(range(len(PLANS)), (0.45, 0.32, 0.17, 0.06))
_REASONS: Final = Weighted(("too_expensive", "not_used", "switched", "unpaid"), (0.35, 0.3, 0.2, 0.15))

Step = Literal["keep", "upgrade", "downgrade", "pause", "resume", "cancel", "reactivate"]
_WHILE_PAID: Final = Weighted[Step](
    ("keep", "upgrade", "downgrade", "pause", "cancel"), (0.895, 0.035, 0.017, 0.013, 0.04)
)
_WHILE_PAUSED: Final = Weighted[Step](("keep", "resume", "cancel"), (0.5, 0.38, 0.12))
_WHILE_ENDED: Final = Weighted[Step](("keep", "reactivate"), (0.93, 0.07))


@dataclass(frozen=True, slots=True)
class Terms:
    plan: int
    interval: Literal["month", "year"]
    state: Literal["paid", "paused", "ended"] = "paid"

    @property
    def amount_minor(self) -> int:
        if self.state == "paused":
            return 0
        plan: Plan = PLANS[self.plan]
        return plan.month_minor if self.interval == "month" else plan.year_minor


@dataclass(frozen=True, slots=True)
class Subscriber:
    tenant_id: str
    customer_id: str
    currency: str
    since: datetime
    namespace: str
    """Keeps the subscriptions of one data set apart from those of another."""


def events_of(subscriber: Subscriber, until: datetime, random: Random) -> Iterator[Event]:
    """Generate all events of a customer's subscriptions; most customers have none."""
    if random.random() >= _SUBSCRIBER_SHARE:
        return
    yield from _Subscription(subscriber, 1).events(until, random)
    if random.random() < _SECOND_SHARE:
        yield from _Subscription(subscriber, 2).events(until, random)


class _Subscription:
    def __init__(self, subscriber: Subscriber, number: int) -> None:
        self._subscriber = subscriber
        self._id = f"sub-{subscriber.namespace}-{subscriber.customer_id}-{number}"
        self._emitted = 0

    def events(self, until: datetime, random: Random) -> Iterator[Event]:
        at = self._subscriber.since + timedelta(milliseconds=up_to_days(random, _WAIT_DAYS))
        terms = self._begin(random)
        if at < until:
            yield self._started(terms, at)
        while (at := at + _MONTH + timedelta(milliseconds=up_to_days(random, _MONTH_JITTER_DAYS))) < until:
            terms, event = self._step(terms, at, random)
            if event is not None:
                yield event

    def _step(self, terms: Terms, at: datetime, random: Random) -> tuple[Terms, Event | None]:
        match {"paid": _WHILE_PAID, "paused": _WHILE_PAUSED, "ended": _WHILE_ENDED}[terms.state].pick(random):
            case "upgrade" if terms.plan + 1 < len(PLANS):
                terms = replace(terms, plan=terms.plan + 1)
            case "downgrade" if terms.plan > 0:
                terms = replace(terms, plan=terms.plan - 1)
            case "pause":
                terms = replace(terms, state="paused")
            case "resume":
                terms = replace(terms, state="paid")
            case "cancel":
                return replace(terms, state="ended"), self._cancelled(at, random)
            case "reactivate":
                terms = self._begin(random)
                return terms, self._started(terms, at)
            case _:
                return terms, None
        return terms, self._changed(terms, at)

    def _begin(self, random: Random) -> Terms:
        return Terms(_PLANS.pick(random), "year" if random.random() < _YEARLY_SHARE else "month")

    def _started(self, terms: Terms, at: datetime) -> SubscriptionStarted:
        return SubscriptionStarted(**self._fields(SubscriptionStarted, at), **self._terms(terms))

    def _changed(self, terms: Terms, at: datetime) -> SubscriptionChanged:
        return SubscriptionChanged(**self._fields(SubscriptionChanged, at), **self._terms(terms))

    def _cancelled(self, at: datetime, random: Random) -> SubscriptionCancelled:
        notice = up_to_days(random, _AHEAD_DAYS) if random.random() < _CANCELLED_AHEAD else 0
        return SubscriptionCancelled(
            **self._fields(SubscriptionCancelled, at - timedelta(milliseconds=notice)),
            effective_at=at if notice else None,
            reason=_REASONS.pick(random),
        )

    def _terms(self, terms: Terms) -> dict[str, Any]:
        return {
            "plan": PLANS[terms.plan].name,
            "interval": terms.interval,
            "amount_minor": terms.amount_minor,
            "currency": self._subscriber.currency,
        }

    def _fields(self, event: type[SubscriptionEvent], at: datetime) -> dict[str, Any]:
        self._emitted += 1
        return {
            "event_id": event_id(
                self._subscriber.tenant_id, self._id, event.detail_type(), str(self._emitted)
            ),
            "correlation_id": self._id,
            "occurred_at": at,
            "tenant_id": self._subscriber.tenant_id,
            "subscription_id": self._id,
            "customer_id": self._subscriber.customer_id,
        }

"""What becomes of a customer's subscriptions: raised, lowered, paused, taken up again, ended, begun anew."""

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

_SUBSCRIBE: Final = 0.3
_TWICE: Final = 0.1
_BY_THE_YEAR: Final = 0.25
_TOLD_AHEAD: Final = 0.5
"""How many cancellations are told before they take effect."""
_AHEAD_DAYS: Final = 9
_MONTH: Final = timedelta(days=30)
_MONTH_JITTER_DAYS: Final = 6
_WAIT_DAYS: Final = 90
_PLANS: Final = Weighted(range(len(PLANS)), (0.45, 0.32, 0.17, 0.06))
_REASONS: Final = Weighted(("too_expensive", "not_used", "switched", "unpaid"), (0.35, 0.3, 0.2, 0.15))

Step = Literal["stay", "raise", "lower", "pause", "resume", "end", "return"]
_WHILE_PAID: Final = Weighted[Step](
    ("stay", "raise", "lower", "pause", "end"), (0.895, 0.035, 0.017, 0.013, 0.04)
)
_WHILE_PAUSED: Final = Weighted[Step](("stay", "resume", "end"), (0.5, 0.38, 0.12))
_WHILE_ENDED: Final = Weighted[Step](("stay", "return"), (0.93, 0.07))


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
    run: str
    """Sets the subscriptions of one made-up past apart from those of another."""


def info(subscriber: Subscriber, until: datetime, draw: Random) -> Iterator[Event]:
    """Tell everything of a customer's subscriptions; most have none."""
    if draw.random() >= _SUBSCRIBE:
        return
    yield from _Life(subscriber, 1).info(until, draw)
    if draw.random() < _TWICE:
        yield from _Life(subscriber, 2).info(until, draw)


class _Life:
    def __init__(self, subscriber: Subscriber, number: int) -> None:
        self._subscriber = subscriber
        self._id = f"sub-{subscriber.run}-{subscriber.customer_id}-{number}"
        self._told = 0

    def info(self, until: datetime, draw: Random) -> Iterator[Event]:
        at = self._subscriber.since + timedelta(milliseconds=up_to_days(draw, _WAIT_DAYS))
        terms = self._begin(draw)
        if at < until:
            yield self._started(terms, at)
        while (at := at + _MONTH + timedelta(milliseconds=up_to_days(draw, _MONTH_JITTER_DAYS))) < until:
            terms, event = self._step(terms, at, draw)
            if event is not None:
                yield event

    def _step(self, terms: Terms, at: datetime, draw: Random) -> tuple[Terms, Event | None]:
        match {"paid": _WHILE_PAID, "paused": _WHILE_PAUSED, "ended": _WHILE_ENDED}[terms.state].pick(draw):
            case "raise" if terms.plan + 1 < len(PLANS):
                terms = replace(terms, plan=terms.plan + 1)
            case "lower" if terms.plan > 0:
                terms = replace(terms, plan=terms.plan - 1)
            case "pause":
                terms = replace(terms, state="paused")
            case "resume":
                terms = replace(terms, state="paid")
            case "end":
                return replace(terms, state="ended"), self._cancelled(at, draw)
            case "return":
                terms = self._begin(draw)
                return terms, self._started(terms, at)
            case _:
                return terms, None
        return terms, self._changed(terms, at)

    def _begin(self, draw: Random) -> Terms:
        return Terms(_PLANS.pick(draw), "year" if draw.random() < _BY_THE_YEAR else "month")

    def _started(self, terms: Terms, at: datetime) -> SubscriptionStarted:
        return SubscriptionStarted(**self._facts(SubscriptionStarted, at), **self._paid(terms))

    def _changed(self, terms: Terms, at: datetime) -> SubscriptionChanged:
        return SubscriptionChanged(**self._facts(SubscriptionChanged, at), **self._paid(terms))

    def _cancelled(self, at: datetime, draw: Random) -> SubscriptionCancelled:
        ahead = up_to_days(draw, _AHEAD_DAYS) if draw.random() < _TOLD_AHEAD else 0
        return SubscriptionCancelled(
            **self._facts(SubscriptionCancelled, at - timedelta(milliseconds=ahead)),
            effective_at=at if ahead else None,
            reason=_REASONS.pick(draw),
        )

    def _paid(self, terms: Terms) -> dict[str, Any]:
        return {
            "plan": PLANS[terms.plan].name,
            "interval": terms.interval,
            "amount_minor": terms.amount_minor,
            "currency": self._subscriber.currency,
        }

    def _facts(self, event: type[SubscriptionEvent], at: datetime) -> dict[str, Any]:
        self._told += 1
        return {
            "event_id": event_id(self._subscriber.tenant_id, self._id, event.detail_type(), str(self._told)),
            "correlation_id": self._id,
            "occurred_at": at,
            "tenant_id": self._subscriber.tenant_id,
            "subscription_id": self._id,
            "customer_id": self._subscriber.customer_id,
        }

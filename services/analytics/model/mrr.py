"""What a customer's subscriptions are worth, and how that moves from month to month.

A function of the set of events. Everything is counted by the year and in exact decimals, because a twelfth
of most amounts is not a decimal number.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Context, Decimal, Inexact, localcontext
from operator import itemgetter
from typing import Final, NamedTuple

from services.analytics.db.tables import CustomerRows, MovementRow, PeriodRow, SubscriptionRow
from services.shared.events import (
    SubscriptionCancelled,
    SubscriptionChanged,
    SubscriptionEvent,
    SubscriptionStarted,
    SubscriptionTerms,
)

_IN_A_YEAR: Final = {"month": 12, "year": 1}
_RANK: Final = {SubscriptionStarted: 0, SubscriptionChanged: 1, SubscriptionCancelled: 2}
_NOTHING: Final = Decimal(0)

EXACT: Final = Context(prec=120, traps=[Inexact])
"""More digits than any product or sum of amounts and rates has; a result that has more yet is an error."""


class NoExchangeRateError(Exception):
    """Terms are in a currency of which nobody has said what it was worth on their day."""


class Needed(NamedTuple):
    """A currency, and a day on which its worth matters."""

    currency: str
    day: date


@dataclass(frozen=True, slots=True)
class Rates:
    """What one unit of each currency is worth in the tenant's own, from some day on."""

    reporting_currency: str
    since: Mapping[str, Sequence[tuple[date, Decimal]]] = field(default_factory=dict)
    """By currency, the days from which rates hold, ascending."""

    def on(self, needed: Needed) -> Decimal:
        if needed.currency == self.reporting_currency:
            return Decimal(1)
        rates = self.since.get(needed.currency, ())
        place = bisect_right(rates, needed.day, key=itemgetter(0))
        if place == 0:
            raise NoExchangeRateError(
                f"what is {needed.currency} worth in {self.reporting_currency} on {needed.day}?"
            )
        return rates[place - 1][1]


def needed(events: Iterable[SubscriptionEvent]) -> set[Needed]:
    """Collect what has to be known about currencies before the events can be folded."""
    return {
        Needed(event.currency, event.effective.date())
        for event in events
        if isinstance(event, SubscriptionTerms)
    }


def customer_rows(events: Sequence[SubscriptionEvent], rates: Rates) -> CustomerRows:
    """Fold all the events of one customer's subscriptions; NoExchangeRateError when a rate is missing."""
    by_id: defaultdict[str, list[SubscriptionEvent]] = defaultdict(list)
    for event in events:
        by_id[event.subscription_id].append(event)
    subscriptions: list[SubscriptionRow] = []
    periods: list[PeriodRow] = []
    with localcontext(EXACT):
        for subscription_id in sorted(by_id):
            life = _Life(by_id[subscription_id])
            periods.extend(_period(run, rates) for run in life.runs())
            if row := life.row():
                subscriptions.append(row)
        return CustomerRows(tuple(subscriptions), tuple(periods), _movements(periods))


def _movements(periods: Sequence[PeriodRow]) -> tuple[MovementRow, ...]:
    """Compare what a customer's subscriptions are worth at the end of each month with the month before."""
    # Terms hold at the end of a month if they began in it or before, and end in a later one: so they count
    # from the month in which they begin up to, and without, that in which they end.
    changes: defaultdict[date, Decimal] = defaultdict(Decimal)
    for period in periods:
        changes[month_of(period.starts_at)] += period.annual_minor
        if period.ends_at is not None:
            changes[month_of(period.ends_at)] -= period.annual_minor
    found: list[MovementRow] = []
    worth = _NOTHING
    for month in sorted(changes):
        change = changes[month]
        if change:
            movement = _movement(worth, worth + change, known=bool(found))
            of = periods[0]
            found.append(MovementRow(of.tenant_id, of.customer_id, month, movement, abs(change).normalize()))
            worth += change
    return tuple(found)


def month_of(moment: datetime) -> date:
    """Name a month by its first day."""
    return date(moment.year, moment.month, 1)


def _movement(before: Decimal, after: Decimal, *, known: bool) -> str:
    if not before:
        return "reactivation" if known else "new"
    if not after:
        return "churn"
    return "expansion" if after > before else "contraction"


class _Run(NamedTuple):
    """Terms that held for some time, and when they ended."""

    terms: SubscriptionTerms
    ends_at: datetime | None


def _in_effect(event: SubscriptionEvent) -> tuple[datetime, datetime, int, str]:
    return event.effective, event.occurred_at, _RANK[type(event)], event.event_id


class _Life:
    """One subscription, told from its first event to its last."""

    def __init__(self, events: Iterable[SubscriptionEvent]) -> None:
        self._over: list[_Run] = []
        self._terms: SubscriptionTerms | None = None
        self._unheeded: SubscriptionTerms | None = None
        self._started_at: datetime | None = None
        self._ended: SubscriptionCancelled | None = None
        self._version = 0
        for event in sorted(events, key=_in_effect):
            self._version += 1
            self._hear(event)

    def runs(self) -> list[_Run]:
        if self._terms and not self._ended:
            return [*self._over, _Run(self._terms, None)]
        return self._over

    def _hear(self, event: SubscriptionEvent) -> None:
        # What was agreed on for after the end does not bring back what was cancelled; a start does.
        if self._ended and not isinstance(event, SubscriptionStarted):
            if isinstance(event, SubscriptionTerms):
                self._unheeded = event
            return
        if self._terms and not self._ended and self._terms.effective < event.effective:
            self._over.append(_Run(self._terms, event.effective))
        if isinstance(event, SubscriptionTerms):
            if self._terms is None or self._ended:
                self._started_at = event.effective
            self._terms, self._ended = event, None
        elif isinstance(event, SubscriptionCancelled):
            self._ended = event

    def row(self) -> SubscriptionRow | None:
        """Tell of it as it is now; nothing, as long as no terms were heard of."""
        # A row, once made, stays, whatever is heard later: so even terms that never held make one.
        terms = self._terms or self._unheeded
        if terms is None:
            return None
        return SubscriptionRow(
            tenant_id=terms.tenant_id,
            customer_id=terms.customer_id,
            subscription_id=terms.subscription_id,
            plan=terms.plan,
            billing_interval=terms.interval,
            amount_minor=terms.amount_minor,
            currency=terms.currency,
            started_at=self._started_at or terms.effective,
            ended_at=self._ended.effective if self._ended else None,
            reason=self._ended.reason if self._ended else None,
            version=self._version,
        )


def _period(run: _Run, rates: Rates) -> PeriodRow:
    terms = run.terms
    rate = rates.on(Needed(terms.currency, terms.effective.date()))
    annual = terms.amount_minor * _IN_A_YEAR[terms.interval] * rate
    return PeriodRow(
        tenant_id=terms.tenant_id,
        customer_id=terms.customer_id,
        subscription_id=terms.subscription_id,
        starts_at=terms.effective,
        ends_at=run.ends_at,
        plan=terms.plan,
        billing_interval=terms.interval,
        amount_minor=terms.amount_minor,
        currency=terms.currency,
        annual_minor=annual.normalize(),
    )

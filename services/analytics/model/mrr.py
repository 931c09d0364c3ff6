"""The recurring revenue of a customer, and how it moves from month to month.

A function of the set of events. Amounts are per year and exact decimals, because a twelfth of most amounts
is not a decimal number.
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

_INTERVALS_PER_YEAR: Final = {"month": 12, "year": 1}
_RANK: Final = {SubscriptionStarted: 0, SubscriptionChanged: 1, SubscriptionCancelled: 2}
_NOTHING: Final = Decimal(0)

EXACT: Final = Context(prec=120, traps=[Inexact])
"""More digits than any product or sum of amounts and rates has; an inexact result is an error."""


class NoExchangeRateError(Exception):
    """No exchange rate for the subscription's effective date."""


class RateKey(NamedTuple):
    """A currency, and a day for which its rate is required."""

    currency: str
    day: date


@dataclass(frozen=True, slots=True)
class Rates:
    """Exchange rates from each currency to the tenant's reporting currency."""

    reporting_currency: str
    since: Mapping[str, Sequence[tuple[date, Decimal]]] = field(default_factory=dict)
    """By currency, the days from which rates hold, ascending."""

    def on(self, key: RateKey) -> Decimal:
        if key.currency == self.reporting_currency:
            return Decimal(1)
        rates = self.since.get(key.currency, ())
        index = bisect_right(rates, key.day, key=itemgetter(0))
        if index == 0:
            raise NoExchangeRateError(
                f"no exchange rate from {key.currency} to {self.reporting_currency} for {key.day}; "
                "add one with `pulsequeue db rate`"
            )
        return rates[index - 1][1]


def rate_keys(events: Iterable[SubscriptionEvent]) -> set[RateKey]:
    """Return the exchange rates required to fold the events."""
    return {
        RateKey(event.currency, event.effective.date())
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
            subscription = _Subscription(by_id[subscription_id])
            periods.extend(_period(run, rates) for run in subscription.runs())
            if row := subscription.row():
                subscriptions.append(row)
        return CustomerRows(tuple(subscriptions), tuple(periods), _movements(periods))


def _movements(periods: Sequence[PeriodRow]) -> tuple[MovementRow, ...]:
    """Compare the customer's recurring revenue at the end of each month with the month before."""
    # Terms hold at the end of a month if they began in it or before, and end in a later one: so they count
    # from the month in which they begin up to, and without, that in which they end.
    changes: defaultdict[date, Decimal] = defaultdict(Decimal)
    for period in periods:
        changes[month_of(period.starts_at)] += period.annual_minor
        if period.ends_at is not None:
            changes[month_of(period.ends_at)] -= period.annual_minor
    found: list[MovementRow] = []
    revenue = _NOTHING
    for month in sorted(changes):
        change = changes[month]
        if change:
            movement = _movement(revenue, revenue + change, known=bool(found))
            of = periods[0]
            found.append(MovementRow(of.tenant_id, of.customer_id, month, movement, abs(change).normalize()))
            revenue += change
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


class _Subscription:
    """The state of one subscription after all of its events."""

    def __init__(self, events: Iterable[SubscriptionEvent]) -> None:
        self._past_runs: list[_Run] = []
        self._terms: SubscriptionTerms | None = None
        self._ignored_terms: SubscriptionTerms | None = None
        self._started_at: datetime | None = None
        self._ended: SubscriptionCancelled | None = None
        self._version = 0
        for event in sorted(events, key=_in_effect):
            self._version += 1
            self._apply(event)

    def runs(self) -> list[_Run]:
        if self._terms and not self._ended:
            return [*self._past_runs, _Run(self._terms, None)]
        return self._past_runs

    def _apply(self, event: SubscriptionEvent) -> None:
        # Changed terms do not reopen a cancelled subscription; a start does.
        if self._ended and not isinstance(event, SubscriptionStarted):
            if isinstance(event, SubscriptionTerms):
                self._ignored_terms = event
            return
        if self._terms and not self._ended and self._terms.effective < event.effective:
            self._past_runs.append(_Run(self._terms, event.effective))
        if isinstance(event, SubscriptionTerms):
            if self._terms is None or self._ended:
                self._started_at = event.effective
            self._terms, self._ended = event, None
        elif isinstance(event, SubscriptionCancelled):
            self._ended = event

    def row(self) -> SubscriptionRow | None:
        """Return its current state; None while no terms are known."""
        # A row, once written, stays, whatever arrives later; so even terms that never held make one.
        terms = self._terms or self._ignored_terms
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
    rate = rates.on(RateKey(terms.currency, terms.effective.date()))
    annual = terms.amount_minor * _INTERVALS_PER_YEAR[terms.interval] * rate
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

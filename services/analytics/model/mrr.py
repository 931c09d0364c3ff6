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
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Final, NamedTuple

from services.analytics.db.tables import CustomerRows, MovementRow, PeriodRow, SubscriptionRow
from services.shared.events import (
    SubscriptionCancelled,
    SubscriptionChanged,
    SubscriptionEvent,
    SubscriptionStarted,
    SubscriptionTerms,
)

_INTERVALS_PER_YEAR: Final = {"week": 52, "month": 12, "quarter": 4, "year": 1}
_RANK: Final = {SubscriptionStarted: 0, SubscriptionChanged: 1, SubscriptionCancelled: 2}
_NOTHING: Final = Decimal(0)
_effective: Final = attrgetter("effective")
EXCHANGE: Final = "exchange"
"""The movement of a month in which nothing but exchange rates changed what a customer pays."""

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
    by_month: list[dict[date, _Worth]] = []
    with localcontext(EXACT):
        for subscription_id in sorted(by_id):
            subscription = _Subscription(by_id[subscription_id])
            runs = subscription.runs()
            periods.extend(_period(run, rates) for run in runs)
            by_month.append(_worth_by_month(runs, rates))
            if row := subscription.row():
                subscriptions.append(row)
        movements = _movements(periods[0], by_month) if periods else ()
        return CustomerRows(tuple(subscriptions), tuple(periods), movements)


class _Worth(NamedTuple):
    """What a subscription costs per year in its own currency, and the exchange rate of its terms."""

    own: int
    currency: str
    rate: Decimal


_ENDED: Final = _Worth(0, "", _NOTHING)


def _worth_by_month(runs: Iterable["_Run"], rates: Rates) -> dict[date, _Worth]:
    """Return what a subscription is worth at the end of each month in which that may change."""
    # Terms hold at the end of a month if they began in it or before, and end in a later one: so they count
    # from the month in which they begin up to, and without, that in which they end.
    by_month: dict[date, _Worth] = {}
    for run in runs:
        by_month[month_of(run.terms.effective)] = _Worth(
            _own_minor(run.terms), run.terms.currency, rates.on(run.rate_key)
        )
        if run.ends_at is not None:
            by_month[month_of(run.ends_at)] = _ENDED
    return by_month


def _movements(of: PeriodRow, by_month: Sequence[Mapping[date, _Worth]]) -> tuple[MovementRow, ...]:
    """Compare the customer's recurring revenue at the end of each month with the month before."""
    worth = [_ENDED] * len(by_month)
    found: list[MovementRow] = []
    revenue = _NOTHING
    for month in sorted({month for months in by_month for month in months}):
        price = exchange = _NOTHING
        for index, months in enumerate(by_month):
            after = months.get(month, worth[index])
            price_change, exchange_change = _change(worth[index], after)
            price, exchange = price + price_change, exchange + exchange_change
            worth[index] = after
        if movement := _movement(revenue, price, exchange, known=bool(found)):
            found.append(
                MovementRow(
                    of.tenant_id,
                    of.customer_id,
                    month,
                    movement,
                    abs(price).normalize(),
                    exchange.normalize(),
                )
            )
        revenue += price + exchange
    return tuple(found)


def _change(before: _Worth, after: _Worth) -> tuple[Decimal, Decimal]:
    """Split a change in the reporting currency: by the price in the subscription's currency, by the rate."""
    if before.own and after.own and before.currency == after.currency:
        return (after.own - before.own) * after.rate, before.own * (after.rate - before.rate)
    return after.own * after.rate - before.own * before.rate, _NOTHING


def month_of(moment: datetime) -> date:
    """Name a month by its first day."""
    return date(moment.year, moment.month, 1)


def _movement(before: Decimal, price: Decimal, exchange: Decimal, *, known: bool) -> str | None:
    if not price:
        return EXCHANGE if exchange else None
    if not before:
        return "reactivation" if known else "new"
    if not before + price + exchange:
        return "churn"
    return "expansion" if price > 0 else "contraction"


class _Run(NamedTuple):
    """Terms that held for some time, when they ended, and the day of their exchange rate."""

    terms: SubscriptionTerms
    ends_at: datetime | None
    rate_day: date

    @property
    def rate_key(self) -> RateKey:
        return RateKey(self.terms.currency, self.rate_day)


def _price(terms: SubscriptionTerms) -> tuple[int, str, str]:
    return terms.amount_minor, terms.interval, terms.currency


def _own_minor(terms: SubscriptionTerms) -> int:
    return terms.amount_minor * _INTERVALS_PER_YEAR[terms.interval]


def _in_order(event: SubscriptionEvent) -> tuple[datetime, int, str]:
    return event.occurred_at, _RANK[type(event)], event.event_id


def _ends_first(event: SubscriptionEvent) -> tuple[bool, datetime, int, str]:
    return not isinstance(event, SubscriptionCancelled), *_in_order(event)


class _Subscription:
    """The state of one subscription after all of its events."""

    def __init__(self, events: Iterable[SubscriptionEvent]) -> None:
        self._past_runs: list[_Run] = []
        self._terms: SubscriptionTerms | None = None
        self._ignored_terms: SubscriptionTerms | None = None
        self._started_at: datetime | None = None
        self._ended: SubscriptionCancelled | None = None
        self._version = 0
        for _, at_once in groupby(sorted(events, key=_effective), key=_effective):
            # An end ends what ran before that instant: a renewal is an end and a start. Where nothing ran,
            # an end can only be that of the start.
            for event in sorted(at_once, key=_ends_first if self._running else _in_order):
                self._version += 1
                self._apply(event)

    @property
    def _running(self) -> bool:
        return self._terms is not None and self._ended is None

    def runs(self) -> list[_Run]:
        """Return the terms that held, in order."""
        if self._terms and not self._ended:
            return [*self._past_runs, self._run(self._terms, None)]
        return self._past_runs

    def _run(self, terms: SubscriptionTerms, ends_at: datetime | None) -> _Run:
        last = self._past_runs[-1] if self._past_runs else None
        # Where nothing but the plan's name changes, and without a gap, the exchange rate stays as well.
        continues = last and last.ends_at == terms.effective and _price(last.terms) == _price(terms)
        return _Run(terms, ends_at, last.rate_day if last and continues else terms.effective.date())

    def _apply(self, event: SubscriptionEvent) -> None:
        # Changed terms do not reopen a cancelled subscription; a start does.
        if self._ended and not isinstance(event, SubscriptionStarted):
            if isinstance(event, SubscriptionTerms):
                self._ignored_terms = event
            return
        if self._terms and not self._ended and self._terms.effective < event.effective:
            self._past_runs.append(self._run(self._terms, event.effective))
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
    annual = _own_minor(terms) * rates.on(run.rate_key)
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

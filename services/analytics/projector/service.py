"""Turns events into the rows and sums that questions are answered from, a batch in one transaction.

Rows are a function of the set of events heard, and a rollup is moved by what its rows say now less what they
said before. So nothing depends on when, how often or in what order events come.

No two transactions can wait for each other: all of them take, in this order, the rows of tenants, the
locks of the subjects, the locks of the customers, the rows of each rollup and the checkpoints, each of these
sorted. What else is written belongs to a subject, and so to whoever holds its lock.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, cast

from services.analytics.db.database import Connection, Database
from services.analytics.db.tables import (
    FULFILLMENT,
    MRR_MOVEMENTS,
    ORDER_ITEMS,
    ORDERS,
    PAYMENTS,
    PRODUCTS,
    ROLLUPS,
    SUBSCRIPTION_PERIODS,
    SUBSCRIPTIONS,
    MovementRow,
    PeriodRow,
    ProductRow,
)
from services.analytics.model.mrr import Needed, NoExchangeRateError, Rates, customer_rows, needed
from services.analytics.model.orders import Subject, order_rows, product_row
from services.analytics.projector import event_inbox, row_writer
from services.analytics.projector.event_inbox import Heard
from services.analytics.projector.row_diff import Changes, Customer
from services.shared.events import Event, InventoryAdjusted, SubscriptionEvent
from services.shared.log_events import LogEvent
from services.shared.messages import Delivery
from services.shared.telemetry import Telemetry

if TYPE_CHECKING:
    from decimal import Decimal

_ROWS: Final = (
    ORDERS,
    ORDER_ITEMS,
    PAYMENTS,
    FULFILLMENT,
    PRODUCTS,
    SUBSCRIPTIONS,
    SUBSCRIPTION_PERIODS,
    MRR_MOVEMENTS,
)

_NEVER_ASKED: Final = Rates(reporting_currency="")
"""What those need to know who are told of cancellations alone."""

Everything = Mapping[Subject, Mapping[Heard, Event]]
New = Mapping[Heard, datetime]


class Projector:
    def __init__(self, database: Database, telemetry: Telemetry) -> None:
        self._database = database
        self._telemetry = telemetry

    def handle(self, deliveries: Sequence[Delivery]) -> Collection[str]:
        """Project a batch; returns the messages that must come again."""
        told: dict[Heard, Event] = {}
        for delivery in deliveries:
            told.setdefault(event_inbox.heard(delivery.event), delivery.event)
        if not told:
            return ()
        with self._database.transaction() as session:
            event_inbox.welcome(session, {one.tenant_id for one in told})
            refused = _without_rate(session, told)
            new = _project(session, {one: event for one, event in told.items() if one not in refused})
        self._telemetry.info(
            LogEvent.EVENTS_PROJECTED, events=len(deliveries), new=len(new), refused=len(refused)
        )
        if not refused:
            return ()
        for one, why in refused.items():
            self._telemetry.warning(
                LogEvent.SUBSCRIPTION_REFUSED,
                reason="no_exchange_rate",
                why=why,
                tenant_id=one.tenant_id,
                event_id=one.event_id,
            )
        return {it.message_id for it in deliveries if event_inbox.heard(it.event) in refused}


def _project(session: Connection, told: Mapping[Heard, Event]) -> New:
    if not told:
        return {}
    event_inbox.lock(session, {one.about for one in told})
    new = event_inbox.take_in(session, told)
    if not new:
        return new
    everything = event_inbox.everything_about(session, {one.about for one in new if one.kind != "sku"})
    changes = Changes()
    for subject, events in everything.items():
        if subject.kind == "order":
            before = [event for one, event in events.items() if one not in new]
            changes.order(order_rows(before) if before else None, order_rows(list(events.values())))
    _subscriptions(session, everything, changes)
    changes.put[PRODUCTS].extend(_newest_of_each(told, new))
    _cohorts(session, changes)
    for table in _ROWS:
        row_writer.remove(session, table, changes.removed[table])
        row_writer.put(session, table, changes.put[table])
    for rollup in ROLLUPS:
        row_writer.add(session, rollup, changes.totals.of(rollup))
    event_inbox.note_progress(session, new)
    return new


def _without_rate(session: Connection, told: Mapping[Heard, Event]) -> dict[Heard, str]:
    """Find the terms in currencies whose worth nobody has said; nothing can be counted by them."""
    by_event = {one: needed([event]) for one, event in told.items() if isinstance(event, SubscriptionEvent)}
    rates = _rates(session, by_event.items())
    refused: dict[Heard, str] = {}
    for one, wanted in by_event.items():
        try:
            for each in wanted:
                rates[one.tenant_id].on(each)
        except NoExchangeRateError as error:
            refused[one] = str(error)
    return refused


def _subscriptions(session: Connection, everything: Everything, changes: Changes) -> None:
    customers = {
        subject: [cast("SubscriptionEvent", event) for event in events.values()]
        for subject, events in everything.items()
        if subject.kind == "subscription"
    }
    if not customers:
        return
    rates = _rates(session, [(subject, needed(events)) for subject, events in customers.items()])
    keys = [(subject.tenant_id, subject.id) for subject in customers]
    periods: defaultdict[Customer, list[PeriodRow]] = defaultdict(list)
    for row in row_writer.stored(session, SUBSCRIPTION_PERIODS, keys):
        periods[row[0], row[1]].append(PeriodRow(*row))
    movements: defaultdict[Customer, list[MovementRow]] = defaultdict(list)
    for row in row_writer.stored(session, MRR_MOVEMENTS, keys):
        movements[row[0], row[1]].append(MovementRow(*row))
    for subject, events in customers.items():
        key = subject.tenant_id, subject.id
        after = customer_rows(events, rates.get(subject.tenant_id, _NEVER_ASKED))
        changes.subscriptions(periods[key], movements[key], after)


def _cohorts(session: Connection, changes: Changes) -> None:
    """Move customers between months, which nobody else may do meanwhile with other orders of theirs."""
    customers = changes.customers()
    if not customers:
        return
    event_inbox.lock(session, [Subject(tenant_id, "customer", it) for tenant_id, it in customers])
    before: defaultdict[Customer, defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
    for tenant_id, customer_id, month, orders in row_writer.months_with_orders(session, customers):
        before[tenant_id, customer_id][month] += orders
    changes.cohorts(before)


def _newest_of_each(told: Mapping[Heard, Event], new: New) -> Iterable[ProductRow]:
    newest: dict[Subject, ProductRow] = {}
    for one, occurred_at in new.items():
        event = told[one]
        if isinstance(event, InventoryAdjusted):
            row = product_row(event)._replace(told_at=occurred_at)
            known = newest.get(one.about)
            if known is None or (known.told_at, known.told_by) < (row.told_at, row.told_by):
                newest[one.about] = row
    return newest.values()


def _rates(session: Connection, asked: Iterable[tuple[Heard | Subject, set[Needed]]]) -> dict[str, Rates]:
    """Look up what currencies were worth to each tenant on the days that matter."""
    wanted = sorted({(one.tenant_id, *each) for one, needs in asked for each in needs})
    if not wanted:
        return {}
    rows = session.execute(
        """
        SELECT tenant_id, t.reporting_currency, currency, day,
          (SELECT rate FROM fx_rates f
           WHERE f.tenant_id = t.tenant_id AND f.currency = asked.currency AND f.valid_from <= asked.day
           ORDER BY valid_from DESC LIMIT 1)
        FROM unnest(%s::text[], %s::text[], %s::date[]) AS asked (tenant_id, currency, day)
        JOIN tenants t USING (tenant_id)
        ORDER BY tenant_id, currency, day
        """,
        [list(column) for column in zip(*wanted, strict=True)],
    )
    reporting: dict[str, str] = {}
    since: defaultdict[str, defaultdict[str, list[tuple[date, Decimal]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for tenant_id, reporting_currency, currency, day, rate in rows:
        reporting[tenant_id] = reporting_currency
        if rate is not None:
            since[tenant_id][currency].append((day, rate))
    return {tenant_id: Rates(currency, since[tenant_id]) for tenant_id, currency in reporting.items()}

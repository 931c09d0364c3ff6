"""Projects events into the rows and rollups that the API reads, a batch in one transaction.

Rows are a function of the set of events received, and a rollup moves by the difference between its rows now
and before. So nothing depends on when, how often or in what order events arrive.

Transactions cannot deadlock: all of them take, in this order, the rows of tenants, the locks of subjects, the
locks of customers, the rows of each rollup and the checkpoints, each of these sorted. Every other row belongs
to a subject, and so to the transaction that holds its lock.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, cast

from services.analytics.db.tables import (
    CUSTOMER_MONTH,
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
from services.analytics.model.mrr import NoExchangeRateError, RateKey, Rates, customer_rows, rate_keys
from services.analytics.model.orders import Subject, order_rows, product_row
from services.analytics.projector import event_inbox, row_writer
from services.analytics.projector.event_inbox import EventKey
from services.analytics.projector.row_diff import Customer, RowDiff
from services.shared.database import Connection, Database
from services.shared.events import Event, InventoryAdjusted, SubscriptionEvent
from services.shared.log_events import LogEvent
from services.shared.messages import Delivery
from services.shared.telemetry import Telemetry

if TYPE_CHECKING:
    from decimal import Decimal

    from services.analytics.model.rollups import Amounts

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

_NO_RATES: Final = Rates(reporting_currency="")
"""For tenants whose events are all cancellations, which need no rate."""

Events = Mapping[EventKey, Event]
EventsBySubject = Mapping[Subject, Events]
NewEvents = Mapping[EventKey, datetime]


class Projector:
    def __init__(self, database: Database, telemetry: Telemetry) -> None:
        self._database = database
        self._telemetry = telemetry

    def handle(self, deliveries: Sequence[Delivery]) -> Collection[str]:
        """Project a batch; return the ids of the messages to retry."""
        events: dict[EventKey, Event] = {}
        for delivery in deliveries:
            events.setdefault(event_inbox.key_of(delivery.event), delivery.event)
        if not events:
            return ()
        with self._database.transaction() as session:
            event_inbox.ensure_tenants(session, {key.tenant_id for key in events})
            refused = _without_rate(session, events)
            new = _project(session, {key: event for key, event in events.items() if key not in refused})
        self._telemetry.info(
            LogEvent.EVENTS_PROJECTED, events=len(deliveries), new=len(new), refused=len(refused)
        )
        if not refused:
            return ()
        self._log_refused(refused)
        return {
            delivery.message_id for delivery in deliveries if event_inbox.key_of(delivery.event) in refused
        }

    def _log_refused(self, refused: Mapping[EventKey, str]) -> None:
        for key, why in refused.items():
            self._telemetry.warning(
                LogEvent.SUBSCRIPTION_REFUSED,
                reason="no_exchange_rate",
                why=why,
                tenant_id=key.tenant_id,
                event_id=key.event_id,
            )


def refold_customers(session: Connection, customers: Collection[Subject]) -> None:
    """Derive the rows of these customers' subscriptions again, after a change of exchange rates."""
    event_inbox.lock(session, customers)
    diff = RowDiff()
    _diff_subscriptions(session, event_inbox.load_events(session, customers), diff)
    _write(session, diff)


def project_imported(session: Connection, events: Sequence[Event]) -> int:
    """Project events made of a file, all or none; return how many are new."""
    by_key = {event_inbox.key_of(event): event for event in events}
    event_inbox.ensure_tenants(session, {key.tenant_id for key in by_key})
    if refused := _without_rate(session, by_key):
        raise NoExchangeRateError(next(iter(refused.values())))
    return len(_project(session, by_key))


def forget(session: Connection, events: Sequence[Event]) -> None:
    """Remove events made of a file, and leave the rows as if they had never been there."""
    gone = {event_inbox.key_of(event) for event in events}
    subjects = {key.subject_key for key in gone}
    event_inbox.lock(session, subjects)
    by_subject = event_inbox.load_events(session, subjects)
    known = {key for stored in by_subject.values() for key in stored} & gone
    if not known:
        return
    event_inbox.delete(session, known)
    diff = RowDiff()
    left: dict[Subject, Events] = {}
    for subject, stored in by_subject.items():
        left[subject] = {key: event for key, event in stored.items() if key not in gone}
        if subject.kind == "order" and len(left[subject]) < len(stored):
            rest = list(left[subject].values())
            diff.undo_order(order_rows(list(stored.values())), order_rows(rest) if rest else None)
    customers = [(subject.tenant_id, subject.id) for subject in subjects if subject.kind == "subscription"]
    # A row never gives way to one made from fewer events.
    diff.removed[SUBSCRIPTIONS].extend(
        row[: SUBSCRIPTIONS.key_size] for row in row_writer.stored(session, SUBSCRIPTIONS, customers)
    )
    _diff_subscriptions(session, left, diff)
    _diff_cohorts(session, diff)
    _write(session, diff)
    event_inbox.lower_checkpoints(session, known)


def _project(session: Connection, events: Events) -> NewEvents:
    if not events:
        return {}
    event_inbox.lock(session, {key.subject_key for key in events})
    new = event_inbox.insert_new(session, events)
    if not new:
        return new
    by_subject = event_inbox.load_events(session, {key.subject_key for key in new if key.kind != "sku"})
    diff = RowDiff()
    _diff_orders(by_subject, new, diff)
    _diff_subscriptions(session, by_subject, diff)
    diff.put[PRODUCTS].extend(_newest_products(events, new))
    _diff_cohorts(session, diff)
    _write(session, diff)
    event_inbox.update_checkpoints(session, new)
    return new


def _write(session: Connection, diff: RowDiff) -> None:
    for table in _ROWS:
        row_writer.remove(session, table, diff.removed[table])
        row_writer.put(session, table, diff.put[table])
    for rollup in ROLLUPS:
        row_writer.add(session, rollup, diff.totals.of(rollup))


def _without_rate(session: Connection, events: Events) -> dict[EventKey, str]:
    """Find the subscription terms in a currency without an exchange rate, each with the reason."""
    by_event = {
        key: rate_keys([event]) for key, event in events.items() if isinstance(event, SubscriptionEvent)
    }
    rates = _rates(session, by_event.items())
    refused: dict[EventKey, str] = {}
    for key, required in by_event.items():
        try:
            for rate_key in required:
                rates[key.tenant_id].on(rate_key)
        except NoExchangeRateError as error:
            refused[key] = str(error)
    return refused


def _diff_orders(by_subject: EventsBySubject, new: NewEvents, diff: RowDiff) -> None:
    for subject, events in by_subject.items():
        if subject.kind == "order":
            before = [event for key, event in events.items() if key not in new]
            diff.order(order_rows(before) if before else None, order_rows(list(events.values())))


def _diff_subscriptions(session: Connection, by_subject: EventsBySubject, diff: RowDiff) -> None:
    customers = {
        subject: [cast("SubscriptionEvent", event) for event in events.values()]
        for subject, events in by_subject.items()
        if subject.kind == "subscription"
    }
    if not customers:
        return
    rates = _rates(session, [(subject, rate_keys(events)) for subject, events in customers.items()])
    keys = [(subject.tenant_id, subject.id) for subject in customers]
    periods: defaultdict[Customer, list[PeriodRow]] = defaultdict(list)
    for row in row_writer.stored(session, SUBSCRIPTION_PERIODS, keys):
        periods[row[0], row[1]].append(PeriodRow(*row))
    movements: defaultdict[Customer, list[MovementRow]] = defaultdict(list)
    for row in row_writer.stored(session, MRR_MOVEMENTS, keys):
        movements[row[0], row[1]].append(MovementRow(*row))
    for subject, events in customers.items():
        key = subject.tenant_id, subject.id
        after = customer_rows(events, rates.get(subject.tenant_id, _NO_RATES))
        diff.subscriptions(periods[key], movements[key], after)


def _diff_cohorts(session: Connection, diff: RowDiff) -> None:
    """Move customers between cohorts; their locks keep out transactions with other orders of theirs."""
    customers = diff.customers()
    if not customers:
        return
    event_inbox.lock(
        session, [Subject(tenant_id, "customer", customer_id) for tenant_id, customer_id in customers]
    )
    before: defaultdict[Customer, dict[tuple[date, str], Amounts]] = defaultdict(dict)
    for tenant_id, customer_id, month, currency, *amounts in row_writer.stored(
        session, CUSTOMER_MONTH, customers
    ):
        before[tenant_id, customer_id][month, currency] = tuple(amounts)
    diff.cohorts(before)


def _newest_products(events: Events, new: NewEvents) -> Iterable[ProductRow]:
    newest: dict[Subject, ProductRow] = {}
    for key, occurred_at in new.items():
        event = events[key]
        if isinstance(event, InventoryAdjusted):
            row = product_row(event)._replace(adjusted_at=occurred_at)
            known = newest.get(key.subject_key)
            if known is None or _adjusted(known) < _adjusted(row):
                newest[key.subject_key] = row
    return newest.values()


def _adjusted(row: ProductRow) -> tuple[datetime, str]:
    return row.adjusted_at, row.adjusted_by


def _rates(
    session: Connection, required: Iterable[tuple[EventKey | Subject, set[RateKey]]]
) -> dict[str, Rates]:
    """Look up the exchange rates of each tenant for the days required."""
    keys = sorted({(owner.tenant_id, *key) for owner, rate_keys in required for key in rate_keys})
    if not keys:
        return {}
    rows = session.execute(
        """
        SELECT tenant_id, t.reporting_currency, currency, day,
          (SELECT rate FROM fx_rates f
           WHERE f.tenant_id = t.tenant_id AND f.currency = required.currency
             AND f.valid_from <= required.day
           ORDER BY valid_from DESC LIMIT 1)
        FROM unnest(%s::text[], %s::text[], %s::date[]) AS required (tenant_id, currency, day)
        JOIN tenants t USING (tenant_id)
        ORDER BY tenant_id, currency, day
        """,
        [list(column) for column in zip(*keys, strict=True)],
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

"""Copies chunks of demo data as rows, built by the projector's own functions, instead of upserting them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, cast

import psycopg
from psycopg import sql

from scripts.demo_data.generator import Chunk, DemoData
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
    Table,
)
from services.analytics.model import rollups
from services.analytics.model.mrr import Rates, customer_rows
from services.analytics.model.orders import order_rows, product_row, subject_of
from services.analytics.model.rollups import Totals
from services.shared.database import Connection
from services.shared.events import Event, InventoryAdjusted, SubscriptionEvent

INBOX: Final = ("tenant_id", "kind", "subject", "event", "event_id", "occurred_at", "detail")
ROWS: Final = (
    *(ORDERS, ORDER_ITEMS, PAYMENTS, FULFILLMENT, PRODUCTS),
    *(SUBSCRIPTIONS, SUBSCRIPTION_PERIODS, MRR_MOVEMENTS),
)
_EPOCH: Final = datetime.min.replace(tzinfo=UTC)
_GROUPS_AT_ONCE: Final = 5_000

Row = Sequence[Any]
Sums = dict[str, list[tuple[tuple[Any, ...], tuple[Any, ...]]]]
"""By rollup name: a Table from another process is not identical to ours."""


@dataclass
class LoadResult:
    """What was copied, and what it adds to the rollups, which are copied at the end."""

    events: int = 0
    orders: int = 0
    subscriptions: int = 0
    last_event_at: datetime = _EPOCH
    sums: Sums = field(default_factory=dict)


def copy_chunks(owner: str, data: DemoData, chunks: Sequence[Chunk], rates: Rates) -> LoadResult:
    """Copy the rows of these chunks in one transaction."""
    result, totals = LoadResult(), Totals()
    event_groups = data.event_groups(chunks)
    with closing(connect(owner)) as connection, connection.transaction():
        while batch := list(islice(event_groups, _GROUPS_AT_ONCE)):
            rows = _RowBatch(rates, totals)
            for events in batch:
                rows.add(events)
            result.events += len(rows.inbox)
            result.orders += len(rows.rows[ORDERS])
            result.subscriptions += len(rows.rows[SUBSCRIPTIONS])
            result.last_event_at = max(result.last_event_at, *(row[5] for row in rows.inbox))
            copy(connection, "event_inbox", INBOX, rows.inbox)
            for table in ROWS:
                copy(connection, table.name, table.columns, rows.rows[table])
    result.sums = {table.name: list(totals.of(table).items()) for table in ROLLUPS}
    return result


def connect(conninfo: str) -> Connection:
    return psycopg.connect(conninfo, autocommit=True, prepare_threshold=None)


def copy(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copied:
        for row in rows:
            copied.write_row(row)


class _RowBatch:
    """The rows of a few thousand subjects, by table."""

    def __init__(self, rates: Rates, totals: Totals) -> None:
        self._rates = rates
        self._totals = totals
        self.inbox: list[Row] = []
        self.rows: defaultdict[Table, list[Row]] = defaultdict(list)

    def add(self, events: Sequence[Event]) -> None:
        """Add all events of one subject."""
        subject = subject_of(events[0])
        self.inbox += [
            (*subject, event.detail_type(), event.event_id, event.occurred_at, event.wire())
            for event in events
        ]
        match subject.kind:
            case "order":
                self._add_order(events)
            case "subscription":
                self._add_customer(events)
            case _:
                newest = max(events, key=lambda event: (event.occurred_at, event.event_id))
                self.rows[PRODUCTS].append(product_row(cast("InventoryAdjusted", newest)))

    def _add_order(self, events: Sequence[Event]) -> None:
        projected = order_rows(events)
        self._totals.add(rollups.of_order(projected))
        self.rows[ORDERS].append(projected.order)
        self.rows[ORDER_ITEMS] += projected.items
        if projected.payment:
            self.rows[PAYMENTS].append(projected.payment)
        if projected.fulfillment:
            self.rows[FULFILLMENT].append(projected.fulfillment)

    def _add_customer(self, events: Sequence[Event]) -> None:
        projected = customer_rows(cast("Sequence[SubscriptionEvent]", events), self._rates)
        self._totals.add(rollups.of_customer(projected))
        self.rows[SUBSCRIPTIONS] += projected.subscriptions
        self.rows[SUBSCRIPTION_PERIODS] += projected.periods
        self.rows[MRR_MOVEMENTS] += projected.movements

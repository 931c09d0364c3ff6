"""Part of a past as rows: folded by what the projector folds with, copied in instead of upserted."""

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
from services.analytics.db.database import Connection
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
from services.shared.events import Event, InventoryAdjusted, SubscriptionEvent

INBOX: Final = ("tenant_id", "kind", "subject", "event", "event_id", "occurred_at", "detail")
ROWS: Final = (
    *(ORDERS, ORDER_ITEMS, PAYMENTS, FULFILLMENT, PRODUCTS),
    *(SUBSCRIPTIONS, SUBSCRIPTION_PERIODS, MRR_MOVEMENTS),
)
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_STORIES_AT_ONCE: Final = 5_000

Row = Sequence[Any]
Sums = dict[str, list[tuple[tuple[Any, ...], tuple[Any, ...]]]]
"""By the names of rollups: a Table that comes from another process is not the one that is known here."""


@dataclass
class LoadResult:
    """What was copied in, and what it adds to the rollups, which are copied when everything is added up."""

    events: int = 0
    orders: int = 0
    subscriptions: int = 0
    last_event_at: datetime = _LONG_AGO
    sums: Sums = field(default_factory=dict)


def lay(owner: str, past: DemoData, chunks: Sequence[Chunk], rates: Rates) -> LoadResult:
    """Copy in what follows from these chunks, all of it or nothing."""
    laid, totals = LoadResult(), Totals()
    stories = past.stories(chunks)
    with closing(connect(owner)) as connection, connection.transaction():
        while some := list(islice(stories, _STORIES_AT_ONCE)):
            sheaf = _Sheaf(rates, totals)
            for story in some:
                sheaf.bind(story)
            laid.events += len(sheaf.inbox)
            laid.orders += len(sheaf.rows[ORDERS])
            laid.subscriptions += len(sheaf.rows[SUBSCRIPTIONS])
            laid.last_event_at = max(laid.last_event_at, *(row[5] for row in sheaf.inbox))
            copy(connection, "event_inbox", INBOX, sheaf.inbox)
            for table in ROWS:
                copy(connection, table.name, table.columns, sheaf.rows[table])
    laid.sums = {table.name: list(totals.of(table).items()) for table in ROLLUPS}
    return laid


def connect(conninfo: str) -> Connection:
    return psycopg.connect(conninfo, autocommit=True, prepare_threshold=None)


def copy(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copied:
        for row in rows:
            copied.write_row(row)


class _Sheaf:
    """Rows of a few thousand stories, table by table."""

    def __init__(self, rates: Rates, totals: Totals) -> None:
        self._rates = rates
        self._totals = totals
        self.inbox: list[Row] = []
        self.rows: defaultdict[Table, list[Row]] = defaultdict(list)

    def bind(self, story: Sequence[Event]) -> None:
        """Add all that was ever told of one subject."""
        subject = subject_of(story[0])
        self.inbox += [
            (*subject, event.detail_type(), event.event_id, event.occurred_at, event.wire())
            for event in story
        ]
        match subject.kind:
            case "order":
                self._bind_order(story)
            case "subscription":
                self._bind_customer(story)
            case _:
                newest = max(story, key=lambda event: (event.occurred_at, event.event_id))
                self.rows[PRODUCTS].append(product_row(cast("InventoryAdjusted", newest)))

    def _bind_order(self, story: Sequence[Event]) -> None:
        known = order_rows(story)
        self._totals.add(rollups.of_order(known))
        self.rows[ORDERS].append(known.order)
        self.rows[ORDER_ITEMS] += known.items
        if known.payment:
            self.rows[PAYMENTS].append(known.payment)
        if known.fulfillment:
            self.rows[FULFILLMENT].append(known.fulfillment)

    def _bind_customer(self, story: Sequence[Event]) -> None:
        known = customer_rows(cast("Sequence[SubscriptionEvent]", story), self._rates)
        self._totals.add(rollups.of_customer(known))
        self.rows[SUBSCRIPTIONS] += known.subscriptions
        self.rows[SUBSCRIPTION_PERIODS] += known.periods
        self.rows[MRR_MOVEMENTS] += known.movements

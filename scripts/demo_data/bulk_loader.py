"""Lays down a past of millions of events in minutes, where there is none yet.

The projector takes events as they come, in any order, and has every row and every sum right after each batch.
Here everything about a subject is known at once: its rows are made once, and copied; sums are added up in
memory, and copied at the end. Both use the same functions, and so come to the same rows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from datetime import date
from multiprocessing import get_context
from typing import Final, LiteralString

from psycopg import sql

from scripts.common.errors import ToolError
from scripts.demo_data.catalog import HOME_CURRENCY
from scripts.demo_data.generator import Chunk, DemoData
from scripts.demo_data.row_copier import ROWS, LoadResult, connect, copy, lay
from services.analytics.db.database import Connection
from services.analytics.db.tables import CUSTOMER_MONTH, ROLLUPS
from services.analytics.model import rollups
from services.analytics.model.mrr import Rates
from services.analytics.model.rollups import Contribution, Totals

_CHUNKS_AT_ONCE: Final = 25
_FILLED: Final = ("event_inbox", *(table.name for table in (*ROWS, *ROLLUPS)))

Progress = Callable[[str], None]


def load(past: DemoData, owner: str, *, workers: int, progress: Progress) -> LoadResult:
    """Lay down a past; nobody else may write to the database meanwhile.

    The tables' owner signs in. A load that breaks off leaves a part behind, and has to be cleared away.
    """
    with closing(connect(owner)) as connection:
        _refuse_a_second_past(connection, past.tenant)
        with connection.transaction():
            rates = prepare(connection, past)
        with _copyable(connection):
            laid, totals = _lay_all(past, owner, rates, workers, progress)
            with connection.transaction():
                _finish(connection, past.tenant, laid, totals)
        progress("gathering statistics")
        for table in _FILLED:
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
    return laid


def prepare(owner: Connection, past: DemoData) -> Rates:
    """Make the tenant, and say what the other currency was worth."""
    owner.execute("INSERT INTO tenants (tenant_id) VALUES (%s) ON CONFLICT DO NOTHING", [past.tenant])
    told_in = owner.execute(
        "SELECT reporting_currency FROM tenants WHERE tenant_id = %s", [past.tenant]
    ).fetchone()
    if told_in != (HOME_CURRENCY,):
        raise ToolError(f"tenant {past.tenant!r} does not report in {HOME_CURRENCY}; choose another tenant.")
    with owner.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO fx_rates (tenant_id, currency, valid_from, rate) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [(rate.tenant_id, rate.currency, rate.valid_from, rate.rate) for rate in past.rates()],
        )
    known = owner.execute(
        "SELECT currency, valid_from, rate FROM fx_rates WHERE tenant_id = %s ORDER BY currency, valid_from",
        [past.tenant],
    ).fetchall()
    since = defaultdict(list)
    for currency, valid_from, rate in known:
        since[currency].append((valid_from, rate))
    return Rates(HOME_CURRENCY, since)


def _refuse_a_second_past(owner: Connection, tenant: str) -> None:
    if owner.execute("SELECT FROM event_inbox WHERE tenant_id = %s LIMIT 1", [tenant]).fetchone() is not None:
        raise ToolError(
            f"tenant {tenant!r} has events already; in bulk a past is laid down only where there is none."
        )


@contextmanager
def _copyable(owner: Connection) -> Iterator[None]:
    """Let the owner copy: that is refused where policies hold, even those that let everything through.

    For everybody else they hold all the while.
    """
    _each(owner, "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY")
    try:
        yield
    finally:
        _each(owner, "ALTER TABLE {} FORCE ROW LEVEL SECURITY")


def _each(owner: Connection, statement: LiteralString) -> None:
    with owner.transaction():
        for table in _FILLED:
            owner.execute(sql.SQL(statement).format(sql.Identifier(table)))


def _lay_all(
    past: DemoData, owner: str, rates: Rates, workers: int, progress: Progress
) -> tuple[LoadResult, Totals]:
    everything, totals = LoadResult(), Totals()
    by_name = {table.name: table for table in ROLLUPS}
    for laid in _parts(past, owner, rates, workers):
        everything.events += laid.events
        everything.orders += laid.orders
        everything.subscriptions += laid.subscriptions
        everything.last_event_at = max(everything.last_event_at, laid.last_event_at)
        for name, sums in laid.sums.items():
            totals.add(Contribution(by_name[name], key, amounts) for key, amounts in sums)
        progress(f"{everything.orders:,} of {past.orders:,} orders, {everything.events:,} events")
    return everything, totals


def _parts(past: DemoData, owner: str, rates: Rates, workers: int) -> Iterator[LoadResult]:
    chunks = past.chunks()
    slices = [chunks[at : at + _CHUNKS_AT_ONCE] for at in range(0, len(chunks), _CHUNKS_AT_ONCE)]
    if workers == 1 or len(slices) == 1:
        yield from (lay(owner, past, some, rates) for some in slices)
        return
    # Not forked: a copy of this process would share its connection.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_Lay(owner, past, rates), slices)


class _Lay:
    """What another process is to do."""

    def __init__(self, owner: str, past: DemoData, rates: Rates) -> None:
        self._owner = owner
        self._past = past
        self._rates = rates

    def __call__(self, chunks: Sequence[Chunk]) -> LoadResult:
        return lay(self._owner, self._past, chunks, self._rates)


def _finish(owner: Connection, tenant: str, laid: LoadResult, totals: Totals) -> None:
    """Copy the rollups, and say how far the projection is."""
    totals.add(_cohorts(totals.of(CUSTOMER_MONTH)))
    for table in ROLLUPS:
        copy(owner, table.name, table.columns, totals.rows(table))
    owner.execute(
        "INSERT INTO projection_checkpoints (tenant_id, projection, events, last_event_at)"
        " VALUES (%s, 'analytics', %s, %s)",
        [tenant, laid.events, laid.last_event_at],
    )


def _cohorts(bought: Iterable[tuple[str, str, date, str]]) -> Iterator[Contribution]:
    months: defaultdict[tuple[str, str], set[date]] = defaultdict(set)
    for tenant, customer, month, _ in bought:
        months[tenant, customer].add(month)
    for (tenant, _), those in months.items():
        yield from rollups.of_months_with_orders(tenant, those)

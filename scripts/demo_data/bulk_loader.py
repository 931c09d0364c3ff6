"""Loads millions of events of demo data in minutes, for a tenant without any.

The projector takes events in any order and leaves every row and rollup correct after each batch. Here all
events of a subject are known at once: its rows are built once and copied; rollups are summed in memory and
copied at the end. Both use the same functions, and so produce the same rows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final, LiteralString

from psycopg import sql

from scripts.common.errors import ToolError
from scripts.demo_data.catalog import HOME_CURRENCY
from scripts.demo_data.generator import Chunk, DemoData
from scripts.demo_data.row_copier import ROWS, LoadResult, connect, copy, copy_chunks
from services.analytics.db.tables import CUSTOMER_MONTH, ROLLUPS
from services.analytics.model import rollups
from services.analytics.model.mrr import Rates
from services.analytics.model.rollups import Amounts, Contribution, Key, Totals
from services.shared.database import Connection

if TYPE_CHECKING:
    from datetime import date

_CHUNKS_AT_ONCE: Final = 25
_FILLED: Final = ("event_inbox", *(table.name for table in (*ROWS, *ROLLUPS)))

Progress = Callable[[str], None]


def load(data: DemoData, owner: str, *, workers: int, progress: Progress) -> LoadResult:
    """Load a data set as the tables' owner; nothing else may write to the database meanwhile.

    An interrupted load leaves part of the rows behind; `pulsequeue db rebuild` removes them.
    """
    with closing(connect(owner)) as connection:
        _refuse_existing_events(connection, data.tenant)
        with connection.transaction():
            rates = prepare(connection, data)
        with _copyable(connection):
            result, totals = _copy_all(data, owner, rates, workers, progress)
            with connection.transaction():
                _finish(connection, data.tenant, result, totals)
        progress("gathering statistics")
        for table in _FILLED:
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
    return result


def prepare(owner: Connection, data: DemoData) -> Rates:
    """Create the tenant and its exchange rates."""
    owner.execute("INSERT INTO tenants (tenant_id) VALUES (%s) ON CONFLICT DO NOTHING", [data.tenant])
    reporting_currency = owner.execute(
        "SELECT reporting_currency FROM tenants WHERE tenant_id = %s", [data.tenant]
    ).fetchone()
    if reporting_currency != (HOME_CURRENCY,):
        raise ToolError(f"tenant {data.tenant!r} does not report in {HOME_CURRENCY}; choose another tenant.")
    with owner.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO fx_rates (tenant_id, currency, valid_from, rate) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [(rate.tenant_id, rate.currency, rate.valid_from, rate.rate) for rate in data.rates()],
        )
    rows = owner.execute(
        "SELECT currency, valid_from, rate FROM fx_rates WHERE tenant_id = %s ORDER BY currency, valid_from",
        [data.tenant],
    ).fetchall()
    by_currency = defaultdict(list)
    for currency, valid_from, rate in rows:
        by_currency[currency].append((valid_from, rate))
    return Rates(HOME_CURRENCY, by_currency)


def _refuse_existing_events(owner: Connection, tenant: str) -> None:
    if owner.execute("SELECT FROM event_inbox WHERE tenant_id = %s LIMIT 1", [tenant]).fetchone() is not None:
        raise ToolError(f"tenant {tenant!r} has events already; bulk loading needs a tenant without events.")


@contextmanager
def _copyable(owner: Connection) -> Iterator[None]:
    """Lift row-level security for the owner, as COPY is refused under it; it stays on for all other roles."""
    _each(owner, "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY")
    try:
        yield
    finally:
        _each(owner, "ALTER TABLE {} FORCE ROW LEVEL SECURITY")


def _each(owner: Connection, statement: LiteralString) -> None:
    with owner.transaction():
        for table in _FILLED:
            owner.execute(sql.SQL(statement).format(sql.Identifier(table)))


def _copy_all(
    data: DemoData, owner: str, rates: Rates, workers: int, progress: Progress
) -> tuple[LoadResult, Totals]:
    total, totals = LoadResult(), Totals()
    by_name = {table.name: table for table in ROLLUPS}
    for part in _parts(data, owner, rates, workers):
        total.events += part.events
        total.orders += part.orders
        total.subscriptions += part.subscriptions
        total.last_event_at = max(total.last_event_at, part.last_event_at)
        for name, sums in part.sums.items():
            totals.add(Contribution(by_name[name], key, amounts) for key, amounts in sums)
        progress(f"{total.orders:,} of {data.orders:,} orders, {total.events:,} events")
    return total, totals


def _parts(data: DemoData, owner: str, rates: Rates, workers: int) -> Iterator[LoadResult]:
    chunks = data.chunks()
    slices = [chunks[at : at + _CHUNKS_AT_ONCE] for at in range(0, len(chunks), _CHUNKS_AT_ONCE)]
    if workers == 1 or len(slices) == 1:
        yield from (copy_chunks(owner, data, batch, rates) for batch in slices)
        return
    # Not forked: a forked process would share the connection.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_CopyTask(owner, data, rates), slices)


class _CopyTask:
    """A picklable task for a worker process."""

    def __init__(self, owner: str, data: DemoData, rates: Rates) -> None:
        self._owner = owner
        self._data = data
        self._rates = rates

    def __call__(self, chunks: Sequence[Chunk]) -> LoadResult:
        return copy_chunks(self._owner, self._data, chunks, self._rates)


def _finish(owner: Connection, tenant: str, result: LoadResult, totals: Totals) -> None:
    """Copy the rollups and the projection checkpoint."""
    totals.add(_cohorts(totals.of(CUSTOMER_MONTH)))
    for table in ROLLUPS:
        copy(owner, table.name, table.columns, totals.rows(table))
    owner.execute(
        "INSERT INTO projection_checkpoints (tenant_id, projection, events, last_event_at)"
        " VALUES (%s, 'analytics', %s, %s)",
        [tenant, result.events, result.last_event_at],
    )


def _cohorts(bought: Mapping[Key, Amounts]) -> Iterator[Contribution]:
    by_customer: defaultdict[tuple[str, str], dict[tuple[date, str], Amounts]] = defaultdict(dict)
    for (tenant, customer, month, currency), amounts in bought.items():
        by_customer[tenant, customer][month, currency] = amounts
    for (tenant, _), its in by_customer.items():
        yield from rollups.of_bought(tenant, its)

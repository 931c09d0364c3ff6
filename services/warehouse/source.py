"""PostgreSQL as the source: one snapshot, the totals of its days, and its rows as text."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from services.shared.errors import PulseQueueError
from services.warehouse.manifest import Totals
from services.warehouse.tables import Column, ColumnType, ExportedTable

NULL: Final = r"\N"
_LOCK: Final = 0x70756C7365  # "pulse": one export of a database at a time

Connection = psycopg.Connection[tuple[Any, ...]]


class ExportRunningError(PulseQueueError):
    """Another export of this database is running."""


class Snapshot:
    """The database at one moment: totals and rows of all tables fit together."""

    def __init__(self, connection: Connection, version: str) -> None:
        self._connection = connection
        self.version = version

    def totals(self, table: ExportedTable) -> Mapping[date, Totals]:
        """Return rows and sums of every day."""
        sums = [sql.SQL("sum({})").format(_number(column)) for column in table.summed]
        query = sql.SQL("SELECT {} AS day, {} FROM {} GROUP BY 1 ORDER BY 1").format(
            _day(table), sql.SQL(", ").join([sql.SQL("count(*)"), *sums]), _rows(table)
        )
        found = self._connection.execute(query).fetchall()
        return {row[0]: totals_of(table, row[1:]) for row in found}

    def copy(self, table: ExportedTable, days: Sequence[date], target: Path) -> None:
        """Write the rows of these days as CSV, the day first."""
        values = sql.SQL(", ").join([_day(table), *map(_value, table.columns)])
        query = sql.SQL(
            "COPY (SELECT {} FROM {} WHERE {}) TO STDOUT (FORMAT csv, NULL {}, FORCE_QUOTE *)"
        ).format(values, _rows(table), _within(table, days), NULL)
        with target.open("wb") as file, self._connection.cursor().copy(query) as copied:
            for block in copied:
                file.write(block)


@contextmanager
def open_snapshot(connection: Connection) -> Iterator[Snapshot]:
    """Open a read-only transaction that sees the database as it is now, and keeps other exports out."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        found = connection.execute("SELECT pg_try_advisory_xact_lock(%s), now()", [_LOCK]).fetchone()
        if found is None or not found[0]:
            raise ExportRunningError(
                "another export of this database is running; try again when it has ended."
            )
        yield Snapshot(connection, version_of(found[1]))


def version_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def totals_of(table: ExportedTable, row: Sequence[Any]) -> Totals:
    """Return the totals in a row of a count and the sums of the table's summed columns."""
    sums = zip(table.summed, row[1:], strict=True)
    return Totals(int(row[0]), {column.name: Decimal(value or 0) for column, value in sums})


def _rows(table: ExportedTable) -> sql.Composable:
    rows = sql.SQL("{} AS t").format(sql.Identifier(table.name))
    if table.with_order:
        return sql.SQL("{} JOIN orders AS o USING (tenant_id, order_id)").format(rows)
    return rows


def _moment(table: ExportedTable) -> sql.Composable:
    return sql.Identifier("o" if table.with_order else "t", table.day_of)


def _is_date(table: ExportedTable) -> bool:
    return Column(table.day_of, ColumnType.DATE) in table.columns


def _day(table: ExportedTable) -> sql.Composable:
    if _is_date(table):
        return _moment(table)
    return sql.SQL("({} AT TIME ZONE 'UTC')::date").format(_moment(table))


def _within(table: ExportedTable, days: Sequence[date]) -> sql.Composable:
    # The range can use an index; the list leaves out the days between that did not change.
    first, end = min(days), max(days) + timedelta(days=1)
    bounds = (first, end) if _is_date(table) else (_midnight(first), _midnight(end))
    return sql.SQL("{moment} >= {first} AND {moment} < {end} AND {day} = ANY({days})").format(
        moment=_moment(table), first=bounds[0], end=bounds[1], day=_day(table), days=list(days)
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _column(column: Column) -> sql.Composable:
    return sql.Identifier("t", column.name)


def _value(column: Column) -> sql.Composable:
    if column.type == ColumnType.TIMESTAMP:
        return sql.SQL("({} AT TIME ZONE 'UTC')").format(_column(column))
    return _column(column)


def _number(column: Column) -> sql.Composable:
    if column.type == ColumnType.TIMESTAMP:
        return sql.SQL("(extract(epoch FROM {}) * 1000000)::bigint").format(_column(column))
    return _column(column)

"""The SQL of the projector: one statement per table and batch, however many rows it writes."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, get_args

from psycopg import sql

from services.analytics.db.tables import COHORT_REVENUE, PRODUCTS, Table
from services.analytics.model.rollups import Amounts, Key
from services.shared.database import Connection

_TYPES: Final = {str: "text", int: "bigint", datetime: "timestamptz", date: "date", Decimal: "numeric"}


def put(session: Connection, table: Table, rows: Collection[tuple[Any, ...]]) -> None:
    """Upsert rows; a stored row that is newer, or the same, stays."""
    if rows:
        session.execute(_upsert_sql(table), _columns(rows))


def remove(session: Connection, table: Table, keys: Collection[Key]) -> None:
    if keys:
        session.execute(_delete_sql(table), _columns(keys))


def add(session: Connection, table: Table, sums: Mapping[Key, Amounts]) -> None:
    """Add to the rows of a rollup, in the order given; rows that become zero are deleted."""
    if sums:
        session.execute(_add_sql(table), _columns([key + amounts for key, amounts in sums.items()]))
    # Sums of what may be negative become zero also when something is added.
    lowered = [
        key for key, amounts in sums.items() if table is COHORT_REVENUE or any(it < 0 for it in amounts)
    ]
    if lowered:
        session.execute(_delete_zero_sql(table), _columns(lowered))


def stored(session: Connection, table: Table, parts: Collection[Key]) -> list[tuple[Any, ...]]:
    """Read the rows whose keys begin with one of these, in the order of their keys."""
    if not parts:
        return []
    width = len(next(iter(parts)))
    return session.execute(_select_sql(table, width), _columns(parts)).fetchall()


@cache
def _upsert_sql(table: Table) -> bytes:
    updates = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in table.others
    )
    guard = sql.SQL("({}) {} ({})").format(
        _names(_newer_by(table) or table.others, "t"),
        sql.SQL("<" if _newer_by(table) else "IS DISTINCT FROM"),
        _names(_newer_by(table) or table.others, "excluded"),
    )
    return (
        sql.SQL("{} ON CONFLICT ({}) DO UPDATE SET {} WHERE {}")
        .format(_insert(table), _names(table.key), updates, guard)
        .as_bytes()
    )


def _newer_by(table: Table) -> tuple[str, ...]:
    """Return the columns by which the newer of two rows is known, if the table has any."""
    if table is PRODUCTS:
        return ("told_at", "told_by")
    return ("version",) if "version" in table.columns else ()


@cache
def _add_sql(table: Table) -> bytes:
    updates = sql.SQL(", ").join(
        sql.SQL("{0} = t.{0} + excluded.{0}").format(sql.Identifier(column)) for column in table.others
    )
    return (
        sql.SQL("{} ON CONFLICT ({}) DO UPDATE SET {}")
        .format(_insert(table), _names(table.key), updates)
        .as_bytes()
    )


@cache
def _delete_zero_sql(table: Table) -> bytes:
    nothing = sql.SQL(" AND ").join(
        sql.SQL("t.{} = 0").format(sql.Identifier(column)) for column in table.others
    )
    return sql.SQL("{} AND {}").format(_by_key(table, "DELETE", table.key_size), nothing).as_bytes()


@cache
def _delete_sql(table: Table) -> bytes:
    return _by_key(table, "DELETE", table.key_size).as_bytes()


@cache
def _select_sql(table: Table, width: int) -> bytes:
    return (
        sql.SQL("{} ORDER BY {}").format(_by_key(table, "SELECT", width), _names(table.key, "t")).as_bytes()
    )


def _insert(table: Table) -> sql.Composed:
    return sql.SQL("INSERT INTO {} AS t ({}) SELECT * FROM {}").format(
        sql.Identifier(table.name), _names(table.columns), _unnested(_types(table))
    )


def _by_key(table: Table, verb: str, width: int) -> sql.Composed:
    """Compose a statement that reads or deletes the rows whose keys begin with one of those given."""
    columns = table.columns[:width]
    source = sql.SQL("{} AS given ({})").format(_unnested(_types(table)[:width]), _names(columns))
    target = sql.Identifier(table.name)
    start = (
        sql.SQL("DELETE FROM {} AS t USING {}").format(target, source)
        if verb == "DELETE"
        else sql.SQL("SELECT {} FROM {}, {} AS t").format(_names(table.columns, "t"), source, target)
    )
    return sql.SQL("{} WHERE ({}) = ({})").format(start, _names(columns, "t"), _names(columns, "given"))


def _unnested(types: Iterable[str]) -> sql.Composed:
    # Binary: as text, each string would have to be searched for characters to escape.
    arrays = sql.SQL(", ").join(sql.SQL("%b::{}[]").format(sql.SQL(name)) for name in types)
    return sql.SQL("unnest({})").format(arrays)


def _names(columns: Iterable[str], of: str = "") -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(of, name) if of else sql.Identifier(name) for name in columns)


@cache
def _types(table: Table) -> tuple[str, ...]:
    """Return the SQL type of each column; of a union such as `int | None` the first member counts."""
    declared = table.row.__annotations__.values()
    return tuple(_TYPES[(get_args(it) or (it,))[0]] for it in declared)


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]

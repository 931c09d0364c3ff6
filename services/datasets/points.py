"""The numbers of a loaded file as points in time, read from its Parquet by DuckDB."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from services.datasets.domain import ColumnType, FileRefusedError, Recipe
from services.datasets.engine import identifier, literal
from services.datasets.records import TOTAL, Chunk, Hour, Series

MAX_KPIS: Final = 50
MAX_DIMENSIONS: Final = 10
MAX_MEMBERS: Final = 100
"""Different texts of a dimension; ids and remarks have more, and stay in the Parquet file."""
MAX_MONTHS: Final = 600
_NUMBERS: Final = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})
_ROW_NUMBER: Final = "file_row_number"
"""What DuckDB calls the number of a row."""


class Points:
    def __init__(self, connection: duckdb.DuckDBPyConnection, recipe: Recipe, data: Path) -> None:
        self._connection = connection
        self._from = f"from read_parquet({literal(str(data))}, file_row_number = true)"
        self._at = f"{identifier(recipe.time)}::TIMESTAMP" if recipe.time else None
        self.series = self._series(recipe)

    def chunk(self, start: int, end: int) -> Iterator[Chunk]:
        """Yield the points of the rows from start up to end, KPI by KPI."""
        members = ", ".join(
            f"{literal(name)}: coalesce({identifier(name)}, '')" for name in self.series.dimensions
        )
        dimensions = f"to_json({{{members}}})::VARCHAR" if members else "'{}'"
        for kpi in self.series.kpis:
            value = identifier(kpi)
            row = self._connection.execute(
                f"select {_array('n')}, {_array('moment')}, {_array('number')}, {_array(_quoted('members'))}"  # noqa: S608 - quoted
                f" from (select file_row_number as n, {self._at}::VARCHAR || 'Z' as moment,"
                f" {value} as number, {dimensions} as members {self._from}"
                f" where file_row_number >= {start:d} and file_row_number < {end:d} and {value} is not null)"
            ).fetchone()
            if row is not None and row[0] is not None:
                yield Chunk(kpi, *row)

    def hours(self) -> Iterator[Hour]:
        """Yield every KPI by hour: in all, and by each member of each dimension."""
        for kpi in self.series.kpis:
            for dimension in (TOTAL, *self.series.dimensions):
                member = f"coalesce({identifier(dimension)}, '')" if dimension else "''"
                value = f"{identifier(kpi)}::DOUBLE"
                rows = self._connection.execute(
                    f"select date_trunc('hour', {self._at}), {member}, count(*), sum({value}), min({value}),"
                    f" max({value}) {self._from} where {identifier(kpi)} is not null group by 1, 2"
                )
                while batch := rows.fetchmany(5_000):
                    for hour, name, *numbers in batch:
                        yield Hour(kpi, dimension, hour.replace(tzinfo=UTC), name, *numbers)

    def _series(self, recipe: Recipe) -> Series:
        if self._at is None:
            return Series((), (), (), None, None)
        kpis = [it.name for it in recipe.columns if it.type in _NUMBERS][:MAX_KPIS]
        if any(it.name.lower() == _ROW_NUMBER for it in recipe.columns):
            raise FileRefusedError(f"a column is called {_ROW_NUMBER}; rename it")
        texts = [it.name for it in recipe.columns if it.type is ColumnType.TEXT]
        first, last, *counts = self._row(
            f"select min({self._at}), max({self._at}),"
            f" {', '.join([f'count(distinct {identifier(text)})' for text in texts] or ['0'])} {self._from}"
        )
        fitting = [name for name, count in zip(texts, counts, strict=False) if 0 < count <= MAX_MEMBERS]
        months = self._connection.execute(
            f"select distinct date_trunc('month', {self._at})::DATE {self._from} order by 1"
        ).fetchall()
        if len(months) > MAX_MONTHS:
            raise FileRefusedError(
                f"its rows are of {len(months):,} different months, over the limit of {MAX_MONTHS};"
                " split the file, or choose another column of times"
            )
        return Series(kpis, fitting[:MAX_DIMENSIONS], [month for (month,) in months], _utc(first), _utc(last))

    def _row(self, query: str) -> Sequence[Any]:
        row = self._connection.execute(query).fetchone()
        if row is None:
            raise LookupError(f"no row for {query[:80]}")
        return row


@contextmanager
def open_points(recipe: Recipe, data: Path, *, memory: str = "512MB") -> Iterator[Points]:
    settings: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": memory,
        "temp_directory": str(data.parent / "spill"),
    }
    connection = duckdb.connect(config=settings)
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield Points(connection, recipe, data)
    finally:
        connection.close()


def _array(value: str) -> str:
    return f"'{{' || string_agg({value}, ',' order by n) || '}}'"


def _quoted(value: str) -> str:
    return f"'\"' || replace(replace({value}, '\\', '\\\\'), '\"', '\\\"') || '\"'"


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None

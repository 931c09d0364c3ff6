"""Datasets and their loads in PostgreSQL, each call one transaction within a tenant."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from services.datasets.domain import Inspection, LoadResult, Recipe
from services.datasets.records import Chunk, Dataset, DatasetLoad, Hour, LoadKey, LoadState, Series
from services.shared.database import Connection, Database

_LOAD_COLUMNS: Final = ", ".join(DatasetLoad.__dataclass_fields__)
_DATASET_COLUMNS: Final = ", ".join(Dataset.__dataclass_fields__)
LIMIT: Final = 1_000
"""Datasets of a tenant."""


class DatasetStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, tenant_id: str, dataset_id: str, name: str, user_id: str) -> bool:
        """Create a dataset; False if the tenant has too many."""
        with self._database.transaction(tenant_id) as session:
            found = session.execute("SELECT count(*) FROM datasets").fetchone()
            if found is not None and found[0] >= LIMIT:
                return False
            session.execute(
                "INSERT INTO datasets (tenant_id, dataset_id, name, created_by) VALUES (%s, %s, %s, %s)",
                [tenant_id, dataset_id, name, user_id],
            )
        return True

    def begin_load(
        self, tenant_id: str, dataset_id: str, file_name: str, user_id: str, *, automatic: bool
    ) -> LoadKey | None:
        """Number a new load that waits for its file; None if the dataset does not exist."""
        with self._database.transaction(tenant_id) as session:
            row = session.execute(
                "UPDATE datasets SET loads = loads + 1 WHERE dataset_id = %s RETURNING loads", [dataset_id]
            ).fetchone()
            if row is None:
                return None
            key = LoadKey(tenant_id, dataset_id, row[0])
            session.execute(
                "INSERT INTO dataset_loads (tenant_id, dataset_id, load_id, file_name, automatic, created_by)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                [*_values(key), file_name, automatic, user_id],
            )
        return key

    def all(self, tenant_id: str) -> Sequence[tuple[Dataset, Sequence[DatasetLoad]]]:
        """Return every dataset with its current load and its last."""
        with self._database.transaction(tenant_id) as session:
            datasets = _datasets(session, "ORDER BY name, dataset_id", [])
            loads = _loads(
                session,
                "WHERE (dataset_id, load_id) IN (SELECT dataset_id, loads FROM datasets"
                " UNION SELECT dataset_id, current_load FROM datasets) ORDER BY load_id DESC",
                [],
            )
        return [(it, [load for load in loads if load.dataset_id == it.dataset_id]) for it in datasets]

    def one(self, tenant_id: str, dataset_id: str) -> tuple[Dataset, Sequence[DatasetLoad]] | None:
        """Return a dataset with its last loads, the newest first."""
        with self._database.transaction(tenant_id) as session:
            found = _datasets(session, "WHERE dataset_id = %s", [dataset_id])
            loads = _loads(session, "WHERE dataset_id = %s ORDER BY load_id DESC LIMIT 20", [dataset_id])
        return (found[0], loads) if found else None

    def load(self, key: LoadKey) -> DatasetLoad | None:
        with self._database.transaction(key.tenant_id) as session:
            found = _loads(session, "WHERE dataset_id = %s AND load_id = %s", [key.dataset_id, key.load_id])
        return found[0] if found else None

    def current(self, tenant_id: str, dataset_id: str) -> DatasetLoad | None:
        """Return the load whose rows are read."""
        with self._database.transaction(tenant_id) as session:
            found = _loads(
                session,
                "WHERE (dataset_id, load_id) ="
                " (SELECT dataset_id, current_load FROM datasets WHERE dataset_id = %s)",
                [dataset_id],
            )
        return found[0] if found else None

    def uploaded(self, key: LoadKey, size: int, content_hash: str) -> None:
        self._change(
            key,
            (LoadState.WAITING, LoadState.UPLOADED),
            state=LoadState.UPLOADED,
            bytes=size,
            content_hash=content_hash,
        )

    def inspected(self, key: LoadKey, inspection: Inspection) -> None:
        self._change(
            key,
            (LoadState.UPLOADED,),
            state=LoadState.INSPECTED,
            inspection=Jsonb(inspection.model_dump(mode="json")),
        )

    def confirm(self, key: LoadKey, recipe: Recipe) -> bool:
        """Begin to load; False if the load does not wait for that."""
        return self._change(
            key,
            (LoadState.UPLOADED, LoadState.INSPECTED),
            state=LoadState.LOADING,
            recipe=Jsonb(recipe.model_dump(mode="json")),
        )

    def unchanged(self, key: LoadKey, other: int) -> None:
        self._change(
            key,
            (LoadState.UPLOADED, LoadState.INSPECTED, LoadState.LOADING),
            state=LoadState.UNCHANGED,
            reason=f"the same file is loaded already, as load {other}",
        )

    def converted(self, key: LoadKey, result: LoadResult, series: Series) -> None:
        """Note what the file holds, before its points are copied."""
        with self._database.transaction(key.tenant_id) as session:
            if series.months:
                session.execute("SELECT make_dataset_partitions(%s)", [list(series.months)])
        self._change(
            key,
            (LoadState.LOADING,),
            records=result.records,
            loaded=result.loaded,
            rejected=result.rejected,
            first_rejects=Jsonb([it.model_dump(mode="json") for it in result.first_rejects]),
            kpis=list(series.kpis),
            dimensions=list(series.dimensions),
            first_at=series.first_at,
            last_at=series.last_at,
        )

    def fail(self, key: LoadKey, reason: str) -> None:
        states = (LoadState.WAITING, LoadState.UPLOADED, LoadState.INSPECTED, LoadState.LOADING)
        if self._change(key, states, state=LoadState.FAILED, reason=reason):
            self.drop_points(key)

    def copy(self, key: LoadKey, start: int, end: int, chunks: Iterator[Chunk]) -> int | None:
        """Copy the points of these rows, once: return how far the load is, None if it was taken away.

        Whoever moves the mark from `start` to `end` writes the points, in the same transaction. A second
        delivery of the message finds the mark further on and writes nothing.
        """
        with self._database.transaction(key.tenant_id) as session:
            session.execute("SET LOCAL statement_timeout = '5min'")
            moved = session.execute(
                "UPDATE dataset_loads SET copied = %s WHERE dataset_id = %s AND load_id = %s"
                " AND state = 'loading' AND copied = %s",
                [end, key.dataset_id, key.load_id, start],
            ).rowcount
            if moved:
                for it in chunks:
                    session.execute(
                        _INSERT_POINTS, [*_values(key), it.kpi, it.rows, it.at, it.values, it.dimensions]
                    )
                return end
            found = session.execute(
                "SELECT copied FROM dataset_loads"
                " WHERE dataset_id = %s AND load_id = %s AND state = 'loading'",
                [key.dataset_id, key.load_id],
            ).fetchone()
        return found[0] if found else None

    def finish(self, key: LoadKey, rollup: Iterator[Hour]) -> LoadState | None:
        """Let readers see the load in place of the one before, whole; None if it is no longer loading.

        A later load of the same dataset that was faster stays.
        """
        with self._database.transaction(key.tenant_id) as session:
            session.execute("SET LOCAL statement_timeout = '5min'")
            current = session.execute(
                "SELECT coalesce(current_load, 0) FROM datasets WHERE dataset_id = %s FOR UPDATE",
                [key.dataset_id],
            ).fetchone()
            if current is None:
                return None
            state = LoadState.READY if current[0] < key.load_id else LoadState.REPLACED
            moved = session.execute(
                "UPDATE dataset_loads SET state = %s"
                " WHERE dataset_id = %s AND load_id = %s AND state = 'loading'",
                [state, key.dataset_id, key.load_id],
            ).rowcount
            if not moved:
                return None
            if state is LoadState.READY:
                while batch := list(islice(rollup, _BATCH)):
                    columns = [[getattr(it, name) for it in batch] for name in _HOUR_COLUMNS]
                    session.execute(_INSERT_HOURS, [*_values(key), *columns])
                session.execute(
                    "UPDATE datasets SET current_load = %s, recipe = (SELECT recipe FROM dataset_loads l"
                    " WHERE l.dataset_id = %s AND l.load_id = %s) WHERE dataset_id = %s",
                    [key.load_id, key.dataset_id, key.load_id, key.dataset_id],
                )
                session.execute(
                    "UPDATE dataset_loads SET state = 'replaced' WHERE dataset_id = %s AND load_id < %s"
                    " AND state = 'ready'",
                    [key.dataset_id, key.load_id],
                )
        return state

    def drop_replaced(self, tenant_id: str, dataset_id: str) -> None:
        """Delete the points of loads that nobody reads any more."""
        with self._database.transaction(tenant_id) as session:
            session.execute("SET LOCAL statement_timeout = '10min'")
            for table in _POINTS:
                session.execute(
                    f"DELETE FROM {table} WHERE dataset_id = %s AND load_id IN (SELECT load_id"  # noqa: S608 - constants
                    " FROM dataset_loads WHERE dataset_id = %s AND state = 'replaced')".encode(),
                    [dataset_id, dataset_id],
                )

    def drop_points(self, key: LoadKey) -> None:
        with self._database.transaction(key.tenant_id) as session:
            session.execute("SET LOCAL statement_timeout = '10min'")
            for table in _POINTS:
                session.execute(
                    f"DELETE FROM {table} WHERE dataset_id = %s AND load_id = %s".encode(),  # noqa: S608 - constants
                    [key.dataset_id, key.load_id],
                )

    def remove(self, tenant_id: str, dataset_id: str) -> int | None:
        """Delete a dataset with all its loads; return how many there were, None if it does not exist."""
        with self._database.transaction(tenant_id) as session:
            session.execute("SET LOCAL statement_timeout = '10min'")
            gone = session.execute(
                "DELETE FROM datasets WHERE dataset_id = %s RETURNING loads", [dataset_id]
            ).fetchone()
            if gone is None:
                return None
            # The loads first: a worker that copies holds its load, and finds none when it goes on.
            for table in ("dataset_loads", *_POINTS):
                session.execute(f"DELETE FROM {table} WHERE dataset_id = %s".encode(), [dataset_id])  # noqa: S608 - constants
        return int(gone[0])

    def _change(self, key: LoadKey, states: Sequence[LoadState], **columns: object) -> bool:
        """Change a load that is in one of these states; return whether it was."""
        names = ", ".join(f"{name} = %s" for name in columns)
        with self._database.transaction(key.tenant_id) as session:
            changed = session.execute(
                f"UPDATE dataset_loads SET {names} WHERE dataset_id = %s AND load_id = %s"  # noqa: S608 - names of ours
                " AND state = ANY(%s)".encode(),
                [*columns.values(), key.dataset_id, key.load_id, list(states)],
            )
        return changed.rowcount > 0


_POINTS: Final = ("dataset_points", "dataset_hours")
_BATCH: Final = 5_000
_HOUR_COLUMNS: Final = tuple(Hour.__dataclass_fields__)
# COPY is refused under row-level security; arrays are as fast, and stay within the tenant.
_INSERT_POINTS: Final = b"""
INSERT INTO dataset_points (tenant_id, dataset_id, load_id, kpi, row_number, at, value, dimensions)
SELECT %s, %s, %s, %s, * FROM unnest(%s::bigint[], %s::timestamptz[], %s::float8[], %s::jsonb[])
"""
_INSERT_HOURS: Final = b"""
INSERT INTO dataset_hours (tenant_id, dataset_id, load_id, kpi, dimension, hour, member, count, sum, min, max)
SELECT %s, %s, %s, * FROM unnest(
  %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::bigint[],
  %s::float8[], %s::float8[], %s::float8[])
"""


def _values(key: LoadKey) -> list[Any]:
    return [key.tenant_id, key.dataset_id, key.load_id]


def _datasets(session: Connection, where: str, parameters: Sequence[object]) -> list[Dataset]:
    query = f"SELECT {_DATASET_COLUMNS} FROM datasets {where}"  # noqa: S608 - constants of ours
    with session.cursor(row_factory=class_row(Dataset)) as cursor:
        return cursor.execute(query.encode(), parameters).fetchall()


def _loads(session: Connection, where: str, parameters: Sequence[object]) -> list[DatasetLoad]:
    query = f"SELECT {_LOAD_COLUMNS} FROM dataset_loads {where}"  # noqa: S608 - constants of ours
    with session.cursor(row_factory=class_row(DatasetLoad)) as cursor:
        return cursor.execute(query.encode(), parameters).fetchall()

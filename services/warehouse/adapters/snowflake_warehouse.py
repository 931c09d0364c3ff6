"""Snowflake as the warehouse: COPY from the stage that holds the export, then the same models.

The connector is an optional dependency and slow to import: it is loaded when a connection is opened.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from services.shared.errors import MisconfiguredError
from services.warehouse import models
from services.warehouse.source import totals_of
from services.warehouse.warehouse import (
    DayFile,
    QueryRefusedError,
    WarehouseUnavailableError,
    require_rows,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from services.warehouse.manifest import Totals
    from services.warehouse.tables import ExportedTable

STAGE: Final = f"{models.RAW}.pulsequeue_export"
"""The root of an export."""
_STATEMENT_SECONDS: Final = 300
_LOGIN_SECONDS: Final = 30
_NETWORK_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class SnowflakeAccount:
    """Where to sign in, and as whom: by key pair, or without any secret as the AWS role that runs this."""

    account: str
    user: str
    database: str
    warehouse: str
    role: str
    private_key_file: str | None = None

    def parameters(self) -> Mapping[str, Any]:
        common = {
            "account": self.account,
            "user": self.user,
            "database": self.database,
            "warehouse": self.warehouse,
            "role": self.role,
            "login_timeout": _LOGIN_SECONDS,
            "network_timeout": _NETWORK_SECONDS,
            "session_parameters": {"STATEMENT_TIMEOUT_IN_SECONDS": _STATEMENT_SECONDS, "TIMEZONE": "UTC"},
        }
        if self.private_key_file is not None:
            return {**common, "authenticator": "SNOWFLAKE_JWT", "private_key_file": self.private_key_file}
        return {**common, "authenticator": "WORKLOAD_IDENTITY", "workload_identity_provider": "AWS"}


class SnowflakeWarehouse:
    def __init__(self, connection: Any, *, seconds: int = _STATEMENT_SECONDS) -> None:  # noqa: ANN401 - it has no types
        self._connection = connection
        self._seconds = seconds

    def prepare(self) -> None:
        for schema in (models.RAW, models.MODELED):
            self._run(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        there = self._columns()
        for name, columns in models.tables().items():
            if name not in there:
                self._run(models.create(name, columns, models.SNOWFLAKE))
                continue
            for column in columns:
                if column.name not in there[name]:
                    self._run(models.add_column(name, column, models.SNOWFLAKE))

    def loaded(self) -> Mapping[tuple[str, date], str]:
        return {(name, day): version for name, day, version in self._run(models.loaded_versions())}

    def load(self, table: ExportedTable, files: Sequence[DayFile], now: datetime) -> None:
        """Load these days; they count as loaded when all is done, and are loaded whole again until then."""
        days = [file.day.day for file in files]
        names = ", ".join(models.quoted(file.day.file) for file in files)
        with self._transaction():
            self._run(models.clear_raw(table, days))
            # FORCE: what is loaded is recorded by us, and Snowflake skips files that it remembers.
            self._run(
                f"COPY INTO {models.RAW}.{table.name} FROM @{STAGE} FILES = ({names})"
                " FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE)"
                " MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE FORCE = TRUE"
            )
            require_rows(table, files, dict(self._run(models.raw_rows(table, days))))
        # Each by itself: the stand-in of the tests runs no MERGE in a transaction, and each may run again.
        for statement in models.model(table, days):
            self._run(statement)
        loaded = {file.day.day: (file.day.version, file.day.rows) for file in files}
        with self._transaction():
            for statement in models.record_loads(table, loaded, now.strftime("%Y-%m-%d %H:%M:%S")):
                self._run(statement)

    def totals(self, table: ExportedTable) -> Mapping[date, Totals]:
        found = self._run(models.modeled_totals(table, models.SNOWFLAKE))
        return {row[0]: totals_of(table, row[1:]) for row in found}

    def run(self, statement: str) -> Sequence[tuple[Any, ...]]:
        return self._run(statement)

    def _columns(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = {}
        for schema, table, column in self._run(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns"
        ):
            found.setdefault(f"{schema}.{table}".lower(), set()).add(column.lower())
        return found

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._run("BEGIN")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK")
            raise
        self._run("COMMIT")

    def _run(self, statement: str) -> Sequence[tuple[Any, ...]]:
        with _explained(), self._connection.cursor() as cursor:
            rows: Sequence[tuple[Any, ...]] = cursor.execute(statement, timeout=self._seconds).fetchall()
            return rows


@contextmanager
def open_snowflake(parameters: Mapping[str, Any]) -> Iterator[SnowflakeWarehouse]:
    """Sign in with the connector's parameters, such as those of a SnowflakeAccount."""
    try:
        from snowflake import connector  # noqa: PLC0415 - 59 MB that only this needs
    except ImportError as error:
        raise MisconfiguredError(
            "the connector of Snowflake is not installed; run `pip install 'pulsequeue[snowflake]'`."
        ) from error
    with _explained():
        connection = connector.connect(**parameters)
    try:
        yield SnowflakeWarehouse(connection)
    finally:
        connection.close()


@contextmanager
def _explained() -> Iterator[None]:
    from snowflake.connector import errors  # noqa: PLC0415 - loaded with the connection

    try:
        yield
    except errors.ProgrammingError as error:
        raise QueryRefusedError(f"Snowflake refused a statement: {_first_line(error)}") from error
    except errors.Error as error:
        raise WarehouseUnavailableError(
            f"Snowflake does not answer; what is exported waits for the next load. ({_first_line(error)})"
        ) from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]

"""The one way to the database: a connection per process, a transaction per piece of work.

Through RDS Proxy many processes share few connections, which works only as long as none keeps anything in
its session: nothing is prepared (`prepare_threshold=None`), and nothing is set but for a transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TypeAlias

import psycopg
from psycopg import errors

from services.shared.errors import StoreUnavailableError

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_PASSING = (
    errors.AdminShutdown,
    errors.CannotConnectNow,
    errors.CrashShutdown,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.SerializationFailure,
    errors.TooManyConnections,
)
"""What the server refuses now and may do later. A connection that breaks has no code at all."""


class Database:
    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._open: Connection | None = None

    @contextmanager
    def transaction(self, tenant_id: str | None = None) -> Iterator[Connection]:
        """Do everything inside or nothing of it; with a tenant, see and touch that tenant's rows alone.

        What may go through later is raised as StoreUnavailableError.
        """
        with _passing_told(), ExitStack() as opened:
            yield self._begun(opened, tenant_id)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend the connection for work that says itself where its transactions begin and end."""
        with _passing_told():
            with ExitStack() as tried:
                self._begun(tried, None)
            yield self._current()

    def close(self) -> None:
        if self._open is not None:
            with suppress(psycopg.Error):
                self._open.close()
            self._open = None

    def _begun(self, opened: ExitStack, tenant_id: str | None) -> Connection:
        """Begin on the connection there is; on a new one if that broke while nobody used it.

        A function that is asked seldom finds its connection cut by whoever was between: nothing was asked
        of it yet, so nothing is asked twice.
        """
        kept = self._open
        was_fine = kept is not None and not kept.closed
        try:
            return self._begin(opened, tenant_id)
        except psycopg.OperationalError:
            if kept is None or not was_fine or not kept.closed:
                raise
        return self._begin(opened, tenant_id)

    def _begin(self, opened: ExitStack, tenant_id: str | None) -> Connection:
        connection = self._current()
        with ExitStack() as begun:
            begun.enter_context(connection.transaction())
            if tenant_id is not None:
                connection.execute("SELECT set_config('app.tenant_id', %s, true)", [tenant_id])
            opened.push(begun.pop_all())
        return connection

    def _current(self) -> Connection:
        """Return the connection, or a new one in place of one that broke."""
        if self._open is None or self._open.closed:
            self._open = self._connect()
        return self._open


@contextmanager
def _passing_told() -> Iterator[None]:
    """Raise what may go through later as StoreUnavailableError."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        if isinstance(error, _PASSING) or getattr(error, "sqlstate", None) is None:
            raise StoreUnavailableError(f"the database cannot be asked now: {_line(error)}") from error
        raise


def connector(conninfo: str, password: Callable[[], str]) -> Callable[[], Connection]:
    """Return what opens connections, each with a password of its own: IAM's are good for 15 minutes."""

    def connect() -> Connection:
        return psycopg.connect(
            conninfo,
            password=password(),
            autocommit=True,  # transactions are opened by name
            prepare_threshold=None,
            connect_timeout=5,
            keepalives_idle=30,
            # Where nobody answers any more, be it to say so, the kernel would try for a quarter of an hour.
            tcp_user_timeout=5_000,
            application_name="pulsequeue",
        )

    return connect


def _line(error: BaseException) -> str:
    """What the driver says, in one line: it draws the statement below it."""
    return str(error).strip().partition("\n")[0]

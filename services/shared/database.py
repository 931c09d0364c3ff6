"""Access to the database: a connection per process, a transaction per unit of work.

Through RDS Proxy many processes share few connections, which works only while none keeps session state:
nothing is prepared (`prepare_threshold=None`), and settings hold for one transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import errors
from psycopg.conninfo import make_conninfo
from pydantic import Field

from services.shared.errors import StoreUnavailableError
from services.shared.settings import FromEnvironment

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

OWNER: Final = "pulsequeue_owner"
PROJECTOR: Final = "pulsequeue_projector"
API: Final = "pulsequeue_api"
WAKING_SECONDS: Final = 60
"""How long operators wait for a database that has paused; others come again, and find it awake."""

_TRANSIENT = (
    errors.AdminShutdown,
    errors.CannotConnectNow,
    errors.CrashShutdown,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.SerializationFailure,
    errors.TooManyConnections,
)
"""Errors that a retry may overcome. A broken connection has no error code at all."""


class DatabaseSettings(FromEnvironment):
    region: str = Field(alias="AWS_REGION", min_length=1)
    host: str = Field(alias="DATABASE_HOST", min_length=1)
    port: int = Field(alias="DATABASE_PORT", ge=1, le=65_535, default=5432)
    database: str = Field(alias="DATABASE_NAME", min_length=1)
    sslmode: str = Field(alias="DATABASE_SSLMODE", pattern=r"^(disable|require|verify-full)$")

    def conninfo(self, user: str) -> str:
        # RDS Proxy presents a certificate of Amazon's authority, which every system trusts.
        trusted = {"sslrootcert": "system"} if self.sslmode == "verify-full" else {}
        return make_conninfo(
            host=self.host, port=self.port, dbname=self.database, user=user, sslmode=self.sslmode, **trusted
        )


class Database:
    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._open: Connection | None = None

    @contextmanager
    def transaction(self, tenant_id: str | None = None) -> Iterator[Connection]:
        """Open a transaction; with a tenant, only that tenant's rows are visible.

        Transient errors are raised as StoreUnavailableError.
        """
        with _transient_errors(), ExitStack() as opened:
            yield self._begun(opened, tenant_id)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Yield the connection to a caller that opens its transactions itself."""
        with _transient_errors():
            with ExitStack() as tried:
                self._begun(tried, None)
            yield self._current()

    def close(self) -> None:
        if self._open is not None:
            with suppress(psycopg.Error):
                self._open.close()
            self._open = None

    def _begun(self, opened: ExitStack, tenant_id: str | None) -> Connection:
        """Begin a transaction; reconnect if the connection broke while it was idle.

        The network drops idle connections. Nothing was executed on it yet, so nothing is executed twice.
        """
        idle = self._open
        was_open = idle is not None and not idle.closed
        try:
            return self._begin(opened, tenant_id)
        except psycopg.OperationalError:
            if idle is None or not was_open or not idle.closed:
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
def _transient_errors() -> Iterator[None]:
    """Raise transient errors as StoreUnavailableError."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        if isinstance(error, _TRANSIENT) or getattr(error, "sqlstate", None) is None:
            raise StoreUnavailableError(
                f"the database is unavailable; retry later: {_first_line(error)}"
            ) from error
        raise


def connector(
    conninfo: str, password: Callable[[], str], *, wait_seconds: int = 5
) -> Callable[[], Connection]:
    """Return a function that opens connections, each with a new password: IAM tokens expire in 15 minutes."""

    def connect() -> Connection:
        return psycopg.connect(
            conninfo,
            password=password(),
            autocommit=True,  # transactions are opened explicitly
            prepare_threshold=None,
            connect_timeout=wait_seconds,
            keepalives_idle=30,
            # Without it, the kernel would wait 15 minutes for a peer that is gone.
            tcp_user_timeout=5_000,
            application_name="pulsequeue",
        )

    return connect


def administrator(conninfo: str, password: Callable[[], str], token: Callable[[], str]) -> Connection:
    """Connect as the administrator: with the password, or with an IAM token once RDS takes only those.

    RDS refuses the password of a member of rds_iam, and whoever created the roles is one by way of them.
    """
    try:
        return connector(conninfo, password, wait_seconds=WAKING_SECONDS)()
    except psycopg.OperationalError:
        return connector(conninfo, token, wait_seconds=WAKING_SECONDS)()


def _first_line(error: BaseException) -> str:
    """Return the driver's message without the statement that it prints below it."""
    return str(error).strip().partition("\n")[0]

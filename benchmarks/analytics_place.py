"""Analytics' database, started for a benchmark: one server, a database for each size of the past."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg

from scripts.history import bulk
from scripts.history.copying import Laid
from scripts.history.history import History
from scripts.local import postgres
from scripts.local.postgres import Postgres
from services.analytics import migrating
from services.analytics.database import Connection, Database
from services.analytics.settings import OWNER

TENANT = "bench"
UNTIL = datetime(2026, 6, 20, 12, tzinfo=UTC)
_MONTHS = 24
_WORKERS = 2


def past(orders: int, customers: int) -> History:
    return History(orders, customers, _MONTHS, seed=1, tenant=TENANT, until=UNTIL)


@dataclass
class Shop:
    """A database with a past in it."""

    server: Postgres
    name: str
    past: History | None
    laid: Laid = field(default_factory=Laid)

    def connect(self, user: str) -> Connection:
        return psycopg.connect(self.server.dsn(self.name, user), autocommit=True, prepare_threshold=None)

    def settle(self) -> None:
        """Have the server do now what it would otherwise do in the middle of a measurement."""
        with closing(self.connect(postgres.SUPERUSER)) as administrator:
            administrator.execute("VACUUM (ANALYZE)")
            administrator.execute("CHECKPOINT")


@contextmanager
def served() -> Iterator[Postgres]:
    with TemporaryDirectory() as folder:
        server = postgres.start(Path(folder) / "postgres.log")
        try:
            yield server
        finally:
            postgres.stop(server)


def shop(server: Postgres, name: str, its: History | None) -> Shop:
    """Make a database, with a past unless it is to begin empty."""
    made = Shop(server, name, its)
    with closing(psycopg.connect(server.dsn(), autocommit=True)) as administrator:
        administrator.execute(f"CREATE DATABASE {name}".encode())
    with closing(made.connect(postgres.SUPERUSER)) as administrator:
        migrating.ensure_roles(administrator)
    with closing(made.connect(OWNER)) as owner:
        migrating.migrate(owner, migrating.read())
        if its is None:
            bulk.prepare(owner, past(1, 1))
    if its is not None:
        made.laid = bulk.load(its, server.dsn(name, OWNER), workers=_WORKERS, say=_nobody_listens)
    made.settle()
    return made


def live(orders: int, customers: int) -> History:
    """What the shop tells while it is measured: other orders, of the same customers, in its last month."""
    return replace(past(orders, customers), months=1, seed=2)


def _nobody_listens(_said: str) -> None: ...


@dataclass
class Way:
    """A connection that stays open, and the processor time that the server spends on it."""

    connection: Connection

    def __post_init__(self) -> None:
        self.database = Database(lambda: self.connection)
        self._backend = psutil.Process(self.connection.info.backend_pid)

    @property
    def cpu_seconds(self) -> float:
        spent = self._backend.cpu_times()
        return float(spent.user + spent.system)

"""Migrates the schema: plain SQL files in order, each applied once, whole or not at all (docs/adr/0015)."""

import hashlib
import re
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from pathlib import Path
from typing import Final

from services.analytics.admin.migration_rules import CONTRACT, check
from services.shared.database import API, OWNER, PROJECTOR, Connection
from services.shared.errors import PulseQueueError

_DB: Final = Path(__file__).parents[1] / "db"
FOLDER: Final = _DB / "migrations"
ROLES: Final = _DB / "roles.sql"

_ROLES: Final = (OWNER, PROJECTOR, API)
_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_LOCK: Final = 0x70717173  # any number that no other lock of this database uses
_AUDIT_MONTHS_AHEAD: Final = 24


class MigrationError(PulseQueueError):
    """The migration files and the database do not match."""


class State(StrEnum):
    APPLIED = "applied"
    PENDING = "pending"
    CHANGED = "changed"
    """Applied, but the file has changed since."""
    UNKNOWN = "unknown"
    """Applied by a newer release: this one has no such file."""


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def is_contract(self) -> bool:
        """Whether it removes what only earlier code uses."""
        return CONTRACT.match(self.sql) is not None


@dataclass(frozen=True, slots=True)
class Step:
    """One migration and its state."""

    version: int
    name: str
    state: State
    applied_at: str | None = None


def read(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """Read the migrations, which are numbered from 1 without gaps."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        named = _NAME.fullmatch(path.name)
        if named is None:
            raise MigrationError(f"{path.name} is not named like a migration, such as 0007_add_index.sql")
        # Line ends differ between checkouts and must not change the checksum.
        sql = path.read_text(encoding="utf-8").replace("\r\n", "\n")
        check(path.stem, sql)
        found.append(Migration(int(named[1]), named[2], sql))
    numbers = [migration.version for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise MigrationError(f"migrations must be numbered 1, 2, 3 ...; these are {numbers}")
    return tuple(found)


def has_roles(owner: Connection) -> bool:
    """Tell whether every role exists, and has been given the schema of this database."""
    found = owner.execute(_HAS_ROLES, [list(_ROLES)]).fetchone()
    return found is not None and found == (len(_ROLES), True, True)


def ensure_roles(administrator: Connection) -> None:
    """Create the roles that own, write and read, where they do not exist yet."""
    with administrator.transaction():
        # Two at once would both find a role missing.
        administrator.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        administrator.execute(ROLES.read_bytes())


def status(owner: Connection, migrations: Sequence[Migration]) -> list[Step]:
    """Compare the migrations applied with those of this release."""
    applied = _applied(owner)
    steps = [_step(migration, applied.pop(migration.version, None)) for migration in migrations]
    return steps + [
        Step(version, name, State.UNKNOWN, at) for version, (name, _, at) in sorted(applied.items())
    ]


def migrate(owner: Connection, migrations: Sequence[Migration], *, contract: bool = False) -> list[Step]:
    """Apply the pending migrations and return them; a concurrent run waits, then finds nothing pending.

    Without `contract`, those that remove something stay pending: earlier code may be running. A database
    that was never migrated has no earlier code.
    """
    owner.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    try:
        with owner.transaction():
            owner.execute(_CREATE_TABLE)
            owner.execute(_ADD_CONTRACT)
        steps = status(owner, migrations)
        _refuse_mismatch(steps, _contracted(owner))
        pending = {step.version for step in steps if step.state is State.PENDING}
        due = [migration for migration in migrations if migration.version in pending]
        if not contract and len(due) < len(migrations):
            due = _additive(due)
        done = [_apply(owner, migration) for migration in due]
        with owner.transaction():
            owner.execute("SELECT make_audit_partitions(%s)", [_AUDIT_MONTHS_AHEAD])
    finally:
        owner.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    return done


_HAS_ROLES: Final = """
SELECT count(*), coalesce(bool_and(has_schema_privilege(oid, 'public', 'USAGE')), false),
       has_schema_privilege(current_user, 'public', 'CREATE')
FROM pg_roles WHERE rolname = ANY(%s)
"""
_CREATE_TABLE: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
  version integer PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  seconds double precision NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


_ADD_CONTRACT: Final = """
ALTER TABLE schema_migrations ADD COLUMN IF NOT EXISTS contract boolean NOT NULL DEFAULT false
"""


def _contracted(owner: Connection) -> set[int]:
    """Return the versions that removed something."""
    rows = owner.execute("SELECT version FROM schema_migrations WHERE contract").fetchall()
    return {version for (version,) in rows}


def _applied(owner: Connection) -> dict[int, tuple[str, str, str]]:
    there = owner.execute("SELECT to_regclass('schema_migrations') IS NOT NULL").fetchone()
    if there is None or not there[0]:
        return {}
    rows = owner.execute("SELECT version, name, checksum, applied_at FROM schema_migrations").fetchall()
    return {
        version: (name, checksum, at.isoformat(timespec="seconds")) for version, name, checksum, at in rows
    }


def _step(migration: Migration, applied: tuple[str, str, str] | None) -> Step:
    if applied is None:
        return Step(migration.version, migration.name, State.PENDING)
    _, checksum, at = applied
    state = State.APPLIED if checksum == migration.checksum else State.CHANGED
    return Step(migration.version, migration.name, state, at)


def _refuse_mismatch(steps: Sequence[Step], contracted: Collection[int]) -> None:
    """Refuse changed files, and a database in which a newer release removed what this one may use."""
    for step in steps:
        named = f"{step.version:04}_{step.name}"
        if step.state is State.CHANGED:
            raise MigrationError(
                f"{named} was changed after it was applied; restore the file and write a new migration"
            )
        if step.state is State.UNKNOWN and step.version in contracted:
            raise MigrationError(
                f"the database has {named}, which removed something that this release may use; "
                "deploy a newer release"
            )


def _additive(due: Sequence[Migration]) -> list[Migration]:
    """Return the migrations up to the first that removes something; none may follow that one."""
    additive = list(takewhile(lambda it: not it.is_contract, due))
    if later := [it for it in due[len(additive) :] if not it.is_contract]:
        waiting = due[len(additive)]
        raise MigrationError(
            f"{later[0].version:04}_{later[0].name} follows {waiting.version:04}_{waiting.name}, which "
            "removes something and is pending; run `pulsequeue db contract` first, once no earlier code runs"
        )
    return additive


def _apply(owner: Connection, migration: Migration) -> Step:
    started = time.perf_counter()
    with owner.transaction():
        owner.execute(migration.sql.encode())
        owner.execute(
            "INSERT INTO schema_migrations (version, name, checksum, contract, seconds)"
            " VALUES (%s, %s, %s, %s, %s)",
            [
                migration.version,
                migration.name,
                migration.checksum,
                migration.is_contract,
                time.perf_counter() - started,
            ],
        )
    return Step(migration.version, migration.name, State.APPLIED)

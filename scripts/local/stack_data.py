"""What the local stack keeps between `down` and `up`: the emulator's state, the database, the log cursors."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import ValidationError

from scripts.environment.local_state import Record, write_private
from scripts.local import database, postgres
from scripts.local.aws import emulator
from scripts.local.aws.cloudwatch_shipper import cursors_file
from services.shared.adapters.dynamodb_store import DynamoDBStore
from services.shared.ledger import Key

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.environment.environment import Environment


class StackData(Record):
    """One set of data: made by the first `up`, emptied by `reset`."""

    created_at: str
    database: str
    """The folder of PostgreSQL's cluster; outside of the home where PostgreSQL runs as another user."""
    saved_at: str | None = None
    """When the emulator last saved its state; only `down` lets it."""
    emulator_port: int | None = None
    """The next `up` uses it again; the saved state holds URLs with it."""
    postgres_port: int | None = None
    is_running: bool = False
    """From when the emulator holds what is not saved yet until it saved its state."""
    lost_since: str | None = None
    """After a kill, until it was reported."""

    @classmethod
    def read(cls, home: Path) -> Self | None:
        try:
            return cls.model_validate_json(_record_file(home).read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            return None

    def write(self, home: Path) -> None:
        write_private(_record_file(home), self.model_dump_json(indent=2) + "\n")


def open_data(home: Path) -> StackData:
    """Return the data of this home; create what is missing."""
    data = StackData.read(home)
    if data is None:
        reset(home)
        data = StackData(created_at=now(), database=str(postgres.make_data_folder(home)))
        data.write(home)
    elif not Path(data.database).is_dir():
        data = data.model_copy(update={"database": str(postgres.make_data_folder(home))})
        data.write(home)
    emulator_folder(home).mkdir(parents=True, exist_ok=True, mode=0o700)
    return data


def prepare(home: Path, data: StackData, port: int) -> None:
    """Make the saved state ready for an emulator on this port."""
    if data.emulator_port not in {None, port}:
        emulator.change_port(emulator_folder(home), data.emulator_port, port)
    lost_since = data.lost_since or ((data.saved_at or data.created_at) if data.is_running else None)
    # Without a saved state there is nothing to lose until the first `up` is complete.
    is_running = data.is_running or data.saved_at is not None
    update = {"emulator_port": port, "is_running": is_running, "lost_since": lost_since}
    data.model_copy(update=update).write(home)
    # After a kill the saved state is older than the cursors: its logs are read from where they were then.
    _copy(_saved_cursors(home), cursors_file(home))


def mark_complete(home: Path) -> None:
    """From here on, what the emulator holds is lost if it is killed."""
    data = open_data(home)
    if not data.is_running:
        data.model_copy(update={"is_running": True}).write(home)


def save(home: Path, stop_emulator: Callable[[], object]) -> bool:
    """Stop the emulator; return whether it saved its state."""
    before = emulator.saved_at(emulator_folder(home))
    stop_emulator()
    after = emulator.saved_at(emulator_folder(home))
    data = StackData.read(home)
    if data is None or after is None or after == before:
        return False
    _copy(cursors_file(home), _saved_cursors(home))
    data.model_copy(update={"saved_at": now(), "is_running": False}).write(home)
    return True


def usual_postgres_port(data: StackData) -> int | None:
    """Return the port of the last time, which clients may have stored, if it is free."""
    port = data.postgres_port
    return port if port is not None and emulator.is_free(port) else None


def report_loss(home: Path, environment: Environment, dsn: str | None) -> str | None:
    """Return what a killed emulator has lost: what it did not have when it last saved its state; once."""
    data = StackData.read(home)
    if data is None or data.lost_since is None:
        return None
    data.model_copy(update={"lost_since": None}).write(home)
    since = data.lost_since
    placed = {Key(*it) for it in database.orders_since(dsn, since)} if dsn else set()
    store = DynamoDBStore(
        environment.client("dynamodb"),
        inventory_table=environment.names.inventory_table,
        orders_table=environment.names.orders_table,
    )
    lost = len(placed - store.read_orders(placed).keys())
    return (
        "The stack was not stopped with `make down`. Orders, stock, messages and events\n"
        f"  since {since} are lost. PostgreSQL still has {lost} of the lost orders:\n"
        "  `pulsequeue db rebuild` shows what it would remove; `make reset` empties everything."
    )


def reset(home: Path) -> bool:
    """Remove all data; return whether there was any."""
    data = StackData.read(home)
    if data is not None:
        shutil.rmtree(data.database, ignore_errors=True)
    shutil.rmtree(folder(home), ignore_errors=True)
    cursors_file(home).unlink(missing_ok=True)
    _record_file(home).unlink(missing_ok=True)
    return data is not None


def folder(home: Path) -> Path:
    return home / "data"


def emulator_folder(home: Path) -> Path:
    return folder(home) / "emulator"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _record_file(home: Path) -> Path:
    return home / "data.json"


def _saved_cursors(home: Path) -> Path:
    return folder(home) / "log-cursors.json"


def _copy(source: Path, target: Path) -> None:
    """Make the target the same as the source, absent included."""
    target.unlink(missing_ok=True)
    if source.exists():
        shutil.copyfile(source, target)

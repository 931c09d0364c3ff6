"""A drill: a running stack loses its tables and its database, and comes back by an operator's commands."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from scripts.common.clock import Clock
from scripts.environment.environment import open_environment
from scripts.environment.local_state import HOME_VARIABLE, StackState
from scripts.local import database, postgres
from scripts.local.aws.emulator import free_port
from scripts.ops.aws_context import AwsOpsContext

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_OVERLAP = timedelta(seconds=5)
"""A replay begins before the backup: an event that was in flight is in neither otherwise."""
_PLENTY = 100_000
_SETTLE_SECONDS = 120.0
RESTORED = ("inventory", "orders", "console", "webhooks")
"""What can be computed again (metrics) is not restored."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What is recounted: orders by state, stock by product, rows of the read side by state."""

    orders: Mapping[str, str]
    stock: Mapping[str, tuple[int, int, int]]
    rows: Mapping[str, int]


@dataclass(slots=True)
class Report:
    backed_up_orders: int = 0
    orders: int = 0
    lost: list[str] = field(default_factory=list)
    """Orders that are gone, or in another state than before."""
    stock_differs: list[str] = field(default_factory=list)
    rows_before: Mapping[str, int] = field(default_factory=dict)
    rows_after: Mapping[str, int] = field(default_factory=dict)
    audit_is_clean: bool = False
    steps: dict[str, float] = field(default_factory=dict)
    """Seconds of each step of the recovery."""

    @property
    def ok(self) -> bool:
        recounted = not self.lost and not self.stock_differs and self.rows_before == self.rows_after
        return recounted and self.audit_is_clean

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "recovery_seconds": sum(self.steps.values()), "ok": self.ok}


class Drill:
    def __init__(self, home: Path, progress: Callable[[str], object]) -> None:
        self._home = home
        self._environ = {**os.environ, HOME_VARIABLE: str(home)}
        self._progress = progress
        self._report = Report()

    def run(self, *, orders: int, tail: int) -> Report:
        """Lose everything after `tail` more orders than the backup has."""
        ports = ("--port", str(free_port()), "--db-port", str(free_port()))
        self._pulsequeue("up", "--no-samples", *ports)
        try:
            self._pulsequeue("inventory", "seed")
            # Where stock is short, a replayed order may be decided otherwise than the first time.
            self._fill_stock()
            self._place(orders)
            backed_up_at = Clock().now()
            self._pulsequeue("backup", "create")
            self._report.backed_up_orders = len(self._count().orders)
            self._place(tail)
            before = self._settled()
            self._lose()
            since = (backed_up_at - _OVERLAP).isoformat().replace("+00:00", "Z")
            self._recover(since, before)
            self._compare(before, self._count())
        finally:
            self._pulsequeue("reset", "--yes")
        return self._report

    def _fill_stock(self) -> None:
        ops = self._ops()
        for stock in list(ops.store.scan_stock()):
            ops.store.set_stock(stock.key, stock=_PLENTY)

    def _place(self, count: int) -> None:
        self._progress(f"Placing {count} orders ...")
        self._pulsequeue("publish", "--count", str(count), "--rate", "40", "--wait", "--timeout", "180")

    def _settled(self) -> Counts:
        """Return the counts once the read side has every order."""
        return self._until(lambda found: sum(found.rows.values()) == len(found.orders))

    def _lose(self) -> None:
        self._progress("Losing the tables and the database ...")
        environment = open_environment("local", home=self._home)
        dynamodb = environment.client("dynamodb")
        for table in environment.topology.tables:
            dynamodb.delete_table(TableName=environment.names.table(table))
        with closing(psycopg.connect(self._dsn("postgres"), autocommit=True)) as connection:
            connection.execute(f"DROP DATABASE {database.NAME} WITH (FORCE)".encode())
            # A new cluster comes with an empty one.
            connection.execute(f"CREATE DATABASE {database.NAME}".encode())

    def _recover(self, since: str, before: Counts) -> None:
        self._step("pulsequeue up, in place of terraform apply", "up", "--no-samples")
        for table in RESTORED:
            # `up` gave the empty stack the sample catalog; Terraform leaves tables empty.
            replaced = ["--overwrite"] if table == "inventory" else []
            self._step(f"pulsequeue backup restore {table}", "backup", "restore", table, *replaced, "--yes")
        self._step("pulsequeue replay", "replay", "--from", since, "--yes")
        self._step("pulsequeue db rebuild", "db", "rebuild", "--yes", "--lossy")
        started = time.monotonic()
        self._until(lambda found: found.orders == before.orders and found.rows == before.rows)
        self._report.steps["orders and rows settle"] = time.monotonic() - started
        self._report.audit_is_clean = self._pulsequeue("audit", check=False) == 0

    def _compare(self, before: Counts, after: Counts) -> None:
        report = self._report
        report.orders = len(before.orders)
        report.lost = sorted(key for key, it in before.orders.items() if after.orders.get(key) != it)
        report.stock_differs = sorted(key for key, it in before.stock.items() if after.stock.get(key) != it)
        report.rows_before, report.rows_after = before.rows, after.rows

    def _count(self) -> Counts:
        ops = self._ops()
        with closing(psycopg.connect(self._dsn(database.NAME))) as connection:
            rows = connection.execute("SELECT status, count(*) FROM orders GROUP BY status").fetchall()
        return Counts(
            {str(it.key): it.status.value for it in ops.store.scan_orders()},
            {str(it.key): (it.stock, it.reserved, it.available) for it in ops.store.scan_stock()},
            {str(status): int(count) for status, count in rows},
        )

    def _until(self, holds: Callable[[Counts], bool]) -> Counts:
        deadline = time.monotonic() + _SETTLE_SECONDS
        while not holds(found := self._count()):
            if time.monotonic() > deadline:
                return found  # the report says what differs
            time.sleep(0.5)
        return found

    def _ops(self) -> AwsOpsContext:
        return AwsOpsContext(open_environment("local", home=self._home))

    def _dsn(self, name: str) -> str:
        state = StackState.read(self._home)
        if state is None:
            raise RuntimeError("the stack of the drill is not running.")
        return f"postgresql://{postgres.SUPERUSER}@{postgres.HOST}:{state.postgres_port}/{name}"

    def _step(self, name: str, *command: str) -> None:
        self._progress(f"{name} ...")
        started = time.monotonic()
        self._pulsequeue(*command)
        self._report.steps[name] = time.monotonic() - started

    def _pulsequeue(self, *command: str, check: bool = True) -> int:
        done = subprocess.run(  # noqa: S603 - our own commands
            [Path(sys.executable).with_name("pulsequeue"), *command],
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(
                f"pulsequeue {' '.join(command)} exited with {done.returncode}:\n{done.stderr}"
            )
        return done.returncode

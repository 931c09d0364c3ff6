"""Processes that outlive the command that starts them and are stopped by identity, not by pid."""

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from scripts.environment.local_state import ProcessRecord

# The kernel's boot time, which start times are counted from, is adjusted now and then by a fraction of a
# second; a pid is not given out again this soon.
_SAME_START_SECONDS = 1.0


def start(name: str, command: list[str], environ: Mapping[str, str], log: Path) -> ProcessRecord:
    """Start a command in a session of its own, so that Ctrl-C in this terminal does not reach it."""
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
    """Return the recorded process if it still runs; a later process with its pid is another one."""
    try:
        process = psutil.Process(record.pid)
        if abs(process.create_time() - record.created_at) > _SAME_START_SECONDS:
            return None
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
    except psutil.NoSuchProcess:
        return None
    return process


def stop(records: Sequence[ProcessRecord], *, timeout: float = 5.0) -> None:
    """Stop the recorded processes and all they started: asked first, killed when they will not."""
    roots = [process for record in records if (process := find(record))]
    family = [*roots, *(child for root in roots for child in _children(root))]
    for process in family:
        _signal(process, signal.SIGTERM)
    _, deaf = psutil.wait_procs(family, timeout=timeout)
    # What was started while we asked is caught here; its parent is still there to be asked about it.
    late = [child for process in deaf for child in _children(process)]
    for process in (*deaf, *late):
        _signal(process, signal.SIGKILL)
    psutil.wait_procs([*deaf, *late], timeout=timeout)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)  # psutil looks at the start time again before it signals
    except psutil.NoSuchProcess:
        return

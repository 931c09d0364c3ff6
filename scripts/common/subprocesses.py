"""Runs a program to its own end, also when somebody interrupts: what it holds, it has to let go of itself."""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType


def ended(
    command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None, kept: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run it where everybody sees what it says, or keep that; an interrupt is passed on once it has ended.

    The terminal tells it of the interrupt, too. Killed in the middle, as `subprocess.run` would do then,
    Terraform leaves its lock behind and forgets what it has made, and a verification leaves its queue.
    """
    pipe = subprocess.PIPE if kept else None
    interrupted = False
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=pipe, stderr=pipe, text=True) as process:
        while True:
            try:
                out, err = process.communicate()
                break
            except KeyboardInterrupt:
                interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@contextmanager
def interrupted_when_ended() -> Iterator[None]:
    """Have what is asked to end, or loses its terminal, interrupted instead, so that it cleans up first."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {it: signal.getsignal(it) for it in (signal.SIGTERM, signal.SIGHUP)}
    for it, handler in before.items():
        if handler is not signal.SIG_IGN:  # as `nohup` has it
            signal.signal(it, interrupt)
    try:
        yield
    finally:
        for it, handler in before.items():
            signal.signal(it, handler)

"""Runs a program to its own end, also when somebody interrupts: what it holds, it has to let go of itself."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


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

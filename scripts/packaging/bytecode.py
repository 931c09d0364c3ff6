"""Compiles a tree to bytecode that no source is held against, the same bytes wherever the tree lies."""

import subprocess
from pathlib import Path
from typing import Final

from scripts.common.errors import ToolError

TASK_ROOT: Final = "/var/task"
"""Where Lambda unpacks a package: the path that tracebacks name."""


def compile_tree(folder: Path, interpreter: Path) -> None:
    """Put bytecode that is never checked against its source beside every module."""
    # One worker: which strings two modules share, and with it their bytes, follows from who compiled what.
    command: list[str | Path] = [interpreter, "-sP", "-m", "compileall", "-q", "-f", "-j", "1"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", folder, "-p", TASK_ROOT, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONHASHSEED": "0"})
    if done.returncode != 0:
        raise ToolError(f"the package does not compile: {done.stdout.strip().splitlines()[-1]}")

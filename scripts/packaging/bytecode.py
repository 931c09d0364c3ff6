"""Compiles a tree to unchecked, reproducible bytecode: the same bytes in every folder."""

import subprocess
from pathlib import Path
from typing import Final

from scripts.common.errors import ToolError

TASK_ROOT: Final = "/var/task"
"""Where Lambda unpacks a package: the path that tracebacks name."""


def compile_tree(folder: Path, interpreter: Path) -> None:
    """Write bytecode beside every module that is never checked against its source (PEP 552)."""
    # One worker: how modules are spread over workers would change interned strings, and so the bytes.
    command: list[str | Path] = [interpreter, "-sP", "-m", "compileall", "-q", "-f", "-j", "1"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", folder, "-p", TASK_ROOT, folder]
    completed = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PYTHONHASHSEED": "0"}
    )
    if completed.returncode != 0:
        raise ToolError(f"compiling the package failed: {completed.stdout.strip().splitlines()[-1]}")

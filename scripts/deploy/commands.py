"""The commands that a deployment runs, behind protocols for which tests have fakes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT
from scripts.common.subprocesses import run_to_completion
from scripts.deploy import terraform

if TYPE_CHECKING:
    from collections.abc import Mapping


class Terraform(Protocol):
    def run(self, folder: Path, *arguments: str, shown: bool = False) -> str:
        """Run a command in a folder; `shown` prints its output. Raises when it fails."""


class CommandRunner(Protocol):
    def run(self, *command: str) -> int:
        """Run a command, print its output, and return its exit code."""


class InstalledCommands:
    """Runs commands that are installed in this virtual environment."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._folder = Path(sys.executable).parent
        self._environ = environ

    def run(self, *command: str) -> int:
        program, *arguments = command
        try:
            return run_to_completion(
                [self._folder / program, *arguments], cwd=CHECKOUT, env=self._environ
            ).returncode
        except FileNotFoundError:
            raise ToolError(f"{program} is not installed; run `make install`.") from None


def find_terraform() -> Terraform:
    return terraform.find()

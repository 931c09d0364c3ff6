"""Fetches the locked wheels of a target and unpacks them side by side."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from scripts.common.errors import ToolError
from scripts.environment.topology import CHECKOUT
from scripts.packaging.target import Platform, Target, uv

LOCK = CHECKOUT / "requirements" / "lambda.txt"

_GLIBC = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
"""What Amazon Linux 2023 can load, the newest first."""


class FetchError(ToolError):
    """The wheels cannot be had, for want of a network or of a wheel."""


def fetch(target: Target, folder: Path) -> None:
    """Unpack every wheel of the lock into the folder; nothing is built, every hash is checked."""
    what = ["--only-binary", ":all:", "--require-hashes", "--requirement", str(LOCK)]
    command_ends = [*what, "--target", str(folder)]
    said = ""
    # As when the project itself is installed: where uv cannot reach an index that pip knows of, pip can.
    for installer in (_with_uv(target), _with_pip(target)):
        done = subprocess.run([*installer, *command_ends], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        said = said or shorten(done.stderr, width=300) or "it was not said why"
    raise FetchError(f"the wheels for {target.platform}, Python {target.python}, cannot be fetched: {said}")


def _with_uv(target: Target) -> Sequence[str]:
    command = [uv(), "pip", "install", "--quiet", "--python", sys.executable, "--link-mode", "copy"]
    command += ["--python-version", target.python]
    if target.platform is not Platform.HOST:
        command += ["--python-platform", f"{target.platform}-{_GLIBC[0]}"]
    return command


def _with_pip(target: Target) -> Sequence[str]:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-compile", "--python-version", target.python, "--implementation", "cp"]
    if target.platform is not Platform.HOST:
        for glibc in _GLIBC:
            command += ["--platform", f"{glibc}_{target.platform}"]
    return command

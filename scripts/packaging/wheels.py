"""Downloads the locked wheels of a target and unpacks them into one folder."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT
from scripts.packaging.target import Platform, Target, uv

LOCK = CHECKOUT / "requirements" / "lambda.txt"

_GLIBC = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
"""Platform tags that Amazon Linux 2023 supports, newest first."""


class FetchError(ToolError):
    """The wheels cannot be downloaded: no network, or no such wheel."""


def fetch(target: Target, folder: Path) -> None:
    """Unpack every wheel of the lock into the folder; nothing is built, every hash is checked."""
    options = ["--only-binary", ":all:", "--require-hashes", "--requirement", str(LOCK)]
    arguments = [*options, "--target", str(folder)]
    problem = ""
    # As in scripts/install.sh: pip may be configured for an index that uv cannot reach.
    for installer in (_with_uv(target), _with_pip(target)):
        done = subprocess.run([*installer, *arguments], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        problem = problem or shorten(done.stderr, width=300) or "no error message"
    raise FetchError(
        f"the wheels for {target.platform}, Python {target.python}, cannot be downloaded: {problem}"
    )


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

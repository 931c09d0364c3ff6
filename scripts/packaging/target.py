"""The platform and Python version of a package, and the interpreter that compiles it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from scripts.common.errors import ToolError

LAMBDA_PYTHON = "3.13"
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


class Platform(StrEnum):
    AARCH64 = "aarch64"
    X86_64 = "x86_64"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Target:
    platform: Platform
    python: str
    """A minor version such as 3.13: bytecode and compiled wheels depend on it."""

    @classmethod
    def of(cls, platform: Platform, python: str | None = None) -> "Target":
        """Default to Lambda's Python, or to the running one when building for this machine."""
        return cls(platform, python or (THIS_PYTHON if platform is Platform.HOST else LAMBDA_PYTHON))

    def interpreter(self) -> Path:
        """Find a Python of this version; only it can write its bytecode."""
        for candidate in _candidates(self.python):
            if _version(candidate) == self.python:
                return candidate
        raise ToolError(
            f"Python {self.python}, which compiles the packages, is not installed; install it "
            f"(`.venv/bin/uv python install {self.python}`), or choose another version with --python."
        )


def _candidates(python: str) -> Iterator[Path]:
    yield Path(sys.executable)
    if on_path := shutil.which(f"python{python}"):
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{python}.*/bin/python"), reverse=True)
    arguments = ("python", "find", "--python-preference", "only-managed", "--no-python-downloads", python)
    found = subprocess.run([uv(), *arguments], capture_output=True, text=True, check=False)
    if found.returncode == 0:
        yield Path(found.stdout.strip())


def _version(interpreter: Path) -> str | None:
    # An executable on the PATH may be a stub that only reports the missing version.
    code = "import sys; print('{}.{}'.format(*sys.version_info))"
    completed = subprocess.run([interpreter, "-I", "-c", code], capture_output=True, text=True, check=False)
    return completed.stdout.strip() if completed.returncode == 0 else None


def uv() -> str:
    """Return the uv of this environment."""
    return str(Path(sys.executable).with_name("uv"))

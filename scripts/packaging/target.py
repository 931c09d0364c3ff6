"""What a package is built for, and the interpreter that compiles for it."""

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
    """Such as 3.13: bytecode and compiled wheels are for one minor version."""

    @classmethod
    def of(cls, platform: Platform, python: str | None = None) -> "Target":
        """Build for Lambda's Python, or on and for this machine for the one that runs."""
        return cls(platform, python or (THIS_PYTHON if platform is Platform.HOST else LAMBDA_PYTHON))

    def interpreter(self) -> Path:
        """Find a Python of this version: no other writes bytecode that it reads."""
        for candidate in _candidates(self.python):
            if _version(candidate) == self.python:
                return candidate
        raise ToolError(
            f"there is no Python {self.python} on this machine to compile the packages with; install it "
            f"(`.venv/bin/uv python install {self.python}`), or name another version with --python."
        )


def _candidates(python: str) -> Iterator[Path]:
    yield Path(sys.executable)
    if on_path := shutil.which(f"python{python}"):
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{python}.*/bin/python"), reverse=True)
    asked = ("python", "find", "--python-preference", "only-managed", "--no-python-downloads", python)
    found = subprocess.run([uv(), *asked], capture_output=True, text=True, check=False)
    if found.returncode == 0:
        yield Path(found.stdout.strip())


def _version(interpreter: Path) -> str | None:
    # What is on the path may be a stub that only says that the version is not there.
    told = "import sys; print('{}.{}'.format(*sys.version_info))"
    asked = subprocess.run([interpreter, "-I", "-c", told], capture_output=True, text=True, check=False)
    return asked.stdout.strip() if asked.returncode == 0 else None


def uv() -> str:
    """Return the uv of this environment."""
    return str(Path(sys.executable).with_name("uv"))

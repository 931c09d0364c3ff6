"""Files of the project outside its packages: those of the checkout, or the copies in an installed wheel."""

from pathlib import Path

from scripts.common.errors import ToolError

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGED = Path(__file__).resolve().parents[1] / "project_files"
"""Copied here when a wheel is built; pyproject.toml lists them."""

CHECKOUT = Path.cwd() if _PACKAGED.is_dir() else _ROOT
"""The checkout: the one this module is in, or for an installed wheel the current folder, if it is one."""


def project_file(path: str) -> Path:
    """Return a file or folder by its path in the repository."""
    return (_PACKAGED if _PACKAGED.is_dir() else _ROOT) / path


def require_checkout(command: str) -> None:
    """Refuse a command that an installed wheel alone cannot serve."""
    if _PACKAGED.is_dir():
        raise ToolError(
            f"`{command}` needs a checkout of the repository; in one, run `make install` "
            f"and then .venv/bin/{command}."
        )

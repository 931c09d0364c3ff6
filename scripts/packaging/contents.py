"""Selects the files of each package."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from scripts.packaging import botocore_data

_EXCLUDED: Final = (
    # Most of Powertools serves other kinds of functions.
    "aws_lambda_powertools/event_handler/openapi/swagger_ui",
    "aws_lambda_powertools/utilities",
    "aws_xray_sdk/ext",  # patches for libraries we do not have
    "botocore/data",
    "charset_normalizer/cli",
    "pydantic/mypy.py",
    "pydantic/v1",
    "stripe/events",  # of webhooks, which we read ourselves
    "stripe/params",  # types of parameters
    "bin",
)
_INCLUDED: Final = (
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/__init__.py",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/html.py",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/oauth2.py",
    "aws_lambda_powertools/utilities/__init__.py",
    "aws_lambda_powertools/utilities/data_classes",
    "aws_lambda_powertools/utilities/jmespath_utils",
    "aws_lambda_powertools/utilities/typing",
    "aws_xray_sdk/ext/__init__.py",
    "aws_xray_sdk/ext/boto_utils.py",
    "aws_xray_sdk/ext/botocore",
    "aws_xray_sdk/ext/resources",
    "aws_xray_sdk/ext/util.py",
)
_HTTP: Final = frozenset({"analytics", "commands", "datasets", "organizations", "session", "webhooks"})
_DATABASE: Final = frozenset({"analytics", "datasets"})
_ONLY_FOR: Final[Mapping[str, frozenset[str]]] = {
    # The logger imports the event handler only to log pydantic models; ours log plain values.
    "aws_lambda_powertools/event_handler": _HTTP,
    "aws_lambda_powertools/utilities/data_classes": _HTTP,
    "prometheus_client": frozenset({"metrics"}),
    "certifi": frozenset({"payment"}),
    "charset_normalizer": frozenset({"payment"}),
    "idna": frozenset({"payment"}),
    "requests": frozenset({"payment"}),
    "psycopg": _DATABASE,
    "psycopg_binary": _DATABASE,
    **dict.fromkeys(
        (
            "_duckdb",
            "adbc_driver_duckdb",
            "botocore/data/s3",
            "chardet",
            "clevercsv",
            "duckdb",
            "packaging",
            "regex",
        ),
        frozenset({"datasets"}),
    ),
    "standardwebhooks": frozenset({"webhooks"}),
    "stripe": frozenset({"payment"}),
}
"""Packages, and parts of them, that only these services import."""


def is_needed(path: PurePosixPath) -> bool:
    """Return whether any function needs this file of its dependencies."""
    if "__pycache__" in path.parts or path.suffix in {".pyi", ".c"} or path.name == "py.typed":
        return False
    top = path.parts[0]
    if top.endswith("-stubs"):
        return False
    if top.endswith(".dist-info"):
        # Names and versions stay: vulnerability scanners read them.
        return path.name == "METADATA"
    if botocore_data.is_data(path):
        return botocore_data.is_needed(path)
    return _is_below(path, _INCLUDED) or not _is_below(path, _EXCLUDED)


def shipped(path: PurePosixPath, content: bytes) -> tuple[PurePosixPath, bytes]:
    """Return the path and content to ship for a needed file."""
    if botocore_data.is_data(path):
        return botocore_data.trimmed(path, content)
    if path.name == "METADATA":
        # The description, a whole README, follows the first empty line.
        return path, content.partition(b"\n\n")[0] + b"\n"
    return path, content


def of_service(service: str, staged: Mapping[str, bytes]) -> dict[str, bytes]:
    """Select the files of one service: its own, the shared ones, and its dependencies."""
    return {path: content for path, content in staged.items() if _goes_with(service, PurePosixPath(path))}


def _goes_with(service: str, path: PurePosixPath) -> bool:
    top, *below = path.parts
    if top != "services":
        if "__mypyc." in top:
            # A compiled part of chardet or of charset_normalizer, under a name that its build invents.
            return service in {"datasets", "payment"}
        # A package may come with metadata (package-1.2.dist-info), libraries (package.libs) and a module
        # of its own (_package.abi3.so).
        package = re.split(r"[-.]", top, maxsplit=1)[0]
        module = PurePosixPath(package, *below)
        return all(service in only for part, only in _ONLY_FOR.items() if module.is_relative_to(part))
    of_a_service = len(below) > 1 and below[0] not in {"shared", "__pycache__"}
    return below[0] == service if of_a_service else True


def _is_below(path: PurePosixPath, prefixes: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(prefix) for prefix in prefixes)

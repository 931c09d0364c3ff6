"""Which files go into which package."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from scripts.packaging import botocore_data

_LEFT_OUT: Final = (
    # Most of Powertools is for functions of other kinds.
    "aws_lambda_powertools/event_handler/openapi/swagger_ui",
    "aws_lambda_powertools/utilities",
    "aws_xray_sdk/ext",  # patches for libraries we do not have
    "botocore/data",
    "pydantic/mypy.py",
    "pydantic/v1",
    "bin",
)
_KEPT_OF_THAT: Final = (
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
_ONLY_FOR: Final = {
    # The logger would want the event handler, too, for a pydantic model; ours are given plain values.
    "aws_lambda_powertools/event_handler": "analytics",
    "aws_lambda_powertools/utilities/data_classes": "analytics",
    "prometheus_client": "metrics",
    "psycopg": "analytics",
    "psycopg_binary": "analytics",
}
"""Packages, and parts of them, that one service alone imports."""


def is_needed(path: PurePosixPath) -> bool:
    """Tell whether a function has any use for a file of the packages it depends on."""
    if "__pycache__" in path.parts or path.suffix in {".pyi", ".c"} or path.name == "py.typed":
        return False
    top = path.parts[0]
    if top.endswith("-stubs"):
        return False
    if top.endswith(".dist-info"):
        # Names and versions stay: scanners for vulnerable packages go by them.
        return path.name == "METADATA"
    if botocore_data.is_data(path):
        return botocore_data.is_needed(path)
    return _is_among(path, _KEPT_OF_THAT) or not _is_among(path, _LEFT_OUT)


def shipped(path: PurePosixPath, content: bytes) -> tuple[PurePosixPath, bytes]:
    """Return what goes into the package in place of a file that is needed."""
    if botocore_data.is_data(path):
        return botocore_data.trimmed(path, content)
    if path.name == "METADATA":
        # The description, which is a whole readme, comes after the first empty line.
        return path, content.partition(b"\n\n")[0] + b"\n"
    return path, content


def of_service(service: str, staged: Mapping[str, bytes]) -> dict[str, bytes]:
    """Choose the files of one service: itself, what is shared, and what it depends on."""
    return {path: content for path, content in staged.items() if _goes_with(service, PurePosixPath(path))}


def _goes_with(service: str, path: PurePosixPath) -> bool:
    top, *below = path.parts
    if top != "services":
        # Beside a package lie its metadata (package-1.2.dist-info) and libraries of its own (package.libs).
        package = top.partition("-")[0].removesuffix(".libs")
        place = PurePosixPath(package, *below)
        return all(only == service for part, only in _ONLY_FOR.items() if place.is_relative_to(part))
    of_a_service = len(below) > 1 and below[0] not in {"shared", "__pycache__"}
    return below[0] == service if of_a_service else True


def _is_among(path: PurePosixPath, places: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(place) for place in places)

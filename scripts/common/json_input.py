"""Hand-written JSON from a file or standard input, with errors that name the place."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from pydantic import ValidationError

from scripts.common.errors import ToolError


def read_json(source: str, *, stdin: TextIO | None = None) -> object:
    """Read one JSON document; `-` is standard input."""
    name, text = _read(source, stdin)
    if not text.strip():
        raise ToolError(f"{name} is empty; expected a JSON document.")
    try:
        return json.loads(text, parse_constant=_reject_constant)
    except json.JSONDecodeError as error:
        raise ToolError(
            f"{name} is not JSON: {error.msg}, at line {error.lineno}, column {error.colno}."
        ) from None
    except ValueError as error:
        raise ToolError(f"{name} is not JSON: {error}.") from None
    except RecursionError:
        raise ToolError(f"{name} is nested too deeply.") from None


def _read(source: str, stdin: TextIO | None) -> tuple[str, str]:
    try:
        if source == "-":
            return "standard input", (stdin or sys.stdin).read()
        return source, Path(source).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ToolError(f"cannot read {source}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise ToolError(f"{source} is not UTF-8 text (byte {error.start}).") from None


def _reject_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")


_WORDS: Mapping[str, str] = {
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": (
        "has leading or trailing blanks, control characters, or a character that is not allowed"
    ),
}
"""Our words for pydantic's types of errors."""


def faults(error: ValidationError) -> list[str]:
    """Describe each invalid field: `items[1].quantity: must be at least 1`."""
    messages = []
    for fault in error.errors(include_url=False):
        message = fault["msg"].removeprefix("Value error, ")
        if words := _WORDS.get(fault["type"]):
            message = words.format_map(fault.get("ctx", {}))
        messages.append(f"{path(fault['loc'])}: {message}" if fault["loc"] else message)
    return messages


def path(location: Sequence[int | str]) -> str:
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")

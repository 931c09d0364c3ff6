"""What pydantic found wrong, said in the words of the document."""

from collections.abc import Sequence

from pydantic import ValidationError


def faults(error: ValidationError) -> list[str]:
    """Say what is wrong, field by field: `items[1].quantity: Input should be greater than 0`."""
    found = []
    for fault in error.errors(include_url=False, include_context=False):
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "string_pattern_mismatch":
            message = "has blanks at its ends, control characters, or a sign that is not allowed"
        found.append(f"{path(fault['loc'])}: {message}" if fault["loc"] else message)
    return found


def path(location: Sequence[int | str]) -> str:
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")

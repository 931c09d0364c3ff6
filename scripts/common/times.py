"""Moments and spans as people type them: `2026-01-31T12:00:00Z`, `2h` (ago), `now`."""

import re
from datetime import UTC, datetime, timedelta

from scripts.common.errors import ToolError

_SPAN = re.compile(r"(\d{1,9})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_USAGE = 2


def span(text: str) -> timedelta:
    """Read `90s`, `15m`, `2h`, `3d` or `1w`."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ToolError(f"{text!r} is not a span of time such as 90s, 15m, 2h or 3d.", exit_code=_USAGE)
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    except OverflowError:
        raise ToolError(f"{text!r} is too long a span of time.", exit_code=_USAGE) from None


def moment(text: str, now: datetime) -> datetime:
    """Read an RFC 3339 time with its offset, `now`, or a span that lies back from now."""
    if text.strip() == "now":
        return now
    if _SPAN.fullmatch(text.strip()):
        try:
            return now - span(text)
        except OverflowError:
            raise ToolError(f"{text!r} ago lies before all calendars.", exit_code=_USAGE) from None
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise ToolError(
            f"{text!r} is not a time such as 2026-01-31T12:00:00Z, 2h (ago) or now.", exit_code=_USAGE
        )
    return read.astimezone(UTC)


def ago(then: datetime, now: datetime) -> str:
    """Say how long ago something was, in one unit: `42s`, `7m`, `3h`, `2d`."""
    seconds = max(0, int((now - then).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"

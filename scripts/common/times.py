"""Times and durations of the command line: `2026-01-31T12:00:00Z`, `2h` (ago), `now`."""

import re
from datetime import UTC, datetime, timedelta

from scripts.common.errors import ToolError

_DURATION = re.compile(r"(\d{1,9})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_USAGE = 2


def parse_duration(text: str) -> timedelta:
    """Parse `90s`, `15m`, `2h`, `3d` or `1w`."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ToolError(f"{text!r} is not a duration such as 90s, 15m, 2h or 3d.", exit_code=_USAGE)
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    except OverflowError:
        raise ToolError(f"{text!r} is too long a duration.", exit_code=_USAGE) from None


def parse_time(text: str, now: datetime) -> datetime:
    """Parse an RFC 3339 time with an offset, `now`, or a duration before now."""
    if text.strip() == "now":
        return now
    if _DURATION.fullmatch(text.strip()):
        try:
            return now - parse_duration(text)
        except OverflowError:
            raise ToolError(f"{text!r} ago is before year 1.", exit_code=_USAGE) from None
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise ToolError(
            f"{text!r} is not a time such as 2026-01-31T12:00:00Z, 2h (ago) or now.", exit_code=_USAGE
        )
    return parsed.astimezone(UTC)


def ago(then: datetime, now: datetime) -> str:
    """Format an age in its largest unit: `42s`, `7m`, `3h`, `2d`."""
    seconds = max(0, int((now - then).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"

"""Texts of cells as exact values; what cannot be read without a guess is refused."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.datasets.domain import DateOrder, DecimalMark

_NO_DECIMALS: Final = frozenset(
    {*("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), *("UGX", "UYI", "VND")}
    | {"VUV", "XAF", "XOF", "XPF"}
)
_THREE_DECIMALS: Final = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_SPACES: Final = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
_SIGN: Final = rf"(?:[€$£¥]|[A-Z]{{3}})?[{_SPACES}]*"
_SIGN_BEHIND: Final = rf"[{_SPACES}]*(?:[€$£¥]|[A-Z]{{3}})?"
_TIME: Final = re.compile(
    r"(?P<date>[^T ]+)"
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?"
    r" ?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
_ISO: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_DATE: Final = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_ORDERS: "Final[Mapping[DateOrder, tuple[int, int, int]]]" = {
    "ymd": (0, 1, 2),
    "dmy": (2, 1, 0),
    "mdy": (2, 0, 1),
}
"""Where year, month and day stand."""


class ValueRefusedError(ValueError):
    """The text is no such value."""


def decimals_of(currency: str) -> int:
    """Return how many decimals the amounts of a currency have (ISO 4217)."""
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def amount(minor: int, currency: str) -> str:
    """Return an amount in minor units as people write it."""
    return f"{Decimal(minor).scaleb(-decimals_of(currency)):,}"


def number(text: str, mark: "DecimalMark") -> Decimal:
    """Return the exact number; it may have groups of three digits and a currency sign; (5) is -5."""
    group = rf"[{',' if mark == '.' else '.'}'\u2019{_SPACES}]"
    digits = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)(?:[{mark}]\d*)?|[{mark}]\d+"
    found = re.fullmatch(
        rf"(?P<open>\()?{_SIGN}(?P<minus>[+-])?{_SIGN}(?P<digits>{digits}){_SIGN_BEHIND}(?P<close>\))?", text
    )
    if not found or bool(found["open"]) != bool(found["close"]):
        raise ValueRefusedError(f"not a number such as 1234{mark}56")
    bare = re.sub(group, "", found["digits"]).replace(mark, ".")
    value = Decimal(bare)
    return -value if found["open"] or found["minus"] == "-" else value


def whole(value: Decimal) -> int:
    if value != value.to_integral_value():
        raise ValueRefusedError("not a whole number of units")
    return int(value)


def minor(value: Decimal, currency: str) -> int:
    """Return the amount in minor units; never rounded."""
    scaled = value.scaleb(decimals_of(currency))
    if scaled != scaled.to_integral_value():
        raise ValueRefusedError(f"{value} has more decimals than {currency} has")
    return int(scaled)


def moment(text: str, order: "DateOrder") -> datetime:
    """Return a date, or a date and time; without a zone it is UTC."""
    found = _TIME.fullmatch(text)
    date = found and (_ISO if order == "ymd" else _DATE).fullmatch(found["date"])
    if not found or not date:
        raise ValueRefusedError(f"not a date in the order {order}, with or without a time such as 14:30")
    parts = [int(part) for part in date.groups()]
    year, month, day = (parts[at] for at in _ORDERS[order])
    micro = int((found["part"] or "0").ljust(6, "0")[:6])
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    try:
        there = datetime(year, month, day, hour, minute, second, micro, tzinfo=_zone(found["zone"]))
        return there.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueRefusedError(f"no such date or time: {error}") from error


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1))

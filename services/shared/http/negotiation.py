"""What a client prefers, by the weights of its headers (RFC 9110, section 12.4.2)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_WEIGHT: Final = re.compile(r"q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


def preferred(accept: str | None, offered: Sequence[str]) -> str | None:
    """Return the offered media type that is accepted most, the first of several; None: none is accepted."""
    if not (accept or "").strip():
        return offered[0]
    ranges = {it.name: it.weight for it in choices(str(accept))}
    weights = {media_type: _weight_of(media_type, ranges) for media_type in offered}
    best = max(offered, key=weights.__getitem__)
    return best if weights[best] else None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values of a header such as Accept or Accept-Encoding."""

    name: str
    weight: float
    """Zero, not accepted, where it is unreadable."""
    parameters: Mapping[str, str]


def choices(header: str) -> Sequence[Choice]:
    return [_choice(part) for part in header.lower().split(",")]


def _choice(text: str) -> Choice:
    name, *rest = (part.strip() for part in text.split(";"))
    given = next((it for it in rest if re.match(r"q\s*=", it)), "q=1")
    weight = _WEIGHT.fullmatch(given)
    parameters = dict(it.split("=", 1) for it in rest if "=" in it and it != given)
    return Choice(name, float(weight[1]) if weight else 0.0, parameters)


def _weight_of(media_type: str, ranges: dict[str, float]) -> float:
    """Return the weight of the most specific range that holds the media type."""
    names = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
    return next((ranges[name] for name in names if name in ranges), 0.0)

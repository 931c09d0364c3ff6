"""Which media type a client prefers (RFC 9110, section 12.5.1)."""

import re
from collections.abc import Sequence
from typing import Final

_WEIGHT: Final = re.compile(r"q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


def preferred(accept: str | None, offered: Sequence[str]) -> str | None:
    """Return the offered media type that is accepted most, the first of several; None: none is accepted."""
    if not (accept or "").strip():
        return offered[0]
    ranges = dict(_range(part) for part in str(accept).lower().split(","))
    weights = {media_type: _weight_of(media_type, ranges) for media_type in offered}
    best = max(offered, key=weights.__getitem__)
    return best if weights[best] else None


def _range(text: str) -> tuple[str, float]:
    """Parse a range of media types with its weight; one whose weight is unreadable is not accepted."""
    name, *parameters = (part.strip() for part in text.split(";"))
    given = next((it for it in parameters if re.match(r"q\s*=", it)), "q=1")
    weight = _WEIGHT.fullmatch(given)
    return name, float(weight[1]) if weight else 0.0


def _weight_of(media_type: str, ranges: dict[str, float]) -> float:
    """Return the weight of the most specific range that holds the media type."""
    names = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
    return next((ranges[name] for name in names if name in ranges), 0.0)

"""Which web pages may read the answers: those of listed origins, and no others."""

from collections.abc import Collection, Mapping
from typing import Final

METHODS: Final = "GET, OPTIONS"

_PREFLIGHT: Final = {
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": "Authorization, Content-Type, If-None-Match",
    "access-control-max-age": "600",
}


def preflight_headers(origin: str | None, allowed: Collection[str]) -> Mapping[str, str]:
    """Tell a browser what the page of an origin may send; of unknown origins, nothing."""
    return _PREFLIGHT if origin in allowed else {}


def headers(origin: str | None, allowed: Collection[str]) -> Mapping[str, str]:
    """Tell a browser whether the page of an origin may see the answer."""
    if origin is None or origin not in allowed:
        return {}
    return {"access-control-allow-origin": origin, "access-control-expose-headers": "ETag"}

"""Conditional requests: responses that a client may keep, revalidated each time by their ETag."""

import hashlib
import json
import re
from enum import Enum
from typing import Final

_REPRESENTATION: Final = 1
"""Raised whenever the same rows come to be represented differently: what clients cached is then stale."""

_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')


class Caching(Enum):
    """Whether a client may keep a response, as `Cache-Control` says it."""

    REVALIDATED = "private, max-age=0, must-revalidate"
    NEVER = "no-store"


def etag(*parts: object) -> str:
    """Hash everything that a response depends on."""
    text = json.dumps([_REPRESENTATION, *parts], default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def matches(if_none_match: str | None, tag: str) -> bool:
    """Return whether the client has this very response."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag in _TAG.findall(if_none_match)

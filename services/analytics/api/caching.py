"""Answers that a reader may keep, as long as they are still true: each time, he asks whether they are."""

import hashlib
import json
import re
from enum import Enum
from typing import Final

_SHAPE: Final = 1
"""Raised whenever the same rows come to be told in another way: what readers kept is then no longer good."""

_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')


class Keeping(Enum):
    """Whether an answer may be kept, as `Cache-Control` says it."""

    REVALIDATED = "private, max-age=0, must-revalidate"
    NEVER = "no-store"


def etag(*parts: object) -> str:
    """Name an answer by everything that it depends on."""
    spelled = json.dumps([_SHAPE, *parts], default=str)
    return f'"{hashlib.sha256(spelled.encode()).hexdigest()[:32]}"'


def is_kept(if_none_match: str | None, tag: str) -> bool:
    """Tell whether the reader has this answer already."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag in _TAG.findall(if_none_match)

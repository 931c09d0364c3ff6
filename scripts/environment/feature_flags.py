"""Feature flags of the console: who sees what is not for everybody yet, and until when the flag may exist.

The page reads /flags.json before its first paint. A visitor is one of 100 variants, by the cookie that the
edge function sets; a flag is on for the first `share` of them.
"""

import json
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from scripts.common.errors import ToolError


class FeatureFlag(BaseModel):
    """After `ends` the flag must be gone: the feature is for everybody, or removed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    description: Annotated[str, Field(min_length=1)]
    share: Annotated[int, Field(ge=0, le=100)]
    ends: date


FLAGS: Final[Sequence[FeatureFlag]] = ()
"""None at present."""


def flags_json(flags: Sequence[FeatureFlag], today: date) -> bytes:
    """Return what the page reads; refuse a flag that has ended."""
    if ended := [it.name for it in flags if it.ends < today]:
        raise ToolError(
            f"the feature flags {', '.join(ended)} have ended; remove them, or the features that they hide."
        )
    return json.dumps({it.name: {"share": it.share, "ends": it.ends.isoformat()} for it in flags}).encode()

"""Posts JSON over HTTPS."""

import json
from typing import Final
from urllib.request import Request, urlopen

from services.notifications.formats import Body

_TIMEOUT_SECONDS: Final = 5


def post(url: str, content: Body) -> None:
    """Send one body; OSError if the receiver is away, answers an error, or takes longer than five seconds."""
    request = Request(  # noqa: S310 -- an operator's address; `pulsequeue alerts add` admits https only
        url, json.dumps(content).encode(), {"content-type": "application/json"}, method="POST"
    )
    with urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 -- as above
        response.read()

"""Calls the HTTP API as a signed-in user."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from scripts.common.errors import ToolError

_TRIES: Final = 5
_TIMEOUT_SECONDS: Final = 30.0
_TOKEN_SECONDS: Final = 240.0
"""A token lives five minutes."""
_RETRIED: Final = frozenset({429, 503})


class ApiClient:
    def __init__(
        self,
        api_url: str,
        sign_in: Callable[[], str],
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._url = api_url.rstrip("/")
        self._sign_in = sign_in
        self._now = now
        self._sleep = sleep
        self._token: tuple[float, str] | None = None

    def call(self, method: str, path: str, body: object = None, **query: str | None) -> Any:  # noqa: ANN401 - JSON
        """Return the `data` of a response, or raise what the API refuses."""
        given = {name: value for name, value in query.items() if value is not None}
        url = f"{self._url}{path}" + (f"?{urlencode(given)}" if given else "")
        for left in reversed(range(_TRIES)):
            status, answer, wait = self._send(method, url, body)
            if status not in _RETRIED or not left:
                break
            self._sleep(wait)
        if status >= 400:  # noqa: PLR2004 - HTTP
            raise ToolError(_reason(status, answer))
        return json.loads(answer)["data"]

    def _send(self, method: str, url: str, body: object) -> tuple[int, str, float]:
        headers = {"Authorization": f"Bearer {self._bearer()}"}
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(url, content, headers, method=method)  # noqa: S310 - our own address
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - our own address
                return response.status, response.read().decode(), 0
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
                return error.code, text, float(error.headers.get("Retry-After") or 1)
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            raise ToolError(f"{self._url} does not respond: {error}.") from error

    def _bearer(self) -> str:
        if self._token is None or self._now() - self._token[0] > _TOKEN_SECONDS:
            self._token = (self._now(), self._sign_in())
        return self._token[1]


def _reason(status: int, answer: str) -> str:
    """Return what a problem document says, or the status."""
    try:
        problem = json.loads(answer)
        errors = "; ".join(f"{it['parameter']} {it['problem']}" for it in problem.get("errors") or ())
        return f"{problem['title']}: {errors or problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"the API answered with HTTP status {status}."

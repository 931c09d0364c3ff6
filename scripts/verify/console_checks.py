"""Checks of the one origin that browsers use: a session there has to reach the API as a token."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scripts.environment.console_site import fetch, find_site
from scripts.verify.checks import CheckFailedError, CheckSkippedError
from scripts.verify.endpoints import http_get

if TYPE_CHECKING:
    from scripts.environment.environment import Environment
    from scripts.verify.checks import Poller
    from scripts.verify.endpoints import Endpoints

_PATH: Final = "/api/me"
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_RETRY_SECONDS: Final = 30.0


class ConsoleChecks:
    def __init__(self, environment: Environment, endpoints: Endpoints, poller: Poller) -> None:
        self._environment = environment
        self._endpoints = endpoints
        self._poller = replace(poller, timeout=min(poller.timeout, _RETRY_SECONDS))

    def session_reaches_the_api(self) -> str:
        """Ask the API through the distribution, with the session cookie of a signed-in user."""
        if self._endpoints.token is None:
            raise CheckSkippedError("no user to sign in as; set PULSEQUEUE_USER and PULSEQUEUE_PASSWORD")
        url, token = find_site(self._environment).url, self._endpoints.token()
        self._poller.until_no_problems(lambda: self._problems(url, token), "; ".join)
        return f"{url}{_PATH} answers a session as the API answers its token"

    def _problems(self, url: str, token: str) -> list[str]:
        answer = fetch(f"{url}{_PATH}", {"Cookie": f"__Host-session={token}"})
        status = answer.status
        if status == _OK:
            direct_body = http_get(f"{self._endpoints.api()}{_PATH}", token).body
            same = json.loads(answer.body) == direct_body
            return [] if same else [f"{url}{_PATH} answers a session otherwise than the API its token"]
        if status != _UNAUTHORIZED:
            return [f"{url}{_PATH} returns {status} for a session, expected {_OK}"]
        direct = http_get(f"{self._endpoints.api()}{_PATH}", token).status
        if direct != _OK:
            raise CheckFailedError(f"the API itself returns {direct} for the user's token, expected {_OK}")
        not_forwarded = (
            f"{url}{_PATH} returns {status} for a session whose token the API accepts: CloudFront does not "
            "forward the Authorization header that the edge function sets. The behavior of /api/* needs the "
            "published function on viewer-request, the cache policy CachingDisabled and the origin request "
            "policy AllViewerExceptHostHeader (infra/modules/site)"
        )
        return [not_forwarded]

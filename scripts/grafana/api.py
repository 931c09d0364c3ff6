"""The part of Grafana's HTTP API that `grafana setup` needs; every failure becomes a ToolError."""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import SplitResult, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, SSLError

from scripts.common.errors import ToolError

WRONG_ARGUMENT = 2
UNREACHABLE = 3
REFUSED = 4
NOT_SUPPORTED = 5

OLDEST = (11, 0)
"""Older versions are out of support, and the dashboards are not tested with them."""

_TIMEOUT = urllib3.Timeout(connect=5, read=30)
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Login:
    user: str
    password: str = field(repr=False)

    def header(self) -> str:
        return f"Basic {b64encode(f'{self.user}:{self.password}'.encode()).decode()}"


def checked_url(url: str, whose: str) -> str:
    """Return an address without its last slash; errors never repeat it, because it may hold a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ToolError(
            f"the address of {whose} should be like http://localhost:3000.", exit_code=WRONG_ARGUMENT
        )
    if parts.username is not None or parts.password is not None:
        raise ToolError(
            f"the address of {whose} should hold no user or password; pass them as arguments.",
            exit_code=WRONG_ARGUMENT,
        )
    if parts.query or parts.fragment:
        raise ToolError(f"the address of {whose} should end with its path.", exit_code=WRONG_ARGUMENT)
    return url.rstrip("/")


class GrafanaApi:
    """A client of one Grafana, logged in as one user."""

    def __init__(self, url: str, login: Login) -> None:
        self._url = checked_url(url, "Grafana")
        self._login = login
        # Redirects are not followed: a POST would arrive as a GET, and the password at another host.
        self._pool = urllib3.PoolManager(
            timeout=_TIMEOUT,
            retries=urllib3.Retry(connect=2, read=0, redirect=0, other=0, backoff_factor=0.2),
            headers={"Accept": "application/json"},
        )

    @property
    def url(self) -> str:
        return self._url

    def version(self) -> str | None:
        """Check that a supported, healthy Grafana answers; None when it hides its version."""
        status, body = self._exchange("GET", "/api/health", authorized=False)
        if not isinstance(body, dict) or "database" not in body:
            raise ToolError(
                f"{self._url} answers, but not as Grafana does; check the address and its path.",
                exit_code=NOT_SUPPORTED,
            )
        if status != HTTPStatus.OK or body["database"] != "ok":
            raise ToolError(
                f"Grafana at {self._url} is unhealthy: its database reports {body['database']!r}."
            )
        version = body.get("version")
        if isinstance(version, str) and _numbers(version) < OLDEST:
            raise ToolError(
                f"Grafana at {self._url} is version {version}; {OLDEST[0]}.{OLDEST[1]} or newer is needed.",
                exit_code=NOT_SUPPORTED,
            )
        return version if isinstance(version, str) else None

    def get(self, path: str) -> Json | None:
        """Read a resource; None when it does not exist."""
        status, body = self._exchange("GET", path)
        if status == HTTPStatus.NOT_FOUND:
            return None
        return self._expected("GET", path, status, body)

    def post(self, path: str, document: Json) -> Json:
        return self._expected("POST", path, *self._exchange("POST", path, document))

    def put(self, path: str, document: Json) -> Json:
        return self._expected("PUT", path, *self._exchange("PUT", path, document))

    def health_problem(self, path: str) -> str | None:
        """Run a health check; return its failure message, None when it passes."""
        status, body = self._exchange("GET", path)
        self._raise_if_refused(status, body)
        return None if status == HTTPStatus.OK else _message(body) or f"status {status}"

    def _exchange(
        self, method: str, path: str, document: Json | None = None, *, authorized: bool = True
    ) -> tuple[int, object]:
        headers = {**self._pool.headers}
        if authorized:
            headers["Authorization"] = self._login.header()
        try:
            answer = self._pool.request(
                method, f"{self._url}{path}", json=document, headers=headers, redirect=False
            )
        except HTTPError as error:
            self._unreachable(error)
        if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
            raise ToolError(
                f"{self._url} redirects elsewhere; use the address of Grafana itself.",
                exit_code=NOT_SUPPORTED,
            )
        try:
            return answer.status, json.loads(answer.data)
        except ValueError:
            return answer.status, None

    def _expected(self, method: str, path: str, status: int, body: object) -> Json:
        self._raise_if_refused(status, body)
        if not isinstance(body, dict):
            raise ToolError(
                f"{self._url} answers {method} {path} with no JSON; is a proxy in between?",
                exit_code=NOT_SUPPORTED,
            )
        if status >= HTTPStatus.BAD_REQUEST:
            raise ToolError(f"Grafana could not do {method} {path}: {_message(body) or f'status {status}'}")
        return body

    def _raise_if_refused(self, status: int, body: object) -> None:
        if status == HTTPStatus.UNAUTHORIZED:
            raise ToolError(
                f"Grafana at {self._url} does not accept this password for {self._login.user}.",
                exit_code=REFUSED,
            )
        if status == HTTPStatus.FORBIDDEN:
            because = f" ({_message(body)})" if _message(body) else ""
            raise ToolError(
                f"Grafana does not let {self._login.user} do this{because}; the role Admin is needed.",
                exit_code=REFUSED,
            )

    def _unreachable(self, error: HTTPError) -> NoReturn:
        cause = error.reason if isinstance(error, MaxRetryError) else error
        why = "its certificate is not trusted" if isinstance(cause, SSLError) else "nothing answers there"
        raise ToolError(f"Grafana cannot be reached at {self._url}: {why}.", exit_code=UNREACHABLE) from None


def _message(body: object) -> str:
    message = body.get("message") if isinstance(body, dict) else None
    return message if isinstance(message, str) else ""


def _numbers(version: str) -> tuple[int, ...]:
    """Read 12.1.0-pre as (12, 1)."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())

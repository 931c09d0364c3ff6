"""Answers a scrape from the newest snapshot: no CloudWatch call, the same bytes for every scraper."""

import base64
import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.metrics.content_negotiation import choose_format, takes_gzip
from services.metrics.snapshot import Edition, Format
from services.metrics.token_auth import EmptyTokenError, TokenAuth
from services.shared.errors import TransientError
from services.shared.log_events import LogEvent
from services.shared.telemetry import Telemetry

_PLAIN = {"content-type": "text/plain; charset=utf-8"}


class PageStore(Protocol):
    """Rendered pages by version."""

    def latest(self) -> Edition | None: ...

    def page(self, form: Format) -> tuple[Edition, bytes] | None: ...


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def for_gateway(self) -> dict[str, Any]:
        """The response format of an HTTP API's Lambda integration."""
        return {
            "statusCode": self.status,
            "headers": {"cache-control": "no-store", **self.headers},
            "body": base64.b64encode(self.body).decode(),
            "isBase64Encoded": True,
        }


class Exposition:
    def __init__(
        self,
        auth: TokenAuth,
        page_store: PageStore,
        telemetry: Telemetry,
        *,
        stale_seconds: int,
        clock: Callable[[], float],
    ) -> None:
        self._auth = auth
        self._page_store = page_store
        self._telemetry = telemetry
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._cached: dict[Format, tuple[int, int, bytes]] = {}

    def answer(self, headers: Mapping[str, str]) -> Response:
        """Answer a scrape by its headers, whose names are lower case."""
        try:
            if not self._auth.allows(headers.get("authorization", "")):
                return Response(
                    401,
                    {**_PLAIN, "www-authenticate": 'Bearer realm="pulsequeue metrics"'},
                    b"Send the header `Authorization: Bearer <token>` with the token for scraping.\n",
                )
            return self._page(choose_format(headers.get("accept", "")), headers)
        except (TransientError, EmptyTokenError) as error:
            self._telemetry.warning(LogEvent.SCRAPE_FAILED, why=str(error))
            return _unavailable("The metrics cannot be read; see the function's log, then retry.")

    def _page(self, form: Format, headers: Mapping[str, str]) -> Response:
        edition = self._page_store.latest()
        if edition is None:
            return _unavailable("There are no metrics yet: the collector has not run. Retry in a minute.")
        page = self._cached_page(form, edition)
        age = self._clock() - edition.collected_at
        if age > self._stale_seconds:
            return _unavailable(
                f"The metrics are {age:.0f} s old; at most {self._stale_seconds} s are allowed. "
                "Check that the collector runs and that CloudWatch answers it."
            )
        page_headers = {"content-type": form.content_type, "vary": "Accept, Accept-Encoding"}
        if takes_gzip(headers.get("accept-encoding", "")):
            return Response(200, {**page_headers, "content-encoding": "gzip"}, page)
        return Response(200, page_headers, gzip.decompress(page))

    def _cached_page(self, form: Format, edition: Edition) -> bytes:
        """Read each version once per process."""
        version, collected_at, page = self._cached.get(form, (0, 0, b""))
        # A table that was emptied or restored starts again with lower versions.
        if (version, collected_at) != (edition.version, edition.collected_at):
            found = self._page_store.page(form)
            if found is None:
                raise SnapshotMissingError("the snapshot was deleted while it was read")
            newest, page = found
            self._cached[form] = newest.version, newest.collected_at, page
        return page


class SnapshotMissingError(TransientError):
    """The table was emptied."""


def _unavailable(reason: str) -> Response:
    return Response(503, {**_PLAIN, "retry-after": "60"}, f"{reason}\n".encode())

"""Answers one scrape from the newest snapshot: no CloudWatch call, the same bytes for everyone."""

import base64
import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.metrics.content_negotiation import choose_format, takes_gzip
from services.metrics.snapshot import Edition, Format
from services.metrics.token_auth import EmptyTokenError, Gate
from services.shared.errors import TransientError
from services.shared.log_events import LogEvent
from services.shared.telemetry import Telemetry

_PLAIN = {"content-type": "text/plain; charset=utf-8"}


class Shelf(Protocol):
    """Where pages are kept."""

    def latest(self) -> Edition | None: ...

    def page(self, form: Format) -> tuple[Edition, bytes] | None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def for_gateway(self) -> dict[str, Any]:
        """What an HTTP API takes from a function."""
        return {
            "statusCode": self.status,
            "headers": {"cache-control": "no-store", **self.headers},
            "body": base64.b64encode(self.body).decode(),
            "isBase64Encoded": True,
        }


class Exposition:
    def __init__(
        self,
        gate: Gate,
        shelf: Shelf,
        telemetry: Telemetry,
        *,
        stale_seconds: int,
        clock: Callable[[], float],
    ) -> None:
        self._gate = gate
        self._shelf = shelf
        self._telemetry = telemetry
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._kept: dict[Format, tuple[int, bytes]] = {}

    def answer(self, headers: Mapping[str, str]) -> Answer:
        """Answer a scraper by its headers, whose names are lower case."""
        try:
            if not self._gate.admits(headers.get("authorization", "")):
                return Answer(
                    401,
                    {**_PLAIN, "www-authenticate": 'Bearer realm="pulsequeue metrics"'},
                    b"Send the header `Authorization: Bearer <token>` with the token for scraping.\n",
                )
            return self._page(choose_format(headers.get("accept", "")), headers)
        except (TransientError, EmptyTokenError) as error:
            self._telemetry.warning(LogEvent.SCRAPE_FAILED, why=str(error))
            return _unavailable("The numbers cannot be read now; the function's log says why.")

    def _page(self, form: Format, headers: Mapping[str, str]) -> Answer:
        edition = self._shelf.latest()
        if edition is None:
            return _unavailable("There are no numbers yet: the collector has not run.")
        page = self._kept_page(form, edition)
        age = self._clock() - edition.collected_at
        if age > self._stale_seconds:
            return _unavailable(
                f"The numbers are {age:.0f} s old, more than the {self._stale_seconds} s allowed: "
                "the collector does not run, or CloudWatch does not answer it."
            )
        told = {"content-type": form.content_type, "vary": "Accept, Accept-Encoding"}
        if takes_gzip(headers.get("accept-encoding", "")):
            return Answer(200, {**told, "content-encoding": "gzip"}, page)
        return Answer(200, told, gzip.decompress(page))

    def _kept_page(self, form: Format, edition: Edition) -> bytes:
        """Read each version once in the life of the process."""
        version, page = self._kept.get(form, (0, b""))
        if version < edition.version:
            found = self._shelf.page(form)
            if found is None:
                raise VanishedError("the snapshot vanished while it was read")
            newest, page = found
            self._kept[form] = newest.version, page
        return page


class VanishedError(TransientError):
    """Someone emptied the table."""


def _unavailable(reason: str) -> Answer:
    return Answer(503, {**_PLAIN, "retry-after": "60"}, f"{reason}\n".encode())

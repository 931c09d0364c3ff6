"""Places orders through the HTTP API; the id of each order is its idempotency key."""

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from scripts.common.errors import ToolError
from services.commands.domain import order_id
from services.shared.events import Event
from services.shared.http.identity import TENANT_CLAIM
from services.shared.ledger import Key

_CONCURRENT_CALLS: Final = 4
_TRIES: Final = 8
_TIMEOUT_SECONDS: Final = 30.0
_TOKEN_SECONDS: Final = 240.0
"""A token lives five minutes."""
_RETRIED: Final = frozenset({429, 503})
_NOT_OURS_TO_SEND: Final = frozenset({"orderId", "tenantId", "eventId", "placedAt"})


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: Any
    retry_after: float


_TIMED_OUT: Final = _Answer(503, "no response", 1)
"""Sent again: the key makes sure that it is placed once."""


class HttpOrders:
    """Implements `scripts.ops.context.Bus` for orders."""

    def __init__(
        self,
        api_url: str,
        sign_in: Callable[[], str],
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._url = f"{api_url.rstrip('/')}/api/orders"
        self._sign_in = sign_in
        self._now = now
        self._sleep = sleep
        self._token: tuple[float, str] | None = None
        self._pool = ThreadPoolExecutor(max_workers=_CONCURRENT_CALLS)

    @property
    def tenant(self) -> str:
        """The tenant that the token names: all orders are placed for it."""
        payload = self._bearer().split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if not claims.get(TENANT_CLAIM):
            raise ToolError("the user is a member of no organization; invite them with `pulsequeue user`.")
        return str(claims[TENANT_CLAIM])

    def accepted_as(self, key: Key) -> Key:
        """Return the key of the order that was placed under an order id of ours."""
        return Key(self.tenant, order_id(self.tenant, key.id))

    def publish(self, events: Sequence[Event]) -> Collection[Event]:
        """Place orders; returns those that were not accepted in several tries."""
        self._bearer()  # once, before the threads want it
        accepted = list(self._pool.map(self._place, events))
        return [event for event, placed in zip(events, accepted, strict=True) if not placed]

    def _place(self, event: Event) -> bool:
        detail: Mapping[str, Any] = json.loads(event.wire())
        body = {name: value for name, value in detail.items() if name not in _NOT_OURS_TO_SEND}
        for _ in range(_TRIES):
            answer = self._post(body, event.correlation_id)
            if answer.status == 202:  # noqa: PLR2004 - HTTP
                return True
            if answer.status not in _RETRIED:
                raise ToolError(f"the API refused order {event.correlation_id!r}: {_reason(answer)}")
            self._sleep(answer.retry_after)
        return False

    def _post(self, body: object, key: str) -> _Answer:
        request = urllib.request.Request(  # noqa: S310 - our own address
            self._url,
            json.dumps(body).encode(),
            {
                "Authorization": f"Bearer {self._bearer()}",
                "Content-Type": "application/json",
                "Idempotency-Key": key,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - our own address
                return _Answer(response.status, json.load(response), 0)
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
                return _Answer(error.code, text, float(error.headers.get("Retry-After") or 1))
        except TimeoutError:
            return _TIMED_OUT
        except (urllib.error.URLError, ConnectionError) as error:
            raise ToolError(f"{self._url} does not respond: {error}") from error

    def _bearer(self) -> str:
        if self._token is None or self._now() - self._token[0] > _TOKEN_SECONDS:
            self._token = (self._now(), self._sign_in())
        return self._token[1]


def _reason(answer: _Answer) -> str:
    """Return what a problem document says, or the status."""
    try:
        problem = json.loads(answer.body)
        errors = "; ".join(f"{it['parameter']}: {it['problem']}" for it in problem.get("errors") or ())
        return f"{problem['title']} ({answer.status}). {errors or problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"HTTP status {answer.status}."

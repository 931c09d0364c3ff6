"""Hears Stripe's asynchronous answers: a signed request in, one internal event out.

The event only wakes the payment service, which asks the gateway by the intent in the order. So a request that
is stale, or signed by somebody who stole the secret, changes nothing that Stripe itself would not confirm.
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ValidationError

from services.shared.errors import TransientError
from services.shared.events import Identifier, PaymentAnswered, event_id
from services.shared.ledger import Key
from services.shared.log_events import LogEvent
from services.shared.outbox import EventBus, Outbox
from services.shared.telemetry import Telemetry

TOLERANCE: Final = timedelta(minutes=5)
"""How old, or how far ahead of our clock, a signature may be: later copies of a request are refused."""
MOST_BYTES: Final = 256_000

_OUTCOMES: Final[dict[str, Literal["succeeded", "failed"]]] = {
    "payment_intent.succeeded": "succeeded",
    "payment_intent.payment_failed": "failed",
    "payment_intent.canceled": "failed",
}


class _Metadata(BaseModel):
    """What StripeGateway writes into each intent."""

    tenant_id: Identifier
    order_id: Identifier


class _Intent(BaseModel):
    metadata: _Metadata


class _Data(BaseModel):
    object: _Intent


class _Head(BaseModel):
    type: str


class _Answer(_Head):
    id: Identifier
    created: AwareDatetime
    data: _Data


class StripeWebhook:
    def __init__(
        self,
        secrets: Callable[[], str],
        bus: EventBus,
        telemetry: Telemetry,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        """Take the signing secrets of the endpoint, separated by blanks: two while one replaces the other."""
        self._secrets = secrets
        self._bus = bus
        self._telemetry = telemetry
        self._clock = clock

    def handle(self, body: bytes, signature: str) -> HTTPStatus:
        """Return the status for Stripe, which repeats a request for days unless it is 2xx."""
        try:
            if len(body) > MOST_BYTES or not self._is_signed(body, signature):
                self._telemetry.warning(LogEvent.ANSWER_REFUSED, why="no valid signature")
                return HTTPStatus.BAD_REQUEST
            event = _answered(body)
            if event is None:
                self._telemetry.info(LogEvent.ANSWER_IGNORED)
                return HTTPStatus.OK
            outbox = Outbox()
            outbox.add([event.event_id], [event])
            if outbox.send(self._bus, self._telemetry):
                return HTTPStatus.SERVICE_UNAVAILABLE
        except TransientError as error:
            self._telemetry.warning(LogEvent.REQUEST_UNAVAILABLE, why=str(error))
            return HTTPStatus.SERVICE_UNAVAILABLE
        key = Key(event.tenant_id, event.order_id)
        self._telemetry.info(LogEvent.ANSWER_RECEIVED, key, outcome=event.outcome)
        return HTTPStatus.OK

    def _is_signed(self, body: bytes, header: str) -> bool:
        """Check `t=<Unix time>,v1=<HMAC-SHA256 of time, full stop and body>`; other schemes are ignored.

        Not with the `stripe` package, which takes a quarter of a second to import.
        """
        pairs = [part.strip().partition("=")[::2] for part in header.split(",")]
        given = [value for name, value in pairs if name == "v1"]
        stamp = dict(pairs).get("t", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _STAMP_DIGITS):
            return False
        if abs(self._clock().timestamp() - int(stamp)) > TOLERANCE.total_seconds():
            return False
        return any(
            hmac.compare_digest(_signature(secret, stamp, body), signature.encode())
            for secret in self._secrets().split()
            for signature in given
        )


_STAMP_DIGITS = 12


def _signature(secret: str, stamp: str, body: bytes) -> bytes:
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest().encode()


def _answered(body: bytes) -> PaymentAnswered | None:
    """Read a signed event; None if it is no answer to a payment of ours."""
    try:
        outcome = _OUTCOMES.get(_Head.model_validate_json(body).type)
        if outcome is None:
            return None
        answer = _Answer.model_validate_json(body)
    except ValidationError:
        return None
    about = answer.data.object.metadata
    return PaymentAnswered(
        # The same for each delivery of one answer.
        event_id=event_id(about.tenant_id, about.order_id, PaymentAnswered.detail_type(), answer.id),
        correlation_id=about.order_id,
        occurred_at=answer.created.astimezone(UTC),
        tenant_id=about.tenant_id,
        order_id=about.order_id,
        outcome=outcome,
    )

"""Only what Stripe signed, and signed lately, wakes the payment service; and it wakes it with one event."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest

from services.payment.stripe_webhook import MOST_BYTES, TOLERANCE, StripeWebhook
from services.shared.errors import TransientError
from services.shared.events import PaymentAnswered
from services.shared.log_events import LogEvent
from tests.support.builders import a_key
from tests.support.fakes import START, RecordingBus, RecordingTelemetry

SECRET = "whsec_ours"


def answer(kind: str = "payment_intent.succeeded", **metadata: str) -> dict[str, Any]:
    return {
        "id": "evt_1",
        "object": "event",
        "type": kind,
        "created": 1_790_000_000,
        "data": {
            "object": {
                "id": "pi_1",
                "object": "payment_intent",
                "metadata": {"tenant_id": "default", "order_id": "order-1", **metadata},
            }
        },
    }


def signed(body: bytes, *secrets: str, at: datetime = START) -> str:
    """Sign as https://docs.stripe.com/webhooks describes it."""
    stamp = int(at.timestamp())
    macs = [
        hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        for secret in secrets
    ]
    return ",".join([f"t={stamp}", *(f"v1={mac}" for mac in macs), "v0=of-tests-only"])


class Endpoint:
    def __init__(self, secrets: Callable[[], str] = lambda: SECRET) -> None:
        self.bus = RecordingBus()
        self.telemetry = RecordingTelemetry()
        self.webhook = StripeWebhook(secrets, self.bus, self.telemetry, clock=lambda: START)

    def post(self, content: object, signature: str | None = None) -> HTTPStatus:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.webhook.handle(body, signed(body, SECRET) if signature is None else signature)


def test_a_signed_answer_becomes_one_internal_event() -> None:
    endpoint = Endpoint()

    assert endpoint.post(answer()) is HTTPStatus.OK

    [event] = endpoint.bus.published
    assert isinstance(event, PaymentAnswered)
    assert (event.tenant_id, event.order_id, event.outcome) == ("default", "order-1", "succeeded")
    assert event.occurred_at == datetime.fromtimestamp(1_790_000_000, UTC)
    assert endpoint.telemetry.lines == [
        (LogEvent.ANSWER_RECEIVED, a_key("order-1"), {"outcome": "succeeded"})
    ]


@pytest.mark.parametrize("kind", ["payment_intent.payment_failed", "payment_intent.canceled"])
def test_what_failed_or_was_given_up_is_a_failure(kind: str) -> None:
    endpoint = Endpoint()

    endpoint.post(answer(kind))

    assert [event.outcome for event in endpoint.bus.published if isinstance(event, PaymentAnswered)] == [
        "failed"
    ]


def test_each_delivery_of_an_answer_is_the_same_event() -> None:
    endpoint = Endpoint()

    endpoint.post(answer())
    endpoint.post(answer())
    endpoint.post({**answer(), "id": "evt_2"})

    first, again, other = endpoint.bus.published
    assert first == again
    assert other.event_id != first.event_id


BODY = json.dumps(answer()).encode()


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "t=,v1=",
        f"t={int(START.timestamp())}",
        f"t={int(START.timestamp())},v1=",
        "t=never,v1=00",
        "t=²,v1=00",
        f"t={'9' * 5_000},v1=00",
        signed(BODY, "whsec_of_a_stranger"),
        signed(BODY, ""),
        signed(BODY, SECRET).replace("v1=", "v0="),
        signed(BODY[:-1], SECRET),
        signed(BODY, SECRET).replace("v1=", "v1=é"),
        signed(BODY, SECRET, at=START - TOLERANCE - timedelta(seconds=1)),
        signed(BODY, SECRET, at=START + TOLERANCE + timedelta(seconds=1)),
        # The stamp is part of what is signed.
        signed(BODY, SECRET, at=START - timedelta(hours=1)).replace(
            str(int((START - timedelta(hours=1)).timestamp())), str(int(START.timestamp()))
        ),
    ],
)
def test_what_stripe_did_not_sign_lately_is_refused(signature: str) -> None:
    endpoint = Endpoint()

    assert endpoint.post(BODY, signature) is HTTPStatus.BAD_REQUEST
    assert endpoint.bus.published == []
    assert [event for event, _, _ in endpoint.telemetry.lines] == [LogEvent.ANSWER_REFUSED]


def test_the_window_of_replays_is_as_long_as_it_says() -> None:
    for at in (START - TOLERANCE, START + TOLERANCE):
        assert Endpoint().post(BODY, signed(BODY, SECRET, at=at)) is HTTPStatus.OK


def test_a_new_secret_is_accepted_beside_the_old_one() -> None:
    endpoint = Endpoint(lambda: "whsec_new whsec_old")

    assert endpoint.post(BODY, signed(BODY, "whsec_old")) is HTTPStatus.OK
    assert endpoint.post(BODY, signed(BODY, "whsec_unknown", "whsec_new")) is HTTPStatus.OK


def test_a_body_too_large_is_not_even_verified() -> None:
    assert Endpoint().post(b" " * (MOST_BYTES + 1)) is HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"not json",
        answer("payment_intent.created"),
        answer("charge.succeeded"),
        answer(order_id="a#b"),
        answer(tenant_id=""),
        {**answer(), "data": {"object": {"metadata": {}}}},
        {**answer(), "data": {"object": None}},
        {**answer(), "id": None},
    ],
)
def test_what_is_signed_but_no_answer_of_ours_is_accepted_and_ignored(content: object) -> None:
    endpoint = Endpoint()

    assert endpoint.post(content) is HTTPStatus.OK
    assert endpoint.bus.published == []
    assert [event for event, _, _ in endpoint.telemetry.lines] == [LogEvent.ANSWER_IGNORED]


def test_stripe_repeats_an_answer_that_the_bus_did_not_take() -> None:
    endpoint = Endpoint()
    endpoint.bus.refuse = 1

    assert endpoint.post(answer()) is HTTPStatus.SERVICE_UNAVAILABLE
    assert endpoint.post(answer()) is HTTPStatus.OK
    assert len(endpoint.bus.published) == 1


def test_stripe_repeats_an_answer_that_could_not_be_verified() -> None:
    def unavailable() -> str:
        raise TransientError("the parameter cannot be read")

    assert Endpoint(unavailable).post(answer()) is HTTPStatus.SERVICE_UNAVAILABLE

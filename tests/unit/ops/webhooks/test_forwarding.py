"""Events as webhooks would send them, to a developer's own address."""

from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from scripts.common.errors import ToolError
from scripts.ops.webhooks.forwarding import Forwarder
from services.webhooks.service import new_secret
from tests.support.http_receiver import Receiver, http_receiver

CONFIRMED = {
    "id": "e-1",
    "detail-type": "OrderConfirmed",
    "time": "2026-01-01T00:00:00Z",
    "detail": {"orderId": "o-1", "customerId": "c-1", "items": [], "amountMinor": 100, "currency": "USD"},
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as receiver:
        yield receiver


def test_an_event_is_posted_once_and_verifies_with_the_secret(receiver: Receiver) -> None:
    secret = new_secret()

    forwarded = Forwarder(receiver.url, secret, "standard").forward(CONFIRMED)

    assert forwarded is not None
    assert (forwarded.type, forwarded.answer.http_status) == ("order.confirmed", 200)
    (raw,), (headers,) = receiver.raw, receiver.headers
    body = Webhook(secret).verify(raw, dict(headers))
    assert body["data"]["orderId"] == "o-1"
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(raw, dict(headers))


def test_a_cloud_event_is_posted_when_asked_for(receiver: Receiver) -> None:
    Forwarder(receiver.url, None, "cloudevents").forward(CONFIRMED)

    assert receiver.content_types == ["application/cloudevents+json"]


@pytest.mark.parametrize(
    "envelope",
    [
        {**CONFIRMED, "detail-type": "PaymentRequested"},
        {**CONFIRMED, "detail-type": "SomethingElse"},
        {**CONFIRMED, "detail": {"orderId": 7}},
    ],
    ids=["internal", "unknown", "invalid"],
)
def test_what_webhooks_do_not_carry_is_not_posted(receiver: Receiver, envelope: dict[str, object]) -> None:
    assert Forwarder(receiver.url, None, "standard").forward(envelope) is None
    assert receiver.raw == []


def test_a_program_that_does_not_run_is_a_result() -> None:
    forwarded = Forwarder("http://127.0.0.1:1/", None, "standard").forward(CONFIRMED)

    assert forwarded is not None
    assert forwarded.answer.error == "connection"


@pytest.mark.parametrize(
    ("url", "secret", "says"),
    [
        ("localhost:3000", None, r"--forward must be a URL"),
        ("ftp://localhost/", None, r"--forward must be a URL"),
        ("http://localhost:3000/", "whsec_?", r"--secret must be whsec_"),
    ],
)
def test_a_mistake_is_explained_before_anything_happens(url: str, secret: str | None, says: str) -> None:
    with pytest.raises(ToolError, match=says) as raised:
        Forwarder(url, secret, "standard")
    assert raised.value.exit_code == 2

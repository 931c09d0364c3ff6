"""Subscribers verify messages with any library of Standard Webhooks."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.webhooks.model import OLD_SECRET_LIFETIME
from services.webhooks.signing import body_of, headers_of
from tests.support.webhooks import Shop


def now() -> datetime:
    """Return the time of this machine, which the verifying library compares with."""
    return datetime.now(UTC)


def test_a_body_says_what_happened_and_when() -> None:
    shop = Shop()
    message = shop.message(shop.add())

    assert json.loads(body_of(message, "standard")) == {
        "type": "order.confirmed",
        "timestamp": "2026-01-31T12:00:00.000Z",
        "data": {"orderId": "o-1"},
    }


def test_cloudevents_on_request() -> None:
    shop = Shop()
    message = shop.message(shop.add())
    body = body_of(message, "cloudevents")

    assert json.loads(body) == {
        "specversion": "1.0",
        "id": "msg_1",
        "source": "urn:pulsequeue:tenant:acme",
        "type": "order.confirmed",
        "time": "2026-01-31T12:00:00.000Z",
        "datacontenttype": "application/json",
        "data": {"orderId": "o-1"},
    }
    assert (
        headers_of(message, "cloudevents", body, [], now())["content-type"] == "application/cloudevents+json"
    )


def test_the_signature_verifies_and_a_changed_body_does_not() -> None:
    shop = Shop()
    endpoint = shop.add()
    secret = endpoint.secrets[0].value
    message = shop.message(endpoint)
    body = body_of(message, "standard")
    headers = headers_of(message, "standard", body, [secret], now())

    assert Webhook(secret).verify(body, headers)["data"] == {"orderId": "o-1"}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace("o-1", "o-2"), headers)


def test_for_a_day_two_secrets_sign() -> None:
    shop = Shop()
    endpoint = shop.add()
    before = endpoint.secrets[0].value
    after = shop.webhooks.rotate("acme", endpoint.id)
    rotated = shop.state(endpoint).endpoint
    message = shop.message(rotated)
    body = body_of(message, "standard")
    headers = headers_of(message, "standard", body, rotated.signing_secrets(shop.clock()), now())

    assert before != after
    for secret in (before, after):
        Webhook(secret).verify(body, headers)

    late = shop.clock() + OLD_SECRET_LIFETIME + timedelta(seconds=1)
    assert rotated.signing_secrets(late) == [after]

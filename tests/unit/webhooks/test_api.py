"""Webhooks over HTTP: who may, and what a response shows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from services.shared.http.writers import Writers
from services.shared.membership import ConsoleMemberships
from services.webhooks.api import build
from services.webhooks.model import TYPES
from tests.support.commands import MemoryRateLimiter
from tests.support.fakes import START, RecordingTelemetry
from tests.support.organizations import Acme
from tests.support.webhooks import Shop

URL = "https://shop.example/hooks"


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any

    @property
    def data(self) -> Any:  # noqa: ANN401 - a JSON tree
        assert self.status < 300, self.body
        return self.body["data"]


class Api:
    def __init__(self) -> None:
        self.acme = Acme()
        self.shop = Shop(clock=self.acme.clock)
        self._api = build(
            self.shop.webhooks,
            Writers(ConsoleMemberships(self.acme.console), MemoryRateLimiter(self.acme.clock)),
            allowed_origins=[],
            clock=self.acme.clock,
            telemetry=RecordingTelemetry(),
        )

    def call(self, route: str, body: object = None, *, by: Mapping[str, str]) -> Reply:
        method, _, target = route.partition(" ")
        path, _, query = target.partition("?")
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"content-type": "application/json"},
            "body": "" if body is None else json.dumps(body),
            "requestContext": {
                "stage": "$default",
                "http": {"method": method},
                "requestId": "request-1",
                "authorizer": {"jwt": {"claims": by}},
            },
        }
        answer = self._api(event, None)
        return Reply(answer["statusCode"], json.loads(answer["body"]))

    def add(self) -> str:
        return str(self.call("POST /api/webhooks", {"url": URL}, by=ANN).data["id"])


def claims(user: str, role: str, tenant: str = "acme") -> dict[str, str]:
    expires = str(int((START + timedelta(days=30)).timestamp()))
    return {
        "sub": user,
        "token_use": "id",
        "exp": expires,
        "custom:tenant_id": tenant,
        "custom:role": role,
    }


ANN, BEN, VIC = claims("ann", "admin"), claims("ben", "editor"), claims("vic", "viewer")
ZOE = claims("zoe", "admin", "globex")


@pytest.fixture
def api() -> Api:
    return Api()


def test_the_secret_is_shown_when_it_is_made_and_never_again(api: Api) -> None:
    created = api.call("POST /api/webhooks", {"url": URL, "types": ["order.confirmed"]}, by=ANN)

    assert created.status == 201
    assert created.data["secret"].startswith("whsec_")
    shown = api.call(f"GET /api/webhooks/{created.data['id']}", by=ANN).data
    assert shown == {name: it for name, it in created.data.items() if name != "secret"}
    assert api.call("GET /api/webhooks", by=BEN).data == {"webhooks": [shown]}

    rotated = api.call(f"POST /api/webhooks/{shown['id']}/secret", by=ANN).data
    assert rotated["secret"] != created.data["secret"]


@pytest.mark.parametrize(
    "route",
    [
        "POST /api/webhooks",
        "PATCH /api/webhooks/{id}",
        "DELETE /api/webhooks/{id}",
        "POST /api/webhooks/{id}/secret",
        "POST /api/webhooks/{id}/test",
        "POST /api/webhooks/{id}/deliveries/msg_1/redeliver",
    ],
)
def test_only_admins_change_webhooks(api: Api, route: str) -> None:
    route = route.replace("{id}", api.add())

    assert api.call(route, {"url": URL}, by=BEN).status == 403
    assert api.call(route, {"url": URL}, by=VIC).status == 403


def test_viewers_do_not_see_where_orders_go(api: Api) -> None:
    assert api.call("GET /api/webhooks", by=VIC).status == 403


def test_another_organization_finds_nothing(api: Api) -> None:
    webhook = api.add()

    assert api.call(f"GET /api/webhooks/{webhook}", by=ZOE).status == 404
    assert api.call(f"GET /api/webhooks/{webhook}/deliveries", by=ZOE).status == 404
    assert api.call("GET /api/webhooks", by=ZOE).data == {"webhooks": []}


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({}, "url"),
        ({"url": "http://shop.example/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": URL, "types": ["order.lost"]}, "types"),
        ({"url": URL, "format": "xml"}, "format"),
        ({"url": URL, "secret": "mine"}, "secret"),
    ],
)
def test_a_bad_webhook_is_refused_with_the_reason(api: Api, body: object, parameter: str) -> None:
    reply = api.call("POST /api/webhooks", body, by=ANN)

    assert reply.status == 422
    assert [it["parameter"] for it in reply.body["errors"]] == [parameter]


def test_a_change_leaves_the_rest_as_it_was(api: Api) -> None:
    webhook = api.add()

    changed = api.call(f"PATCH /api/webhooks/{webhook}", {"enabled": False}, by=ANN).data

    assert changed["enabled"] is False
    assert changed["url"] == URL
    assert api.call(f"POST /api/webhooks/{webhook}/test", by=ANN).status == 409


def test_the_log_shows_what_came_of_a_message_and_none_of_what_was_answered(api: Api) -> None:
    webhook = api.add()
    endpoint = api.shop.webhooks.one("acme", webhook).endpoint
    api.shop.fast.deliver(api.shop.message(endpoint))

    (entry,) = api.call(f"GET /api/webhooks/{webhook}/deliveries?limit=5", by=BEN).data["deliveries"]

    assert entry == {
        "messageId": "msg_1",
        "type": "order.confirmed",
        "timestamp": "2026-01-31T12:00:00.000Z",
        "status": "delivered",
        "attempts": 1,
        "lastAttemptAt": "2026-01-31T12:00:00.000Z",
        "httpStatus": 204,
        "error": None,
        "requestId": None,
        "durationMs": 50,
    }
    again = api.call(f"POST /api/webhooks/{webhook}/deliveries/msg_1/redeliver", by=ANN)
    assert (again.status, again.data) == (202, {"messageId": "msg_1", "type": "order.confirmed"})


def test_a_deleted_webhook_is_gone(api: Api) -> None:
    webhook = api.add()

    assert api.call(f"DELETE /api/webhooks/{webhook}", by=ANN).data == {"done": True}
    assert api.call(f"GET /api/webhooks/{webhook}", by=ANN).status == 404


def test_the_types_have_names_of_their_own() -> None:
    assert len(set(TYPES.values())) == len(TYPES)
    assert all(name == name.lower() and name.count(".") == 1 for name in TYPES.values())

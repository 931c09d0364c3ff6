"""Organisations over HTTP: who may, and what one's own token says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from services.organizations.api import Services, build
from services.shared.http.writers import Writers
from services.shared.membership import ConsoleMemberships
from tests.support.commands import MemoryRateLimiter
from tests.support.fakes import START, RecordingTelemetry
from tests.support.organizations import Acme


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any

    @property
    def data(self) -> Any:  # noqa: ANN401 - a JSON tree
        assert self.status < 300, self.body
        return self.body["data"]


class Api:
    def __init__(self, *, founding_allowed: bool = True) -> None:
        self.acme = Acme()
        self._api = build(
            Services(
                organizations=self.acme.organizations,
                machines=self.acme.machines,
                founding_allowed=founding_allowed,
            ),
            Writers(ConsoleMemberships(self.acme.console), MemoryRateLimiter(self.acme.clock)),
            allowed_origins=[],
            clock=self.acme.clock,
            telemetry=RecordingTelemetry(),
        )

    def call(self, route: str, body: object = None, *, by: Mapping[str, str]) -> Reply:
        method, _, path = route.partition(" ")
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
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


def claims(user: str, role: str | None = None, **more: str) -> dict[str, str]:
    tenant = {"custom:tenant_id": "acme", "custom:role": role} if role else {}
    expires = str(int((START + timedelta(days=30)).timestamp()))
    email = {"email": f"{user}@example.com", "email_verified": "true"}
    return {"sub": user, "token_use": "id", "exp": expires, **email, **tenant, **more}


ANN, BEN, VIC, ZOE = claims("ann", "admin"), claims("ben", "editor"), claims("vic", "viewer"), claims("zoe")


@pytest.fixture
def api() -> Api:
    return Api()


def test_someone_without_membership_learns_so_and_can_found_an_organization(api: Api) -> None:
    before = api.call("GET /api/me", by=ZOE).data
    founded = api.call("POST /api/organizations", {"name": "Zoe's"}, by=ZOE)
    after = api.call("GET /api/me", by=ZOE).data

    assert (before["current"], before["memberships"]) == (None, [])
    assert founded.status == 201
    assert after["current"] == founded.data
    assert founded.data["role"] == "admin"


def test_where_founding_is_not_allowed_one_asks_for_an_invitation() -> None:
    reply = Api(founding_allowed=False).call("POST /api/organizations", {"name": "Zoe's"}, by=ZOE)

    assert reply.status == 403
    assert "invitation" in reply.body["detail"]


@pytest.mark.parametrize(
    "route", ["GET /api/members", "GET /api/views", "GET /api/machines", "POST /api/invitations"]
)
def test_someone_without_membership_reads_nothing_else(api: Api, route: str) -> None:
    reply = api.call(route, by=ZOE)

    assert reply.status == 403
    assert "invitation" in reply.body["detail"]


ADMINISTRATION: Mapping[str, object] = {
    "PATCH /api/members/vic": {"role": "admin"},
    "DELETE /api/members/vic": None,
    "GET /api/invitations": None,
    "POST /api/invitations": {"email": "zoe@example.com", "role": "admin"},
    "DELETE /api/invitations/id-1": None,
    "GET /api/machines": None,
    "POST /api/machines": {"name": "shop", "scopes": ["orders:write"]},
    "DELETE /api/machines/machine-1": None,
}


@pytest.mark.parametrize("route", ADMINISTRATION)
@pytest.mark.parametrize("who", [BEN, VIC], ids=["editor", "viewer"])
def test_only_admins_administer(api: Api, route: str, who: Mapping[str, str]) -> None:
    before = dict(api.acme.console.items)

    assert api.call(route, ADMINISTRATION[route], by=who).status == 403
    assert api.acme.console.items == before


def test_a_role_in_a_token_that_was_taken_away_administers_nothing(api: Api) -> None:
    api.acme.organizations.set_role("acme", "ben", "admin")
    api.acme.organizations.set_role("acme", "ann", "viewer")

    assert api.call("PATCH /api/members/vic", {"role": "admin"}, by=ANN).status == 403


def test_an_invitation_brings_a_member_with_its_role(api: Api) -> None:
    invitation = api.call("POST /api/invitations", {"email": "zoe@example.com", "role": "editor"}, by=ANN)
    joined = api.call("POST /api/invitations/accept", {"token": invitation.data["token"]}, by=ZOE)
    again = api.call("POST /api/invitations/accept", {"token": invitation.data["token"]}, by=ZOE)

    assert joined.data == {"tenantId": "acme", "organization": "Acme", "role": "editor"}
    assert again.status == 404
    assert {it["userId"]: it["role"] for it in api.call("GET /api/members", by=ANN).data["members"]} == {
        "ann": "admin",
        "ben": "editor",
        "vic": "viewer",
        "zoe": "editor",
    }


@pytest.mark.parametrize("verified", ["false", "", "yes"])
def test_an_address_that_is_not_verified_accepts_nothing(api: Api, verified: str) -> None:
    invitation = api.call("POST /api/invitations", {"email": "zoe@example.com", "role": "admin"}, by=ANN)
    who = claims("zoe", email_verified=verified)

    assert api.call("POST /api/invitations/accept", {"token": invitation.data["token"]}, by=who).status == 404


def test_unknown_expired_and_foreign_invitations_are_answered_alike(api: Api) -> None:
    other = api.call("POST /api/invitations", {"email": "eve@example.com", "role": "admin"}, by=ANN)
    tokens = ["unknown", other.data["token"]]

    bodies = [
        api.call("POST /api/invitations/accept", {"token": token}, by=ZOE).body["detail"] for token in tokens
    ]

    assert bodies[0] == bodies[1]


def test_a_machine_joins_and_founds_nothing(api: Api) -> None:
    machine = {**claims("mac", "machine"), "custom:scopes": "orders:write"}

    assert api.call("POST /api/organizations", {"name": "Robots"}, by=machine).status == 403
    assert api.call("GET /api/members", by=machine).status == 403


def test_a_machine_token_is_shown_once_and_gone_when_deleted(api: Api) -> None:
    made = api.call("POST /api/machines", {"name": "shop", "scopes": ["orders:write"]}, by=ANN).data
    listed = api.call("GET /api/machines", by=ANN)

    assert made["clientSecret"] not in json.dumps(listed.body)
    assert [it["clientId"] for it in listed.data["machines"]] == [made["clientId"]]
    assert api.call(f"DELETE /api/machines/{made['clientId']}", by=ANN).status == 200
    assert api.acme.users.secrets == {}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "shop", "scopes": ["everything"]},
        {"name": "shop", "scopes": []},
        {"name": "shop", "scopes": ["orders:write"], "role": "admin"},
    ],
)
def test_a_machine_gets_known_scopes_only(api: Api, body: object) -> None:
    assert api.call("POST /api/machines", body, by=ANN).status == 422


def test_views_are_saved_and_replaced(api: Api) -> None:
    view = {"page": "orders", "name": "Mine", "query": {"status": "CONFIRMED"}, "shared": False}
    saved = api.call("POST /api/views", view, by=VIC).data

    replaced = api.call(f"PUT /api/views/{saved['id']}", {**view, "name": "Ours"}, by=VIC)

    assert replaced.data["name"] == "Ours"
    assert [it["name"] for it in api.call("GET /api/views", by=VIC).data["views"]] == ["Ours"]
    assert api.call("GET /api/views", by=BEN).data["views"] == []
    assert api.call(f"DELETE /api/views/{saved['id']}", by=BEN).status == 404


def test_a_user_of_several_organizations_chooses(api: Api) -> None:
    founded = api.call("POST /api/organizations", {"name": "Ann's"}, by=ANN).data

    back = api.call("PUT /api/me/organization", {"tenantId": "acme"}, by=ANN)
    refused = api.call("PUT /api/me/organization", {"tenantId": "globex"}, by=ANN)

    assert back.data["current"]["tenantId"] == "acme"
    assert {it["tenantId"] for it in back.data["memberships"]} == {"acme", founded["tenantId"]}
    assert refused.status == 404


# --- a second factor of administrators, where a setting demands one


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, 200),  # the setting is off
        ({"custom:second_factor": "yes"}, 200),
        ({"custom:second_factor": "no"}, 403),
        ({"custom:second_factor": "unknown"}, 403),
        ({"custom:second_factor": ""}, 403),
        ({"custom:second_factor": "no", "amr": "[pwd otp mfa]"}, 200),
        ({"custom:second_factor": "no", "amr": "[pwd, otp, mfa]"}, 200),
        ({"custom:second_factor": "no", "amr": "[pwd]"}, 403),
        ({"custom:second_factor": "no", "amr": "[no-mfa]"}, 403),
    ],
)
def test_an_administrator_without_a_second_factor_is_refused(
    api: Api, more: dict[str, str], status: int
) -> None:
    by = claims("ann", "admin", **more)

    assert [api.call(it, by=by).status for it in ("GET /api/members", "GET /api/views")] == [status] * 2


def test_whoever_was_made_an_administrator_a_moment_ago_is_refused_too(api: Api) -> None:
    """The token is of a viewer, whom nobody looked up; membership is read again for a write."""
    by = claims("ann", "viewer", **{"custom:second_factor": "unknown"})
    view = {"page": "orders", "name": "Mine", "query": "status=PAID", "shared": False}

    refused = api.call("POST /api/views", view, by=by)

    assert refused.status == 403
    assert "second factor" in refused.body["detail"]


def test_without_a_second_factor_one_still_learns_who_one_is(api: Api) -> None:
    assert api.call("GET /api/me", by=claims("ann", "admin", **{"custom:second_factor": "no"})).status == 200

"""Signing in with the emulator's user pool, from the first request to the last, and attacks on it."""

import base64
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from scripts.environment.cognito import pool_id, sign_in, token
from scripts.environment.environment import Environment
from scripts.environment.topology import Topology
from scripts.local.aws.provision import Overrides, provision
from scripts.local.aws.triggers import route_url
from scripts.ops.members.users import Users
from services.organizations.store import add_member
from services.session.oidc import secret_hash
from services.shared.adapters.console_table import ConsoleTable
from services.shared.membership import Membership
from tests.conftest import RunningEmulator
from tests.support.polling import wait_until
from tests.support.web_client import Reply, WebClient, path_of

pytestmark = pytest.mark.emulator

PASSWORD = "Local-0nly-Passw0rd"
ORDER = {"customerId": "ann", "items": [{"sku": "prod-001", "quantity": 1}]}


@dataclass(frozen=True)
class Site:
    environment: Environment
    url: str
    console_url: str

    def browser(self) -> WebClient:
        return WebClient(self.url)

    def signed_in(self, user: str) -> WebClient:
        browser = self.browser()
        assert browser.sign_in(user, PASSWORD).status == 302
        return browser

    def new_user(self, name: str, role: str, tenant: str = "acme") -> str:
        return Users(self.environment).add(name, tenant, role, email=None, password=PASSWORD).user_id


@pytest.fixture(scope="module")
def site(emulator: RunningEmulator) -> Site:
    environment = Environment("entry", Topology.load(), emulator.clients)
    made = provision(environment, Overrides(users_password=PASSWORD))
    return Site(environment, route_url(emulator.endpoint, environment.names.api, ""), made.url)


def claims_of(browser: WebClient) -> Mapping[str, Any]:
    part = browser.jar["__Host-session"].split(".")[1]
    found: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(f"{part}=="))
    return found


def renew(browser: WebClient) -> None:
    """Renew the session; a busy machine may answer 503 for a while, which ends no session."""
    wait_until(lambda: browser.post("/auth/refresh").status == 204, "the session is renewed")


def as_edge(browser: WebClient) -> Mapping[str, str]:
    """Return the header that the edge makes of the session's cookie."""
    return {"authorization": f"Bearer {browser.jar['__Host-session']}"}


def test_a_person_signs_in_by_the_pool_s_page(site: Site) -> None:
    browser = site.browser()

    answer = browser.sign_in("editor", PASSWORD, path="/orders?status=PAID")

    assert (answer.status, answer.location) == (302, "/orders?status=PAID")
    assert browser.jar.keys() == {"__Host-session", "refresh"}
    assert all({"Secure", "HttpOnly"} <= set(it.split("; ")) for it in answer.cookies)
    me = browser.get("/auth/me").json["data"]
    assert me["current"] == {"tenantId": "default", "organization": "default", "role": "editor"}
    assert claims_of(browser)["exp"] - claims_of(browser)["iat"] == 300


def test_the_api_takes_the_session_as_it_takes_a_token(site: Site) -> None:
    browser = site.signed_in("viewer")
    bearer = {"authorization": f"Bearer {token(site.environment, 'viewer', PASSWORD)}"}

    by_session, by_token = (site.browser().get("/api/me", **it) for it in (as_edge(browser), bearer))

    assert by_session.status == by_token.status == 200
    assert by_session.json == by_token.json


def test_a_wrong_password_leads_nowhere(site: Site) -> None:
    browser = site.browser()
    login = browser.get("/auth/login")

    with pytest.raises(KeyError, match="location"):
        browser.pool_page(login.location, "viewer", "wrong")


def test_a_code_is_good_once(site: Site) -> None:
    browser = site.browser()
    back = browser.pool_page(browser.get("/auth/login").location, "viewer", PASSWORD)
    login = browser.jar["__Host-login"]
    assert browser.back(back).status == 302

    thief = WebClient(site.url, {"__Host-login": login})

    assert thief.back(back).status == 400
    assert thief.jar == {}


def test_a_code_without_its_verifier_is_refused(site: Site) -> None:
    browser = site.browser()
    back = browser.pool_page(browser.get("/auth/login").location, "viewer", PASSWORD)
    login = json.loads(base64.urlsafe_b64decode(f"{browser.jar['__Host-login']}=="))
    forged = base64.urlsafe_b64encode(json.dumps({**login, "verifier": "x" * 43}).encode()).decode()
    browser.jar["__Host-login"] = forged.rstrip("=")

    assert browser.back(back).status == 400
    assert "__Host-session" not in browser.jar


def test_a_sign_in_of_somebody_else_is_refused(site: Site) -> None:
    attacker, victim = site.browser(), site.browser()
    back = attacker.pool_page(attacker.get("/auth/login").location, "viewer", PASSWORD)
    victim.get("/auth/login")

    assert victim.back(back).status == 400
    assert "__Host-session" not in victim.jar


def test_the_pool_sends_nobody_elsewhere(site: Site) -> None:
    address = site.browser().get("/auth/login").location.replace("cloudfront.localhost", "evil.example")

    answer = site.browser().get(address)

    assert answer.status == 400
    assert "location" not in answer.headers


def test_a_session_is_renewed_until_one_signs_out(site: Site) -> None:
    browser = site.signed_in("viewer")
    first, refresh = browser.jar["__Host-session"], browser.jar["refresh"]

    renew(browser)
    assert browser.jar["__Host-session"] != first
    signed_out = browser.post("/auth/logout")

    assert signed_out.status == 200
    assert browser.jar == {}
    page = site.browser().get(signed_out.json["data"]["logoutUrl"])
    assert (page.status, page.location) == (302, f"{site.console_url}/")
    again = WebClient(site.url, {"refresh": refresh})
    assert again.post("/auth/refresh").status == 401


def test_a_token_of_another_pool_opens_nothing(site: Site) -> None:
    """The pool of another environment on the same emulator, with the same users."""
    other = Environment("elsewhere", site.environment.topology, site.environment.clients)
    cognito = other.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName=other.names.user_pool)["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="command-line", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]
    cognito.admin_create_user(UserPoolId=pool, Username="admin", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username="admin", Password=PASSWORD, Permanent=True)
    foreign = cognito.initiate_auth(
        ClientId=client["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "admin", "PASSWORD": PASSWORD},
    )["AuthenticationResult"]["IdToken"]

    api = site.browser().get("/api/me", authorization=f"Bearer {foreign}")
    session = WebClient(site.url, {"__Host-session": foreign}).get("/auth/me")

    assert (api.status, session.status) == (401, 401)


def test_nobody_learns_from_the_pool_s_page_who_has_an_account(site: Site) -> None:
    def refused(user: str) -> tuple[int, str]:
        browser = site.browser()
        answer = browser.fill_in(browser.get("/auth/login").location, user, "wrong")
        # Each page carries what its own sign-in began with.
        return answer.status, re.sub(r'value="[^"]*"|href="[^"]*"', "", answer.text.replace(user, "NAME"))

    site.new_user("known-person", "viewer")
    known, unknown = refused("known-person"), refused("nobody-at-all")

    assert known == unknown


@pytest.mark.parametrize("client", ["command-line", "session"])
def test_nobody_learns_from_the_pool_itself_who_has_an_account(site: Site, client: str) -> None:
    """Anyone may ask the pool for a token with the id of a client, which is no secret."""
    cognito, pool = site.environment.client("cognito-idp"), pool_id(site.environment) or ""
    clients = cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
    (client_id,) = [it["ClientId"] for it in clients if it["ClientName"] == client]
    found = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client_id)["UserPoolClient"]

    def refused(user: str) -> Any:  # noqa: ANN401 - an error as AWS writes it
        parameters = {"USERNAME": user, "PASSWORD": "wrong"}
        if secret := found.get("ClientSecret"):
            parameters["SECRET_HASH"] = secret_hash(user, client_id, secret)
        with pytest.raises(cognito.exceptions.NotAuthorizedException) as raised:
            cognito.initiate_auth(
                ClientId=client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
            )
        return raised.value.response["Error"]

    assert refused("viewer") == refused("nobody-at-all")


# --- machines


def machine(site: Site, admin: WebClient) -> Mapping[str, str]:
    made = site.browser().post(
        "/api/machines", {"name": "shop", "scopes": ["orders:write", "orders:read"]}, **as_edge(admin)
    )
    assert made.status == 201, made.text
    found: Mapping[str, str] = made.json["data"]
    return found


def machine_token(site: Site, client_id: str, secret: str) -> Reply:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return site.browser().post_form("/auth/token", form)


def test_a_machine_signs_in_and_places_an_order_until_it_is_deleted(site: Site) -> None:
    admin = site.signed_in("admin")
    shop = machine(site, admin)

    granted = machine_token(site, shop["clientId"], shop["clientSecret"])

    assert granted.status == 200, granted.text
    assert granted.json["scope"] == "orders:read orders:write"
    bearer = {"authorization": f"Bearer {granted.json['access_token']}"}
    placed = site.browser().post("/api/orders", ORDER, idempotency_key="machine-1", **bearer)
    assert placed.status == 202, placed.text
    assert site.browser().post("/api/machines", {"name": "x", "scopes": []}, **bearer).status == 403

    site.browser().send("DELETE", f"/api/machines/{shop['clientId']}", headers=as_edge(admin))

    assert machine_token(site, shop["clientId"], shop["clientSecret"]).status == 401
    refused = site.browser().post("/api/orders", ORDER, idempotency_key="machine-2", **bearer)
    assert refused.status == 403


def test_a_wrong_secret_and_an_unknown_machine_are_told_apart_by_nobody(site: Site) -> None:
    shop = machine(site, site.signed_in("admin"))

    answers = [
        machine_token(site, client_id, "Aa1!wrong-secret") for client_id in (shop["clientId"], "machine-none")
    ]

    assert [it.status for it in answers] == [401, 401]
    assert answers[0].text == answers[1].text


def test_a_person_s_password_is_no_machine_s(site: Site) -> None:
    assert machine_token(site, "admin", PASSWORD).status == 401


# --- several organizations, and none any more


def test_choosing_another_organization_renews_the_token_for_it(site: Site) -> None:
    user_id = site.new_user("multi", "editor", "acme")
    console = ConsoleTable(site.environment.client("dynamodb"), site.environment.names.table("console"))
    add_member(console, Membership("globex", user_id, "viewer", "Globex"), "multi", datetime.now(UTC))
    browser = site.signed_in("multi")
    assert (claims_of(browser)["custom:tenant_id"], claims_of(browser)["custom:role"]) == ("acme", "editor")
    write = {"idempotency_key": "multi-1"}
    assert site.browser().post("/api/orders", ORDER, **write, **as_edge(browser)).status == 202

    chosen = site.browser().send(
        "PUT",
        "/api/me/organization",
        json.dumps({"tenantId": "globex"}),
        {"content-type": "application/json", **as_edge(browser)},
    )
    assert chosen.status == 200, chosen.text
    renew(browser)

    assert claims_of(browser)["custom:tenant_id"] == "globex"
    assert browser.get("/auth/me").json["data"]["current"]["tenantId"] == "globex"
    refused = site.browser().post("/api/orders", ORDER, **write, **as_edge(browser))
    assert refused.status == 403  # a viewer there


def test_a_removed_member_writes_no_more_and_reads_until_the_token_ends(site: Site) -> None:
    site.new_user("leaver", "editor", "acme")
    browser = site.signed_in("leaver")
    write = {"idempotency_key": "leaver-1"}
    assert site.browser().post("/api/orders", ORDER, **write, **as_edge(browser)).status == 202

    Users(site.environment).remove("leaver", "acme")

    assert site.browser().post("/api/orders", ORDER, **write, **as_edge(browser)).status == 403
    # Reads go by the token, which ends within five minutes.
    assert site.browser().get("/api/views", **as_edge(browser)).status == 200
    assert claims_of(browser)["exp"] - claims_of(browser)["iat"] <= 300
    renew(browser)
    assert "custom:tenant_id" not in claims_of(browser)
    assert site.browser().get("/api/views", **as_edge(browser)).status == 403


def test_an_attribute_cannot_raise_a_role(site: Site) -> None:
    """Role escalation by claim: attributes of the same name are suppressed."""
    site.new_user("climber", "viewer", "acme")
    cognito, pool = site.environment.client("cognito-idp"), pool_id(site.environment) or ""
    cognito.admin_update_user_attributes(
        UserPoolId=pool,
        Username="climber",
        UserAttributes=[
            {"Name": "custom:role", "Value": "admin"},
            {"Name": "custom:tenant_id", "Value": "default"},
        ],
    )

    browser = site.signed_in("climber")

    assert claims_of(browser)["custom:role"] == "viewer"
    assert claims_of(browser)["custom:tenant_id"] == "acme"


def test_nobody_writes_a_claim_with_a_token_of_their_own(site: Site) -> None:
    """Role escalation by claim: a user's access token may change that user's attributes."""
    site.new_user("self-made", "viewer", "acme")
    signed = sign_in(site.environment, "self-made", PASSWORD)
    cognito = site.environment.client("cognito-idp")

    for name in ("custom:role", "custom:tenant_id", "custom:scopes", "custom:second_factor"):
        with suppress(cognito.exceptions.NotAuthorizedException):
            cognito.update_user_attributes(
                AccessToken=signed["AccessToken"], UserAttributes=[{"Name": name, "Value": "admin"}]
            )
    browser = site.signed_in("self-made")

    claims = claims_of(browser)
    assert (claims["custom:role"], claims["custom:tenant_id"]) == ("viewer", "acme")
    assert site.browser().get("/api/machines", **as_edge(browser)).status == 403


@pytest.mark.parametrize(
    "smuggled",
    [
        {"x_forwarded_host": "evil.example", "x_forwarded_proto": "https", "x_forwarded_port": "1"},
        {"forwarded": "host=evil.example;proto=https", "x_forwarded_prefix": "/evil"},
        {"x_original_url": "/auth/logout", "x_rewrite_url": "/auth/logout"},
        {"x_http_method_override": "DELETE", "x_method_override": "DELETE"},
    ],
)
def test_headers_of_a_proxy_change_nothing(site: Site, smuggled: dict[str, str]) -> None:
    browser = site.signed_in("viewer")

    login = site.browser().get("/auth/login", **smuggled)
    mine, plain = (site.browser().get("/api/me", **it, **as_edge(browser)) for it in (smuggled, {}))

    asked = parse_qs(urlsplit(login.location).query)
    assert asked["redirect_uri"] == [f"{site.console_url}/auth/callback"]
    assert "evil.example" not in login.text + login.location + str(login.cookies)
    assert (mine.status, mine.json) == (200, plain.json)


def test_headers_that_name_a_caller_change_nothing(site: Site) -> None:
    """What gateways and proxies of others hand over, with the claims of an administrator."""
    browser = site.signed_in("viewer")
    claims = json.dumps({"custom:role": "admin", "custom:tenant_id": "acme"})
    smuggled = {
        "x_amzn_oidc_data": claims,
        "x_amzn_oidc_identity": "admin",
        "x_amzn_request_context": json.dumps({"authorizer": {"jwt": {"claims": json.loads(claims)}}}),
        "x_user_id": "admin",
        "x_tenant_id": "acme",
        "x_role": "admin",
    }

    answers = [site.browser().get("/api/me", **it, **as_edge(browser)) for it in (smuggled, {})]

    assert [it.status for it in answers] == [200, 200]
    assert answers[0].json == answers[1].json
    assert site.browser().get("/api/me", **smuggled).status == 401
    assert site.browser().get("/api/machines", **smuggled, **as_edge(browser)).status == 403


def test_idempotency_keys_of_two_organizations_never_meet(site: Site) -> None:
    site.new_user("ann", "editor", "acme")
    site.new_user("bob", "editor", "globex")
    ann, bob = site.signed_in("ann"), site.signed_in("bob")
    key = {"idempotency_key": "the-same-key"}

    first = site.browser().post("/api/orders", ORDER, **key, **as_edge(ann))
    again = site.browser().post("/api/orders", ORDER, **key, **as_edge(ann))
    other = site.browser().post("/api/orders", {**ORDER, "customerId": "bob"}, **key, **as_edge(bob))

    assert (first.status, again.status, other.status) == (202, 202, 202)
    order, repeated, of_another = (it.json["data"]["orderId"] for it in (first, again, other))
    assert order == repeated != of_another


def test_an_invitation_is_good_once_and_for_its_address(site: Site) -> None:
    users = Users(site.environment)
    users.found("initech", "Initech")
    for name in ("invited", "other"):
        email = f"{name}@example.com"
        users.add(name, "acme", "viewer", email=email, password=PASSWORD)
    invited, other = site.signed_in("invited"), site.signed_in("other")
    secret = {"token": users.invite("invited@example.com", "initech", "editor").token}

    def accept(browser: WebClient) -> int:
        return site.browser().post("/api/invitations/accept", secret, **as_edge(browser)).status

    assert [accept(it) for it in (other, invited, invited)] == [404, 201, 404]


def test_the_way_back_is_a_path_of_this_origin(site: Site) -> None:
    browser = site.browser()

    answer = browser.sign_in("viewer", PASSWORD, path="//evil.example/")

    assert path_of(answer.location) == answer.location == "/"

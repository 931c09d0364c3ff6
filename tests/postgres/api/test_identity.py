"""The caller is whom the authorizer verified, and nobody else."""

import pytest

from tests.postgres.api.client import ApiClient, Claims, claims, out_of_reach
from tests.support.fakes import START

# Answered without a database: asked with a good token, it would be out of reach.
NOBODY_THERE = 503


@pytest.fixture
def client() -> ApiClient:
    return ApiClient(out_of_reach())


def without(name: str) -> Claims:
    return {claim: value for claim, value in claims().items() if claim != name}


@pytest.mark.parametrize(
    "who",
    [
        without("exp"),
        without("sub"),
        without("token_use"),
        claims(token_use="access"),
        claims(exp=str(int(START.timestamp()))),
        claims(exp=int(START.timestamp()) - 1),
        claims(exp="nan"),
        claims(exp="soon"),
        claims(exp=None),
        claims(sub=""),
        claims(sub="two\nlines"),
        claims(sub=7),
    ],
)
def test_a_token_that_is_not_good_is_refused(client: ApiClient, who: Claims) -> None:
    answer = client.ask("/api/orders", by=who)

    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.body["type"] == "urn:pulsequeue:problem:unauthenticated"


@pytest.mark.parametrize("authorizer", [None, {}, {"jwt": None}, {"jwt": {}}, {"jwt": {"claims": None}}])
def test_whoever_was_not_verified_is_refused(client: ApiClient, authorizer: object) -> None:
    context = {"stage": "$default", "http": {"method": "GET"}, "authorizer": authorizer, "requestId": "r"}

    answer = client.send({"rawPath": "/api/orders", "rawQueryString": "", "requestContext": context})

    assert answer.status == 401


@pytest.mark.parametrize(
    "who",
    [
        without("custom:tenant_id"),
        claims("", sub="someone"),
        claims("two#parts", sub="someone"),
        claims("nul\x00", sub="someone"),
        without("custom:role"),
        claims(role=""),
        claims(role="owner"),
        claims(role="[admin]"),
        claims(role="admin viewer"),
        claims(role=["admin"]),
        claims(role="administrators"),
        claims(role={"admin": 1}),
    ],
)
def test_a_user_without_tenant_or_role_is_refused(client: ApiClient, who: Claims) -> None:
    answer = client.ask("/api/orders", by=who)

    assert answer.status == 403
    assert "sign in again" in answer.body["detail"]


def test_groups_of_the_pool_give_no_role(client: ApiClient) -> None:
    who = {**without("custom:role"), "cognito:groups": "[admin]"}

    assert client.ask("/api/orders", by=who).status == 403


@pytest.mark.parametrize(
    "path", ["/api/orders", "/api/orders/o-1", "/api/metrics/mrr", "/api/sales/last-month"]
)
def test_nobody_asks_without_a_token(client: ApiClient, path: str) -> None:
    assert client.ask(path, by=None).status == 401


def test_a_database_that_is_away_is_told_with_when_to_ask_again(client: ApiClient) -> None:
    answer = client.ask("/api/orders")

    assert answer.status == NOBODY_THERE
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"
    assert "nobody there" not in answer.text

"""The one origin on the emulator: the edge function, the pages of a bucket, and the API beside them."""

import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from scripts.common.clock import Clock
from scripts.common.errors import ToolError
from scripts.environment.cognito import SESSION, pool_id, token
from scripts.environment.console_site import find_site
from scripts.environment.environment import Environment
from scripts.environment.lambda_env import LOCAL_ACCOUNT
from scripts.environment.topology import Topology
from scripts.local.aws.provision import Overrides, provision
from scripts.local.aws.site import Site
from scripts.local.aws.triggers import route_url
from scripts.ops import metrics_page
from scripts.verify.checks import CheckFailedError, Poller
from scripts.verify.console_checks import ConsoleChecks
from scripts.verify.endpoints import Credentials, Endpoints
from scripts.verify.sign_in_checks import SignInChecks
from tests.conftest import RunningEmulator
from tests.support.site_client import request

pytestmark = pytest.mark.emulator

PASSWORD = "Local-0nly-Passw0rd"


@pytest.fixture(scope="module")
def environment(emulator: RunningEmulator) -> Environment:
    return Environment("served", Topology.load(), emulator.clients)


@pytest.fixture(scope="module")
def site(environment: Environment) -> Site:
    site = provision(environment, Overrides(users_password=PASSWORD))
    s3 = environment.client("s3")
    s3.put_object(Bucket=site.bucket, Key="index.html", Body=b"<p>page</p>", ContentType="text/html")
    s3.put_object(Bucket=site.bucket, Key="config.json", Body=b"{}", ContentType="application/json")
    return site


@pytest.mark.parametrize("path", ["/", "/orders", "/orders/ord.1", "/index.html"])
def test_every_page_is_the_same_file(site: Site, path: str) -> None:
    response = request(f"{site.url}{path}")

    assert (response.status, response.body) == (200, b"<p>page</p>")
    assert (
        "default-src 'none'; script-src 'self'; style-src 'self';"
        in response.headers["content-security-policy"]
    )
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "DENY"


def test_pages_may_send_files_to_the_bucket_of_uploads_alone(environment: Environment, site: Site) -> None:
    policy = request(f"{site.url}/").headers["content-security-policy"]

    endpoint = environment.client("s3").meta.endpoint_url
    uploads = environment.names.bucket("raw-uploads", LOCAL_ACCOUNT)
    assert f"; connect-src 'self' {endpoint}/{uploads}; " in policy


def test_a_visitor_gets_a_variant_once(site: Site) -> None:
    first = request(f"{site.url}/")
    again = request(f"{site.url}/", headers={"Cookie": first.headers["set-cookie"].partition(";")[0]})

    assert first.headers["set-cookie"].startswith("variant=")
    assert "set-cookie" not in again.headers


def test_a_file_that_is_not_there_is_no_page(site: Site) -> None:
    assert request(f"{site.url}/assets/gone.js").status == 403
    assert request(f"{site.url}/config.json").body == b"{}"


def test_the_api_answers_beside_the_pages(site: Site) -> None:
    response = request(f"{site.url}/api/orders")

    assert response.status == 401
    assert json.loads(response.body) == {"message": "Unauthorized"}


def test_a_write_with_cookies_needs_the_header(site: Site) -> None:
    cookie = {"Cookie": "__Host-session=a.b.c"}

    refused = request(f"{site.url}/api/orders", method="POST", headers=cookie)
    admitted = request(
        f"{site.url}/api/orders", method="POST", headers={**cookie, "X-Requested-With": "pulsequeue-console"}
    )

    assert (refused.status, json.loads(refused.body)["title"]) == (403, "Forbidden")
    assert admitted.status == 401  # of the authorizer: it saw the token


def test_the_session_counts_and_no_token_that_comes_beside_it(environment: Environment, site: Site) -> None:
    viewer, admin = (token(environment, name, PASSWORD) for name in ("viewer", "admin"))
    session = {"Cookie": f"__Host-session={viewer}"}

    answers = [
        request(f"{site.url}/api/me", headers={**session, **smuggled})
        for smuggled in (
            {},
            {"Authorization": f"Bearer {admin}"},
            {"X-Forwarded-Authorization": f"Bearer {admin}", "X-Original-Authorization": f"Bearer {admin}"},
            {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "127.0.0.1"},
        )
    ]

    assert [it.status for it in answers] == [200] * 4
    assert {it.body for it in answers} == {answers[0].body}
    assert json.loads(answers[0].body)["data"]["current"]["role"] == "viewer"


def test_signing_in_leads_to_the_console_whatever_a_proxy_says(site: Site) -> None:
    smuggled = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "Forwarded": "host=evil.example",
    }

    response = request(f"{site.url}/auth/login?next=/orders", headers=smuggled)

    (back,) = parse_qs(urlsplit(response.headers["location"]).query)["redirect_uri"]
    assert (response.status, back) == (302, f"{site.url}/auth/callback")


def test_the_bucket_is_read_by_its_distribution_only(environment: Environment, site: Site) -> None:
    policy = json.loads(environment.client("s3").get_bucket_policy(Bucket=site.bucket)["Policy"])

    (statement,) = policy["Statement"]
    assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert statement["Condition"]["StringEquals"]["AWS:SourceArn"].endswith(f"/{site.distribution_id}")


def test_provisioning_again_keeps_the_address(environment: Environment, site: Site) -> None:
    assert provision(environment, Overrides(users_password=PASSWORD)) == site
    assert request(f"{site.url}/").status == 200


def endpoints(environment: Environment, site: Site) -> Endpoints:
    address = urlsplit(site.url)
    api = route_url(f"http://127.0.0.1:{address.port}", environment.names.api, "")
    return Endpoints(
        lambda: metrics_page.Address("", ""),
        lambda: api,
        lambda: token(environment, "viewer", PASSWORD),
        Credentials("viewer", PASSWORD),
    )


def console_checks(environment: Environment, site: Site) -> ConsoleChecks:
    # One try: nothing changes while the check runs.
    return ConsoleChecks(environment, endpoints(environment, site), Poller(Clock(), 0.0, 0.0))


def test_verify_asks_the_api_with_a_session(environment: Environment, site: Site) -> None:
    assert (
        console_checks(environment, site).session_reaches_the_api()
        == f"{site.url}/api/me answers a session as the API answers its token"
    )


def test_verify_signs_in_as_a_browser_does(environment: Environment, site: Site) -> None:
    checks = SignInChecks(environment, endpoints(environment, site))

    assert checks.people_sign_in() == f"viewer signed in and out at {site.url}"


def test_verify_goes_as_far_as_the_page_without_a_user(environment: Environment, site: Site) -> None:
    nobody = replace(endpoints(environment, site), credentials=None)

    assert SignInChecks(environment, nobody).people_sign_in().startswith(f"{site.url}/auth/login leads to")


def test_verify_names_the_address_where_people_sign_in(environment: Environment, site: Site) -> None:
    client, name = environment.client("lambda"), environment.names.function("session")
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    elsewhere = {**variables, "CONSOLE_URL": "https://console.example"}
    client.update_function_configuration(FunctionName=name, Environment={"Variables": elsewhere})
    try:
        found = SignInChecks(environment, endpoints(environment, site)).people_sign_in()
    finally:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": dict(variables)})

    assert found.startswith(f"people sign in at https://console.example, not at {site.url}")


def test_verify_says_that_the_password_is_wrong(environment: Environment, site: Site) -> None:
    wrong = replace(endpoints(environment, site), credentials=Credentials("viewer", "wrong"))

    with pytest.raises(CheckFailedError, match="accepted no sign-in of viewer"):
        SignInChecks(environment, wrong).people_sign_in()


def test_verify_says_that_the_pool_refuses_the_console_s_address(
    environment: Environment, site: Site
) -> None:
    cognito = environment.client("cognito-idp")
    pool = pool_id(environment) or ""
    clients = cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
    client = next(it["ClientId"] for it in clients if it["ClientName"] == SESSION)
    known = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client)["UserPoolClient"]
    settings = {
        name: value
        for name, value in known.items()
        if value and name not in {"ClientSecret", "CreationDate", "LastModifiedDate"}
    }
    elsewhere = {**settings, "CallbackURLs": ["https://elsewhere.example/auth/callback"]}
    cognito.update_user_pool_client(**elsewhere)  # type: ignore[arg-type]
    try:
        with pytest.raises(CheckFailedError, match="callback URLs"):
            SignInChecks(environment, endpoints(environment, site)).people_sign_in()
    finally:
        cognito.update_user_pool_client(**settings)  # type: ignore[arg-type]


def test_verify_says_that_the_header_is_not_forwarded(environment: Environment, site: Site) -> None:
    cloudfront = environment.client("cloudfront")
    found = cloudfront.get_distribution_config(Id=site.distribution_id)
    config = found["DistributionConfig"]
    for behavior in config["CacheBehaviors"]["Items"]:
        behavior.pop("OriginRequestPolicyId", None)
    cloudfront.update_distribution(Id=site.distribution_id, IfMatch=found["ETag"], DistributionConfig=config)
    try:
        with pytest.raises(CheckFailedError, match="CloudFront does not forward the Authorization header"):
            console_checks(environment, site).session_reaches_the_api()
    finally:
        provision(environment, Overrides(users_password=PASSWORD))


def test_the_console_is_found_by_its_name(environment: Environment, site: Site) -> None:
    found = find_site(environment)

    assert (found.url, found.bucket, found.distribution_id) == (site.url, site.bucket, site.distribution_id)
    with pytest.raises(ToolError, match="unserved has no console"):
        find_site(replace(environment, name="unserved"))

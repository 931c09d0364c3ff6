"""Signing in with Google and GitHub, by the emulator's user pool and stand-ins for both."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from scripts.environment.environment import Environment
from scripts.environment.topology import Topology
from scripts.local.aws.provision import Overrides, provision
from scripts.local.aws.triggers import route_url
from scripts.local.identity_provider import CLIENT_ID, CLIENT_SECRET
from scripts.ops.members.users import Users
from services.session.oidc import PublicKey, signed_claims
from tests.adapters.test_sign_in import Site, as_edge, claims_of, renew
from tests.conftest import RunningEmulator
from tests.support.identity_provider import identity_provider
from tests.support.web_client import Reply, WebClient, path_of

pytestmark = pytest.mark.emulator

PROVIDERS = ("Google", "GitHub")


@pytest.fixture(scope="module")
def site(emulator: RunningEmulator) -> Iterator[Site]:
    environment = Environment("federated", Topology.load(), emulator.clients)
    with identity_provider() as provider:
        made = provision(environment, Overrides(identity_provider_url=provider.url))
        yield Site(environment, route_url(emulator.endpoint, environment.names.api, ""), made.url)


def choices(page: Reply) -> dict[str, str]:
    """Return the links of a stand-in's page, by who one continues as."""
    found = re.findall(r'<a href="([^"]+)">([^<]+)</a>', page.text)
    return {text: unescape(address) for address, text in found}


def page_of(browser: WebClient, provider: str) -> tuple[str, Reply]:
    """Follow redirects to the page of Google or GitHub; returns its address, too."""
    address = browser.get(f"/auth/login?next=/orders&provider={provider}").location
    while (page := WebClient(browser.api_url).get(address)).status == 302:
        address = page.location
    return address, page


def continue_as(browser: WebClient, provider: str, person: str) -> Reply:
    """Click on a person; returns the answer of the way back to the console."""
    address, page = page_of(browser, provider)
    link = next(it for text, it in choices(page).items() if person in text)
    url = urlsplit(address)
    to_pool = WebClient(browser.api_url).get(f"{url.scheme}://{url.netloc}{link}").location
    to_console = WebClient(browser.api_url).get(to_pool).location
    return browser.back(path_of(to_console))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_one_continues_with_google_and_github(site: Site, provider: str) -> None:
    browser = site.browser()

    answer = continue_as(browser, provider, "Ada")

    assert (answer.status, answer.location) == (302, "/orders"), answer.text
    assert browser.jar.keys() == {"__Host-session", "refresh"}
    me = browser.get("/auth/me").json["data"]
    assert (me["email"], me["current"]) == ("ada@example.com", None)
    renew(browser)


def test_the_same_address_elsewhere_is_another_user(site: Site) -> None:
    browsers = [site.browser(), site.browser()]
    for browser, provider in zip(browsers, PROVIDERS, strict=True):
        continue_as(browser, provider, "Ada")

    first, second = (claims_of(it)["sub"] for it in browsers)
    assert first != second


def test_who_comes_again_is_the_same_user(site: Site) -> None:
    def user_id() -> str:
        browser = site.browser()
        continue_as(browser, "GitHub", "Ben")
        return str(claims_of(browser)["sub"])

    assert user_id() == user_id()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_verified_address_accepts_its_invitation(site: Site, provider: str) -> None:
    Users(site.environment).found(f"hooli-{provider.lower()}", "Hooli")
    token = Users(site.environment).invite("ben@example.com", f"hooli-{provider.lower()}", "editor").token
    browser = site.browser()
    continue_as(browser, provider, "Ben")

    accepted = site.browser().post("/api/invitations/accept", {"token": token}, **as_edge(browser))

    assert accepted.status == 201, accepted.text
    renew(browser)
    assert claims_of(browser)["custom:role"] == "editor"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_address_that_was_not_verified_accepts_nothing(site: Site, provider: str) -> None:
    Users(site.environment).found(f"umbrella-{provider.lower()}", "Umbrella")
    token = Users(site.environment).invite("cem@example.com", f"umbrella-{provider.lower()}", "admin").token
    browser = site.browser()
    continue_as(browser, provider, "Cem")

    accepted = site.browser().post("/api/invitations/accept", {"token": token}, **as_edge(browser))

    assert accepted.status == 404
    assert browser.get("/auth/me").json["data"]["email"] is None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_who_cancels_is_not_signed_in(site: Site, provider: str) -> None:
    address, page = page_of(site.browser(), provider)
    url = urlsplit(address)

    back = site.browser().get(f"{url.scheme}://{url.netloc}{choices(page)['Cancel']}").location

    assert parse_qs(urlsplit(back).query)["error"] == ["access_denied"]


def test_a_code_of_github_is_good_once(site: Site) -> None:
    address, page = page_of(site.browser(), "GitHub")
    url = urlsplit(address)
    link = next(it for text, it in choices(page).items() if "Ada" in text)
    to_pool = site.browser().get(f"{url.scheme}://{url.netloc}{link}").location

    first, again = site.browser().get(to_pool), site.browser().get(to_pool)

    assert (first.status, again.status) == (302, 400)


def test_the_user_pool_gets_a_token_that_kms_signed(site: Site) -> None:
    """The emulator checks no signature of a provider; AWS does, with the published key."""
    address, page = page_of(site.browser(), "GitHub")
    url = urlsplit(address)
    link = next(it for text, it in choices(page).items() if "Ada" in text)
    to_pool = urlsplit(site.browser().get(f"{url.scheme}://{url.netloc}{link}").location)
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(to_pool.query)["code"][0],
        "redirect_uri": f"{to_pool.scheme}://{to_pool.netloc}{to_pool.path}",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }

    token = site.browser().post_form("/auth/github/token", form)

    assert token.status == 200, token.text
    keys = site.browser().get("/auth/github/jwks").json["keys"]
    claims = signed_claims(token.json["id_token"], {it["kid"]: PublicKey.of_jwk(it) for it in keys})
    assert claims is not None
    assert (claims["iss"], claims["sub"]) == (f"{site.url}/auth/github", "1001")
    userinfo = site.browser().get(
        "/auth/github/userinfo", authorization=f"Bearer {token.json['access_token']}"
    )
    assert userinfo.json == claims


# --- the pool's page on this machine


def test_a_test_user_signs_in_by_one_click(site: Site) -> None:
    browser = site.browser()
    login = browser.get("/auth/login?next=/orders").location
    page = browser.get(login).text
    button = next(it for it in page.split("<form")[1:] if "Continue as editor" in it)
    form = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', button)}
    url = urlsplit(login)

    done = browser.post_form(f"{url.scheme}://{url.netloc}/login", form)
    answer = browser.back(path_of(done.location))

    assert (answer.status, answer.location) == (302, "/orders")
    assert claims_of(browser)["custom:role"] == "editor"


def test_one_click_is_for_test_users_on_the_page_alone(site: Site) -> None:
    site.new_user("somebody", "admin", "acme")
    browser = site.browser()
    login = browser.get("/auth/login").location

    with pytest.raises(KeyError, match="location"):
        browser.pool_page(login, "somebody", "")
    cognito = site.environment.client("cognito-idp")
    pool = cognito.list_user_pools(MaxResults=60)["UserPools"]
    pool_id = next(it["Id"] for it in pool if it["Name"] == site.environment.names.user_pool)
    client = cognito.list_user_pool_clients(UserPoolId=pool_id)["UserPoolClients"]
    command_line = next(it["ClientId"] for it in client if it["ClientName"] == "command-line")
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        cognito.initiate_auth(
            ClientId=command_line,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "admin", "PASSWORD": "wrong"},
        )

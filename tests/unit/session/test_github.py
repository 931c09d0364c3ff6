"""GitHub as a provider of OpenID Connect, over the stand-in of this machine and a key in memory."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from scripts.local.identity_provider import CLIENT_ID, CLIENT_SECRET, PEOPLE, IdentityProvider, Person
from services.session.github import GitHub
from services.session.github_client import GitHubUnavailableError, HttpGitHub
from services.session.oidc import PublicKey, signed_claims
from services.session.signing import public_key_of, thumbprint
from services.shared.errors import MisconfiguredError
from services.shared.log_events import LogEvent
from tests.support.identity_provider import identity_provider
from tests.support.session import KEY, NOW, Answer, Browser, public_keys, signed

ISSUER: Final = "https://api.example.com/auth/github"
CALLBACK: Final = "https://shop.auth.eu-central-1.amazoncognito.com/oauth2/idpresponse"
ADA, _, UNVERIFIED = PEOPLE
FORM: Final = {"content_type": "application/x-www-form-urlencoded"}
EVIL: Final = "https://evil.example/oauth2/idpresponse"


class MemorySigner:
    def public_key(self) -> tuple[str, PublicKey]:
        (key,) = public_keys().values()
        return thumbprint(key), key

    def sign(self, message: bytes) -> bytes:
        return KEY.sign(message, padding.PKCS1v15(), hashes.SHA256())


@dataclass
class Pool:
    """The user pool, as the client of the four routes."""

    provider: IdentityProvider
    browser: Browser = field(default_factory=Browser)
    now: float = NOW

    def __post_init__(self) -> None:
        self.github = GitHub(
            client_id=CLIENT_ID,
            issuer=ISSUER,
            callback_url=CALLBACK,
            url=f"{self.provider.url}/github",
            api=HttpGitHub(f"{self.provider.url}/github", f"{self.provider.url}/github/api"),
            signer=MemorySigner(),
            clock=lambda: self.now,
        )
        self.browser.visit(self.github)

    def authorize(self, **changed: str) -> Answer:
        params = {
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid email profile",
            "state": "state-of-the-pool",
            **changed,
        }
        return self.browser.get(f"/auth/github/authorize?{urlencode(params)}")

    def code_of(self, person: Person) -> str:
        """Have a person sign in at GitHub."""
        page = urlsplit(self.authorize().location)
        params = {**dict(parse_qsl(page.query)), "person": person.login}
        back = self.provider.answer("GET", page.path, params, "").location
        assert back is not None
        assert back.startswith(f"{CALLBACK}?")
        found = parse_qs(urlsplit(back).query)
        assert found["state"] == ["state-of-the-pool"]
        return found["code"][0]

    def token(self, given: str, **changed: str) -> Answer:
        form = {
            "grant_type": "authorization_code",
            "code": given,
            "redirect_uri": CALLBACK,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            **changed,
        }
        return self.browser.send("POST", "/auth/github/token", FORM, urlencode(form))

    def userinfo(self, token: str) -> Answer:
        return self.browser.get("/auth/github/userinfo", authorization=f"Bearer {token}")

    def claims(self, answer: Answer) -> Mapping[str, Any]:
        """Verify an ID token with the published key, as the user pool does."""
        published = self.browser.get("/auth/github/jwks").json["keys"]
        keys = {it["kid"]: PublicKey.of_jwk(it) for it in published}
        found = signed_claims(answer.json["id_token"], keys)
        assert found is not None
        return found


@pytest.fixture
def pool() -> Iterator[Pool]:
    with identity_provider() as provider:
        yield Pool(provider)


def test_the_browser_goes_to_github_for_no_more_than_who_one_is(pool: Pool) -> None:
    answer = pool.authorize()

    assert answer.status == 302
    page = urlsplit(answer.location)
    assert f"{page.scheme}://{page.netloc}{page.path}" == f"{pool.github.url}/login/oauth/authorize"
    assert dict(parse_qsl(page.query)) == {
        "client_id": CLIENT_ID,
        "redirect_uri": CALLBACK,
        "scope": "read:user user:email",
        "state": "state-of-the-pool",
    }


def test_the_user_pool_learns_who_signed_in(pool: Pool) -> None:
    answer = pool.token(pool.code_of(ADA))

    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert pool.claims(answer) == {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "sub": str(ADA.id),
        "iat": NOW,
        "exp": NOW + 300,
        "name": ADA.name,
        "preferred_username": "ada",
        "email": "ada@example.com",
        "email_verified": True,
    }
    assert pool.userinfo(answer.json["access_token"]).json == pool.claims(answer)


def test_an_address_that_github_has_not_verified_is_not_passed_on(pool: Pool) -> None:
    claims = pool.claims(pool.token(pool.code_of(UNVERIFIED)))

    assert not claims.keys() & {"email", "email_verified"}


def test_a_login_that_changed_hands_is_another_person(pool: Pool) -> None:
    before = pool.claims(pool.token(pool.code_of(ADA)))
    pool.provider.people = (replace(ADA, id=2001),)

    after = pool.claims(pool.token(pool.code_of(ADA)))

    assert before["preferred_username"] == after["preferred_username"]
    assert before["sub"] != after["sub"]


def test_github_s_own_token_stays_in_the_function(pool: Pool) -> None:
    answer = pool.token(pool.code_of(ADA))

    (token,) = pool.provider.tokens
    assert token not in answer.text
    assert token not in str(pool.browser.telemetry.lines)


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": EVIL},
        {"redirect_uri": f"{CALLBACK}/../x"},
        {"client_id": "another"},
        {"response_type": "token"},
        {"state": ""},
    ],
)
def test_a_browser_is_sent_nowhere_for_somebody_else(pool: Pool, changed: dict[str, str]) -> None:
    answer = pool.authorize(**changed)

    assert answer.status == 400
    assert "location" not in answer.headers


def test_a_parameter_that_is_given_twice_counts_as_missing(pool: Pool) -> None:
    params = f"client_id={CLIENT_ID}&response_type=code&state=s&redirect_uri={CALLBACK}&redirect_uri={EVIL}"

    assert pool.browser.get(f"/auth/github/authorize?{params}").status == 400


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"grant_type": "refresh_token"}, (400, "unsupported_grant_type")),
        ({"client_id": "another"}, (401, "invalid_client")),
        ({"client_secret": "wrong"}, (401, "invalid_client")),
        ({"client_secret": ""}, (400, "invalid_request")),
        ({"redirect_uri": EVIL}, (400, "invalid_request")),
        ({"code": "unknown"}, (400, "invalid_grant")),
        ({"code": ""}, (400, "invalid_request")),
    ],
)
def test_a_wrong_exchange_is_refused_as_the_standard_says(
    pool: Pool, changed: dict[str, str], expected: tuple[int, str]
) -> None:
    answer = pool.token(pool.code_of(ADA), **changed)

    assert (answer.status, answer.json["error"]) == expected
    assert "id_token" not in answer.text


def test_a_code_is_good_once(pool: Pool) -> None:
    code = pool.code_of(ADA)

    assert [pool.token(code).status for _ in range(2)] == [200, 400]


def test_a_token_of_five_minutes_ago_tells_nothing(pool: Pool) -> None:
    token = pool.token(pool.code_of(ADA)).json["access_token"]
    pool.now += 300

    assert pool.userinfo(token).status == 401


@pytest.mark.parametrize(
    "forge",
    [
        lambda _: "",
        lambda token: token[:-8] + "AAAAAAAA",
        lambda _: signed(
            {"iss": ISSUER, "aud": CLIENT_ID, "exp": NOW + 9}, kid=MemorySigner().public_key()[0], alg="none"
        ),
        lambda _: signed(
            {"iss": ISSUER, "aud": "another", "exp": NOW + 9}, kid=MemorySigner().public_key()[0]
        ),
        lambda _: signed(
            {"iss": "https://evil", "aud": CLIENT_ID, "exp": NOW + 9}, kid=MemorySigner().public_key()[0]
        ),
        lambda _: signed({"iss": ISSUER, "aud": CLIENT_ID}, kid=MemorySigner().public_key()[0]),
    ],
    ids=["none", "another signature", "unsigned", "another client", "another issuer", "without an end"],
)
def test_no_other_token_tells_anything(pool: Pool, forge: Any) -> None:  # noqa: ANN401 - one of the above
    token = forge(pool.token(pool.code_of(ADA)).json["access_token"])

    answer = pool.userinfo(token)

    assert (answer.status, answer.json) == (401, {"error": "invalid_token"})


def test_a_session_of_the_console_is_no_token_for_userinfo(pool: Pool) -> None:
    pool.browser.sign_in()

    assert pool.userinfo(pool.browser.jar["__Host-session"][0]).status == 401


def test_the_key_is_published_without_its_private_half(pool: Pool) -> None:
    answer = pool.browser.get("/auth/github/jwks")

    (key,) = answer.json["keys"]
    assert key.keys() == {"kty", "kid", "alg", "use", "n", "e"}
    assert answer.headers["cache-control"] == "public, max-age=300"


def test_where_nobody_signs_in_with_github_there_are_no_such_routes() -> None:
    browser = Browser()

    answers = [browser.get(f"/auth/github/{it}") for it in ("authorize", "userinfo", "jwks")]

    assert [it.status for it in (*answers, browser.post("/auth/github/token"))] == [404] * 4


def test_a_body_that_is_no_form_is_refused(pool: Pool) -> None:
    answer = pool.browser.send("POST", "/auth/github/token", {}, json.dumps({"code": "x"}))

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


def test_while_github_does_not_answer_one_tries_again(pool: Pool) -> None:
    code = pool.code_of(ADA)
    pool.browser.visit(replace(pool.github, api=HttpGitHub("http://127.0.0.1:1", "http://127.0.0.1:1")))

    answer = pool.token(code)

    assert answer.status == 503
    assert LogEvent.REQUEST_UNAVAILABLE in [event for event, _, _ in pool.browser.telemetry.lines]


def test_a_refused_token_is_an_error_of_ours_and_a_lost_page_is_not(pool: Pool) -> None:
    api = HttpGitHub(f"{pool.provider.url}/github", f"{pool.provider.url}/github/api")
    with pytest.raises(MisconfiguredError, match="401"):
        api.profile("no token")
    with pytest.raises(GitHubUnavailableError, match="404"):
        HttpGitHub(f"{pool.provider.url}/nowhere", "").exchange("a", "b", "c", "d")


def test_the_pages_that_one_can_sign_in_on_are_listed(pool: Pool) -> None:
    assert pool.browser.get("/auth/providers").json == {"data": {"providers": ["Google"]}}


# --- keys


@pytest.mark.parametrize("bits", [2048, 3072])
def test_a_key_is_read_from_what_kms_publishes(bits: int) -> None:
    key = rsa.generate_private_key(65537, bits).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    numbers = key.public_numbers()
    assert public_key_of(der) == PublicKey(numbers.n, numbers.e)


def test_a_key_of_another_kind_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    with pytest.raises(ValueError, match="not RSA"):
        public_key_of(der)

"""Signing in and out, as a browser lives it; and what attackers try on the way."""

import base64
import json
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from services.session.cognito import PoolUnavailableError
from services.session.service import safe_path
from services.shared.log_events import LogEvent
from tests.support.session import CONSOLE, NOW, Answer, Browser, id_token, signed

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def browser() -> Browser:
    return Browser()


def attributes(cookie: str) -> set[str]:
    return set(cookie.split("; ")[1:])


def cookie_of(answer: Answer, name: str) -> str:
    (found,) = [it for it in answer.cookies if it.startswith(f"{name}=")]
    return found


# --- signing in


def test_one_signs_in_and_gets_where_one_wanted_to_go(browser: Browser) -> None:
    answer = browser.sign_in(path="/orders")

    assert (answer.status, answer.location) == (302, "/orders")
    assert browser.jar.keys() == {"__Host-session", "refresh"}
    me = browser.get("/auth/me").json["data"]
    assert me["userId"] == "ann"
    assert me["current"] == {"tenantId": "acme", "organization": "Acme", "role": "admin"}


def test_the_pool_is_asked_for_a_code_with_state_nonce_and_pkce(browser: Browser) -> None:
    login = browser.get("/auth/login")

    query = {name: values[0] for name, values in parse_qs(urlsplit(login.location).query).items()}
    assert query["response_type"] == "code"
    assert query["redirect_uri"] == f"{CONSOLE}/auth/callback"
    assert query["code_challenge_method"] == "S256"
    assert len({query["state"], query["nonce"], query["code_challenge"]}) == 3
    assert "identity_provider" not in query


def test_only_known_identity_providers_are_asked_for(browser: Browser) -> None:
    google, evil = (browser.get(f"/auth/login?provider={it}").location for it in ("Google", "Evil"))

    assert "identity_provider=Google" in google
    assert "identity_provider" not in evil


def test_no_script_can_read_a_cookie_and_no_other_site_sends_the_refresh_token(browser: Browser) -> None:
    login = browser.get("/auth/login")
    answer = browser.sign_in()

    under_way, session = cookie_of(login, "__Host-login"), cookie_of(answer, "__Host-session")
    refresh = cookie_of(answer, "refresh")
    assert attributes(under_way) == {"Path=/", "Max-Age=300", "Secure", "HttpOnly", "SameSite=Lax"}
    assert attributes(session) == {"Path=/", "Max-Age=300", "Secure", "HttpOnly", "SameSite=Lax"}
    assert attributes(refresh) == {"Path=/auth", "Max-Age=604800", "Secure", "HttpOnly", "SameSite=Strict"}
    assert answer.headers["cache-control"] == "no-store"


def test_no_answer_shows_a_token(browser: Browser) -> None:
    browser.sign_in()
    tokens = [value for value, _ in browser.jar.values()]

    answers = [browser.get("/auth/me"), browser.post("/auth/refresh"), browser.post("/auth/logout")]

    shown = "".join(it.text + str(it.headers) for it in answers)
    assert not [token for token in tokens if token in shown]


# --- attacks on the way back


def test_a_sign_in_that_this_browser_did_not_begin_is_refused(browser: Browser) -> None:
    """Session fixation: an attacker has the victim finish the attacker's own sign-in."""
    attacker = Browser()
    link = browser.pool.sign_in_page(attacker.get("/auth/login").location, "mallory")

    answer = browser.get(link)

    assert answer.status == 400
    assert browser.jar == {}


def test_another_state_is_refused_and_the_code_is_not_used(browser: Browser) -> None:
    back = browser.pool.sign_in_page(browser.get("/auth/login").location, "ann")

    answer = browser.get(back.replace("state=", "state=x"))

    assert answer.status == 400
    assert len(browser.pool.codes) == 1
    assert "__Host-session" not in browser.jar


def test_a_code_is_good_for_one_sign_in(browser: Browser) -> None:
    browser.get("/auth/login")
    login = browser.jar["__Host-login"]
    back = browser.pool.sign_in_page(browser.get("/auth/login").location, "ann")
    again = browser.jar["__Host-login"]
    assert browser.get(back).status == 302

    browser.jar = {"__Host-login": again}
    replayed = browser.get(back)
    browser.jar = {"__Host-login": login}
    with_another_login = browser.get(back)

    assert (replayed.status, with_another_login.status) == (400, 400)
    assert browser.jar == {}


def test_a_stolen_code_is_useless_without_the_verifier(browser: Browser) -> None:
    stolen = browser.pool.sign_in_page(browser.get("/auth/login").location, "ann")
    code = parse_qs(urlsplit(stolen).query)["code"][0]
    thief = Browser()
    thief.pool = browser.pool
    own = parse_qs(urlsplit(thief.get("/auth/login").location).query)["state"][0]
    object.__setattr__(thief.sessions, "client", browser.pool)

    # The thief's browser began a sign-in of its own, with another verifier.
    login = json.loads(base64.urlsafe_b64decode(thief.jar["__Host-login"][0] + "=="))
    login["verifier"] = "of-the-thief"
    thief.jar["__Host-login"] = (base64.urlsafe_b64encode(json.dumps(login).encode()).decode(), "/")
    answer = thief.get(f"/auth/callback?code={code}&state={own}")

    assert answer.status == 400
    assert code in browser.pool.codes


def test_a_token_with_another_nonce_is_refused(browser: Browser) -> None:
    back = browser.pool.sign_in_page(browser.get("/auth/login").location, "ann")
    (code,) = browser.pool.codes
    browser.pool.codes[code] = {**browser.pool.codes[code], "nonce": "another"}

    assert browser.get(back).status == 400
    assert "__Host-session" not in browser.jar


@pytest.mark.parametrize("cookie", ["", "x", "e30", base64.urlsafe_b64encode(b'{"state":1}').decode(), "%00"])
def test_a_broken_login_cookie_is_refused(browser: Browser, cookie: str) -> None:
    browser.jar["__Host-login"] = (cookie, "/")

    assert browser.get("/auth/callback?code=c&state=s").status == 400


def test_the_pool_s_own_refusal_is_a_page_with_a_way_back(browser: Browser) -> None:
    answer = browser.get("/auth/callback?error=access_denied&state=s", accept="text/html")

    assert answer.status == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert 'href="/auth/login"' in answer.text
    assert LogEvent.SIGN_IN_REFUSED in [event for event, _, _ in browser.telemetry.lines]


@pytest.mark.parametrize(
    "expected",
    [
        *(
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
        ),
        *("/%2f/evil.example", "/%5cevil.example", "/\t/evil.example", "/\r\nlocation: x", "evil", "", "/é"),
        # Browsers resolve dots before they look: to a sign-in again, or to another host's name as a path.
        *("/..//evil.example", "/a/..//evil.example", "/%2e%2e//evil.example", "/.//evil.example", "/a/.."),
        *("/x/../auth/login", "/x/%2e%2e/auth/login?provider=Google", "/./auth/callback"),
        *("/auth/logout", "/" + "a" * 2_000, " /orders", "/orders\x00"),
    ],
)
def test_after_signing_in_one_stays_on_this_origin(browser: Browser, expected: str) -> None:
    assert browser.sign_in(path=quote(expected, safe="")).location == "/"


@pytest.mark.parametrize(
    "expected",
    [
        "/",
        "/orders",
        "/orders?status=PAID&q=%C3%A9%20b",
        "/dashboards/1#w",
        "/a//b",
        "/orders?q=/../x",
        "/orders/ord.1",
    ],
)
def test_paths_of_this_origin_are_kept(expected: str) -> None:
    assert safe_path(expected) == expected


# --- renewing and ending a session


def test_a_session_is_renewed_without_asking_the_person(browser: Browser) -> None:
    browser.sign_in()
    browser.jar.pop("__Host-session")  # expired

    answer = browser.post("/auth/refresh")

    assert answer.status == 204
    assert browser.get("/auth/me").status == 200
    assert "refresh" in browser.jar


def test_without_a_good_refresh_token_the_session_is_removed(browser: Browser) -> None:
    browser.sign_in()
    browser.pool.refresh_tokens.clear()

    answer = browser.post("/auth/refresh")

    assert answer.status == 401
    assert browser.jar == {}


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout"])
def test_another_site_cannot_renew_or_end_a_session(browser: Browser, path: str) -> None:
    """CSRF: a form of another site can send cookies, but no header of its own."""
    browser.sign_in()

    answer = browser.send("POST", path, {"content-type": FORM})

    assert answer.status == 403
    assert browser.jar.keys() == {"__Host-session", "refresh"}
    assert browser.pool.refresh_tokens


def test_signing_out_revokes_the_refresh_token_and_removes_both_cookies(browser: Browser) -> None:
    browser.sign_in()
    (token,) = browser.pool.refresh_tokens

    answer = browser.post("/auth/logout")

    assert browser.jar == {}
    assert browser.pool.refresh_tokens == {}
    url = answer.json["data"]["logoutUrl"]
    assert parse_qs(urlsplit(url).query) == {"client_id": ["client-1"], "logout_uri": [f"{CONSOLE}/"]}
    browser.jar["refresh"] = (token, "/auth")
    assert browser.post("/auth/refresh").status == 401


def test_a_pool_in_trouble_ends_no_session(browser: Browser) -> None:
    browser.sign_in()
    browser.pool.failure = PoolUnavailableError("timed out")

    answers = [browser.post("/auth/refresh"), browser.post("/auth/logout")]

    assert [it.status for it in answers] == [503, 503]
    assert answers[0].headers["retry-after"]
    assert browser.jar.keys() == {"__Host-session", "refresh"}


def test_an_error_of_ours_shows_nothing_of_what_is_inside(browser: Browser) -> None:
    browser.sign_in()
    browser.pool.failure = ValueError("the secret")

    answer = browser.post("/auth/refresh")

    assert answer.status == 500
    assert "secret" not in answer.text


# --- who is signed in


def test_nobody_is_signed_in_without_a_cookie(browser: Browser) -> None:
    assert browser.get("/auth/me").status == 401


@pytest.mark.parametrize("name", ["session", "__host-session", "__Host-Session", "__Secure-session"])
def test_a_cookie_that_another_host_could_set_is_no_session(browser: Browser, name: str) -> None:
    browser.sign_in()
    browser.jar[name] = browser.jar.pop("__Host-session")

    assert browser.get("/auth/me").status == 401


OTHER_KEY = rsa.generate_private_key(65537, 2048)
CLAIMS = {
    "iss": "https://issuer.example.com/pool",
    "aud": "client-1",
    "token_use": "id",
    "exp": NOW + 300,
    "sub": "ann",
}


def unsigned(token: str) -> str:
    header = base64.urlsafe_b64encode(b'{"kid":"key-1","alg":"none"}').decode().rstrip("=")
    return f"{header}.{token.split('.')[1]}."


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(signed(CLAIMS, key=OTHER_KEY), id="signed by another pool"),
        pytest.param(signed({**CLAIMS, "iss": "https://issuer.example.com/other"}), id="of another pool"),
        pytest.param(signed({**CLAIMS, "aud": "client-2"}), id="of another client"),
        pytest.param(signed({**CLAIMS, "token_use": "access"}), id="an access token"),
        pytest.param(signed({**CLAIMS, "exp": NOW}), id="expired"),
        pytest.param(signed(CLAIMS, kid="key-2"), id="with an unknown key"),
        pytest.param(signed(CLAIMS, alg="HS256"), id="with another algorithm"),
        pytest.param(unsigned(signed(CLAIMS)), id="unsigned"),
        pytest.param(signed(CLAIMS)[:-4] + "AAAA", id="with a changed signature"),
        pytest.param(signed({"sub": "ann"}), id="with claims missing"),
        pytest.param("a.b.c", id="no token"),
        pytest.param("", id="empty"),
    ],
)
def test_no_other_token_says_who_one_is(browser: Browser, token: str) -> None:
    browser.jar["__Host-session"] = (token, "/")

    assert browser.get("/auth/me").status == 401


def test_claims_that_say_more_than_membership_change_nothing(browser: Browser) -> None:
    """Role escalation by claim: what one may is looked up by who one is."""
    token = id_token("zoe", **{"custom:tenant_id": "acme", "custom:role": "admin"})
    browser.jar["__Host-session"] = (token, "/")

    me = browser.get("/auth/me").json["data"]

    assert (me["current"], me["memberships"]) == (None, [])


def test_two_different_session_cookies_are_none(browser: Browser) -> None:
    browser.sign_in()
    cookies = f"__Host-session={id_token('mallory')}"

    assert browser.send("GET", "/auth/me", {"cookie": cookies}).status == 401


# --- machines


def machine(browser: Browser, form: dict[str, str], **headers: str) -> Answer:
    return browser.send("POST", "/auth/token", {"content-type": FORM, **headers}, urlencode(form))


GRANT = {"grant_type": "client_credentials"}


def test_a_machine_gets_a_token_by_form_or_by_basic_authentication(browser: Browser) -> None:
    browser.pool.machines["machine-1"] = "s3cret:+/%"
    basic = base64.b64encode(f"machine-1:{quote('s3cret:+/%', safe='')}".encode()).decode()

    by_form = machine(browser, {**GRANT, "client_id": "machine-1", "client_secret": "s3cret:+/%"})
    by_basic = machine(browser, {**GRANT, "scope": "orders:write"}, authorization=f"Basic {basic}")

    assert (by_form.status, by_basic.status) == (200, 200)
    assert by_form.json["token_type"] == "Bearer"
    assert by_form.json["expires_in"] == 300
    assert by_form.json["scope"] == "orders:read orders:write"
    assert (by_form.headers["cache-control"], by_form.headers["pragma"]) == ("no-store", "no-cache")
    assert by_form.cookies == []


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({**GRANT}, 401, "invalid_client"),
        ({**GRANT, "client_id": "machine-1", "client_secret": "wrong"}, 401, "invalid_client"),
        ({**GRANT, "client_id": "machine-9", "client_secret": "right"}, 401, "invalid_client"),
        ({**GRANT, "client_id": "machine-1", "client_secret": "right", "scope": "all"}, 400, "invalid_scope"),
    ],
)
def test_errors_are_those_of_the_standard(
    browser: Browser, form: dict[str, str], status: int, error: str
) -> None:
    browser.pool.machines["machine-1"] = "right"

    answer = machine(browser, form)

    assert (answer.status, answer.json["error"]) == (status, error)
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_people_cannot_sign_in_as_machines(browser: Browser) -> None:
    browser.pool.machines["ann"] = "her password"

    answer = machine(browser, {**GRANT, "client_id": "ann", "client_secret": "her password"})

    assert answer.status == 401


def test_nobody_learns_which_machines_there_are(browser: Browser) -> None:
    """Enumeration: an unknown machine, a wrong secret and a person's name are answered alike."""
    browser.pool.machines["machine-1"] = "right"
    tried = ["machine-1", "machine-2", "ann"]

    answers = [machine(browser, {**GRANT, "client_id": it, "client_secret": "wrong"}) for it in tried]

    assert len({(it.status, it.text) for it in answers}) == 1


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("grant_type=client_credentials&grant_type=client_credentials", FORM),
        ('{"grant_type":"client_credentials"}', "application/json"),
        ("grant_type=client_credentials&" + "x" * 9_000, FORM),
    ],
)
def test_a_body_that_is_no_form_or_says_something_twice_is_refused(
    browser: Browser, body: str, content_type: str
) -> None:
    answer = browser.send("POST", "/auth/token", {"content-type": content_type}, body)

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("header", ["Bearer x", "Basic !", "Basic", "Basic /w=="])
def test_broken_authentication_is_refused(browser: Browser, header: str) -> None:
    assert machine(browser, GRANT, authorization=header).status == 401


# --- the rest


@pytest.mark.parametrize("route", ["GET /auth/refresh", "POST /auth/login", "GET /auth/none", "GET /"])
def test_there_are_no_other_routes(browser: Browser, route: str) -> None:
    method, _, path = route.partition(" ")

    assert browser.send(method, path, {}).status == 404


def test_cookies_are_read_from_the_header_too(browser: Browser) -> None:
    """As the local emulator sends them."""
    browser.sign_in()
    session, _ = browser.jar.pop("__Host-session")

    answer = browser.send("GET", "/auth/me", {"cookie": f"a=b; __Host-session={session}"})

    assert answer.status == 200

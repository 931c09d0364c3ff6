"""The edge function, run in Node: who a request is from, and what is served for a path."""

import json
import re
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from scripts.local.aws.site import EDGE_FUNCTION
from scripts.local.web import node_folder

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
OTHER_TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIyIn0.c2lnbmF0dXJl"
BEARER = {"authorization": {"value": f"Bearer {TOKEN}"}}
SESSION = {"__Host-session": {"value": TOKEN}}
MAXIMUM_BYTES = 10_240
"""The largest function of CloudFront."""

RUN = """
const events = JSON.parse(require("fs").readFileSync(0, "utf8"));
const code = require("fs").readFileSync(process.argv[1], "utf8");
const handler = require("vm").runInNewContext(`${code}; handler`, {});
process.stdout.write(JSON.stringify(events.map((event) => handler(event))));
"""

Event = Mapping[str, Any]


def run(*events: Event) -> list[Any]:
    done = subprocess.run(  # noqa: S603 - Node of the locked package
        [node_folder() / "bin/node", "-e", RUN, EDGE_FUNCTION],
        input=json.dumps(events),
        capture_output=True,
        text=True,
        check=True,
    )
    results: list[Any] = json.loads(done.stdout)
    return results


def incoming(
    uri: str, *, method: str = "GET", cookies: Event | None = None, headers: Event | None = None
) -> Event:
    request = {
        "method": method,
        "uri": uri,
        "querystring": {},
        "headers": dict(headers or {}),
        "cookies": dict(cookies or {}),
    }
    return {"version": "1.0", "context": {"eventType": "viewer-request"}, "request": request}


def outgoing(content_type: str, cookies: Event | None = None, sent: Event | None = None) -> Event:
    response = {
        "statusCode": 200,
        "headers": {"content-type": {"value": content_type}},
        "cookies": dict(sent or {}),
    }
    event = incoming("/index.html", cookies=cookies)
    return {**event, "context": {"eventType": "viewer-response"}, "response": response}


def test_the_function_fits_on_the_edge() -> None:
    assert EDGE_FUNCTION.stat().st_size < MAXIMUM_BYTES


@pytest.mark.parametrize(
    ("feature", "pattern"),
    [
        ("spread", r"\.\.\."),
        ("optional chaining", r"\?\.(?!\d)"),
        ("nullish coalescing", r"\?\?"),
        ("computed names", r"[{,]\s*\[[^\]]*\]\s*:"),
        ("destructuring", r"\b(?:const|let|var)\s*[\[{]"),
        ("classes", r"\bclass\s"),
        ("for of", r"\bfor\s*\([^;)]*\sof\s"),
        ("default values", r"\bfunction\b[^(]*\([^)]*="),
        ("shorthand names", r"[{,]\s*\w+\s*(?=[,}])"),
    ],
)
def test_the_function_uses_what_the_runtime_of_the_edge_has(feature: str, pattern: str) -> None:
    """The emulator runs it in Node, which has the whole language; runtime 2.0 has ES 5.1 and some more."""
    code = re.sub(
        r"//.*|/(?:\\.|[^/\n\\])+/(?=[.;])|\"[^\"\n]*\"", "x", EDGE_FUNCTION.read_text(encoding="utf-8")
    )

    assert not re.search(pattern, code), f"runtime 2.0 of CloudFront Functions has no {feature}"


def test_the_session_becomes_the_token_of_the_api() -> None:
    (request,) = run(incoming("/api/orders", cookies=SESSION))

    assert request["headers"] == BEARER
    assert request["cookies"] == {}
    assert request["uri"] == "/api/orders"


def test_a_token_from_outside_does_not_come_with_cookies() -> None:
    outside = {"authorization": {"value": f"Bearer {OTHER_TOKEN}"}}

    with_session, without = run(
        incoming("/api/orders", cookies=SESSION, headers=outside),
        incoming("/api/orders", cookies={"variant": {"value": "7"}}, headers=outside),
    )

    assert with_session["headers"] == BEARER
    assert without["headers"] == {}


def test_machines_send_their_own_token() -> None:
    outside = {"authorization": {"value": f"Bearer {OTHER_TOKEN}"}}

    read, write = run(
        incoming("/api/orders", headers=outside), incoming("/api/orders", method="POST", headers=outside)
    )

    assert read["headers"] == outside
    assert write["headers"] == outside


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "post", "PROPFIND"])
@pytest.mark.parametrize("path", ["/api/orders", "/auth/refresh", "/webhooks/payments"])
def test_a_write_with_cookies_needs_the_header(method: str, path: str) -> None:
    csrf = {"x-requested-with": {"value": "pulsequeue-console"}}

    refused, empty, admitted = run(
        incoming(path, method=method, cookies=SESSION),
        incoming(path, method=method, cookies=SESSION, headers={"x-requested-with": {"value": ""}}),
        incoming(path, method=method, cookies=SESSION, headers=csrf),
    )

    for answer in (refused, empty):
        assert answer["statusCode"] == 403
        assert answer["headers"]["content-type"]["value"] == "application/problem+json"
        assert "x-requested-with" in json.loads(answer["body"]["data"])["detail"]
    assert admitted["uri"] == path


def test_any_cookie_makes_a_write_need_the_header() -> None:
    header, unknown = run(
        incoming("/api/orders", method="POST", headers={"cookie": {"value": "x=1"}}),
        incoming("/api/orders", method="POST", cookies={"x": {"value": "1"}}),
    )

    assert (header["statusCode"], unknown["statusCode"]) == (403, 403)


def test_sign_in_gets_its_cookies_and_no_token_from_outside() -> None:
    cookies = {**SESSION, "refresh": {"value": "r"}, "__Host-login": {"value": "l"}}

    browser, machine = run(
        incoming("/auth/callback", cookies=cookies, headers={"authorization": {"value": "Basic eA=="}}),
        incoming("/auth/token", method="POST", headers={"authorization": {"value": "Basic eA=="}}),
    )

    assert browser["cookies"] == cookies
    assert browser["headers"] == {}
    assert machine["headers"] == {"authorization": {"value": "Basic eA=="}}


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a.b",
        "a.b.c.d",
        f"{TOKEN}, Bearer {OTHER_TOKEN}",
        f"{TOKEN}\r\nx-tenant: other",
        f"{TOKEN}\n",
        f" {TOKEN}",
        f"Bearer {TOKEN}",
        f"%20{TOKEN}",
        f'"{TOKEN}"',
        f"{'a' * 2049}.b.c",
        f"a.{'b' * 4097}.c",
        f"a.b.{'c' * 1025}",
        "ａ.ｂ.ｃ",  # noqa: RUF001 - letters outside ASCII
    ],
)
def test_a_session_that_is_no_token_signs_nobody_in(value: str) -> None:
    (request,) = run(incoming("/api/orders", cookies={"__Host-session": {"value": value}}))

    assert request["headers"] == {}


@pytest.mark.parametrize(
    "name",
    [
        "__host-session",
        "__Host-Session",
        "%5F_Host-session",
        "__Host-session ",
        "session",
    ],
)
def test_only_the_exact_name_is_the_session(name: str) -> None:
    alone, beside, before = run(
        incoming("/api/orders", cookies={name: {"value": OTHER_TOKEN}}),
        incoming("/api/orders", cookies={**SESSION, name: {"value": OTHER_TOKEN}}),
        incoming("/api/orders", cookies={name: {"value": OTHER_TOKEN}, **SESSION}),
    )

    assert alone["headers"] == {}
    assert beside["headers"] == before["headers"] == BEARER


def test_two_sessions_sign_nobody_in() -> None:
    twice = {"value": TOKEN, "multiValue": [{"value": TOKEN}, {"value": OTHER_TOKEN}]}

    (request,) = run(incoming("/api/orders", cookies={"__Host-session": twice}))

    assert request["headers"] == {}


def test_names_of_every_object_are_no_cookies() -> None:
    (request,) = run(incoming("/api/orders", cookies={"constructor": {"value": "x"}}))

    assert request["headers"] == {}


@pytest.mark.parametrize(
    "path",
    ["/", "/orders", "/orders/ord-1", "/orders/ord.1", "/revenue/", "/%61pi/orders", "/API/x"],
)
def test_the_path_of_a_page_serves_the_page(path: str) -> None:
    (request,) = run(incoming(path, cookies=SESSION))

    assert request["uri"] == "/index.html"
    assert request["headers"] == {}
    assert request["cookies"] == {}


@pytest.mark.parametrize(
    "path", ["/index.html", "/config.json", "/flags.json", "/assets/main-a1.js", "/icon.svg", "/live"]
)
def test_the_path_of_a_file_stays(path: str) -> None:
    (request,) = run(incoming(path, cookies=SESSION))

    assert request["uri"] == path
    assert request["headers"] == {}


@pytest.mark.parametrize("path", ["/api/../orders", "//api/orders", "/assets/../api/orders", "/api%2Forders"])
def test_a_path_in_disguise_gets_the_token_for_the_api_only(path: str) -> None:
    (request,) = run(incoming(path, cookies=SESSION))

    assert (request["headers"] == BEARER) == path.startswith("/api/")


def test_a_page_sets_the_variant_of_a_new_visitor_once() -> None:
    new, known, broken, script = run(
        outgoing("text/html; charset=utf-8", sent={"other": {"value": "1"}}),
        outgoing("text/html", cookies={"variant": {"value": "42"}}),
        outgoing("text/html", cookies={"variant": {"value": "420"}}),
        outgoing("text/javascript"),
    )

    assert 0 <= int(new["cookies"]["variant"]["value"]) < 100
    assert new["cookies"]["variant"]["attributes"] == "Path=/; Max-Age=31536000; Secure; SameSite=Lax"
    assert new["cookies"]["other"] == {"value": "1"}
    assert known["cookies"] == {}
    assert "variant" in broken["cookies"]
    assert script["cookies"] == {}

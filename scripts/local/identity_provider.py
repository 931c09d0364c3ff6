"""Plays Google and GitHub on this machine: people of its own, who sign in with one click.

Google as a provider of OpenID Connect below /google, GitHub with its OAuth pages and its API below /github.
Like them it takes each code once, from the client that asked for it, for the address that it asked for.
"""

from __future__ import annotations

import argparse
import base64
import html
import json
import secrets
import time
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from scripts.local.aws.emulator import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID: Final = "pulsequeue-local"
CLIENT_SECRET: Final = "no-secret-on-this-machine"  # noqa: S105 - what its name says

_CODE_SECONDS: Final = 600
_TOKEN_SECONDS: Final = 3_600


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    login: str
    name: str
    email: str
    verified: bool = True


PEOPLE: Final = (
    Person(1001, "ada", "Ada Moreau", "ada@example.com"),
    Person(1002, "ben", "Ben Okafor", "ben@example.com"),
    Person(1003, "cem", "Cem Yilmaz (address not verified)", "cem@example.com", verified=False),
)


@dataclass(frozen=True, slots=True)
class Grant:
    """Who signed in, and for whom: of a code, or of a token."""

    person: Person
    client_id: str
    redirect_uri: str
    nonce: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: object = ""
    location: str | None = None


@dataclass
class IdentityProvider:
    url: str = ""
    people: Sequence[Person] = PEOPLE
    clock: Callable[[], float] = time.time
    codes: dict[str, Grant] = field(default_factory=dict)
    tokens: dict[str, Grant] = field(default_factory=dict)

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        # Here: an installed command line has no such package, and runs no stack.
        from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - as said

        return rsa.generate_private_key(65537, 2048)

    def answer(self, method: str, path: str, params: Mapping[str, str], bearer: str) -> Answer:
        """Answer a request, given the fields of its query or form."""
        routes: Mapping[tuple[str, str], Callable[[], Answer]] = {
            ("GET", "/google/.well-known/openid-configuration"): lambda: Answer(200, self._configuration()),
            ("GET", "/google/authorize"): lambda: self._authorize("Google", path, params),
            ("GET", "/google/jwks"): lambda: Answer(200, {"keys": [self._jwk()]}),
            ("GET", "/google/userinfo"): lambda: self._profile(bearer, _google_claims),
            ("POST", "/google/token"): lambda: self._google_token(params),
            ("GET", "/github/login/oauth/authorize"): lambda: self._authorize("GitHub", path, params),
            ("POST", "/github/login/oauth/access_token"): lambda: self._github_token(params),
            ("GET", "/github/api/user"): lambda: self._profile(bearer, _github_user),
            ("GET", "/github/api/user/emails"): lambda: self._profile(bearer, _github_emails),
        }
        route = routes.get((method, path))
        return route() if route else Answer(404, {"message": "Not Found"})

    def _authorize(self, name: str, path: str, params: Mapping[str, str]) -> Answer:
        if params.get("client_id") != CLIENT_ID or not _is_pool(params.get("redirect_uri", "")):
            return Answer(400, "<h1>This client or its redirect_uri is unknown here.</h1>")
        back = {"state": params["state"]} if "state" in params else {}
        if params.get("person") == "nobody":
            return Answer(302, location=_with(params["redirect_uri"], {"error": "access_denied", **back}))
        chosen = next((it for it in self.people if it.login == params.get("person")), None)
        if chosen is None:
            return Answer(200, self._page(name, path, params))
        code = secrets.token_urlsafe(16)
        self.codes[code] = Grant(
            chosen, CLIENT_ID, params["redirect_uri"], params.get("nonce", ""), self.clock() + _CODE_SECONDS
        )
        return Answer(302, location=_with(params["redirect_uri"], {"code": code, **back}))

    def _google_token(self, form: Mapping[str, str]) -> Answer:
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Answer(401, {"error": "invalid_client"})
        grant = self._take(form)
        if grant is None:
            return Answer(400, {"error": "invalid_grant"})
        person, now = grant.person, int(self.clock())
        claims = {
            "iss": f"{self.url}/google",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + _TOKEN_SECONDS,
            **_google_claims(person),
            **({"nonce": grant.nonce} if grant.nonce else {}),
        }
        token = self._access_token(grant)
        body = {"access_token": token, "id_token": self._signed(claims), "token_type": "Bearer"}
        return Answer(200, {**body, "expires_in": _TOKEN_SECONDS})

    def _github_token(self, form: Mapping[str, str]) -> Answer:
        """As GitHub does, answer 200 in any case."""
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Answer(200, {"error": "incorrect_client_credentials"})
        grant = self._take(form)
        if grant is None:
            return Answer(200, {"error": "bad_verification_code"})
        token = self._access_token(grant)
        return Answer(200, {"access_token": token, "token_type": "bearer", "scope": "read:user,user:email"})

    def _profile(self, bearer: str, of: Callable[[Person], object]) -> Answer:
        grant = self.tokens.get(bearer)
        if grant is None or grant.expires_at <= self.clock():
            return Answer(401, {"message": "Bad credentials"})
        return Answer(200, of(grant.person))

    def _take(self, form: Mapping[str, str]) -> Grant | None:
        """Use a code up."""
        grant = self.codes.pop(form.get("code", ""), None)
        if grant is None or grant.expires_at <= self.clock():
            return None
        return grant if grant.redirect_uri == form.get("redirect_uri") else None

    def _access_token(self, grant: Grant) -> str:
        token = secrets.token_urlsafe(24)
        self.tokens[token] = Grant(grant.person, grant.client_id, "", "", self.clock() + _TOKEN_SECONDS)
        return token

    def _page(self, name: str, path: str, params: Mapping[str, str]) -> str:
        def link(person: str, text: str) -> str:
            address = html.escape(f"{path}?{urlencode({**params, 'person': person})}")
            return f'<p><a href="{address}">{html.escape(text)}</a></p>'

        people = "".join(link(it.login, f"Continue as {it.name}, {it.email}") for it in self.people)
        title = f"{name} of this machine"
        return (
            f'<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">'
            f"<title>{title}</title><h1>{title}</h1><p>It stands in for {name}, and knows these people:</p>"
            f"{people}{link('nobody', 'Cancel')}</html>"
        )

    def _configuration(self) -> Mapping[str, object]:
        google = f"{self.url}/google"
        return {
            "issuer": google,
            "authorization_endpoint": f"{google}/authorize",
            "token_endpoint": f"{google}/token",
            "userinfo_endpoint": f"{google}/userinfo",
            "jwks_uri": f"{google}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _jwk(self) -> Mapping[str, str]:
        numbers = self._key.public_key().public_numbers()
        found = {"n": numbers.n, "e": numbers.e}
        parts = {name: it.to_bytes((it.bit_length() + 7) // 8, "big") for name, it in found.items()}
        encoded = {name: _encoded(it) for name, it in parts.items()}
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "google", **encoded}

    def _signed(self, claims: Mapping[str, object]) -> str:
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415 - as above

        header = {"alg": "RS256", "kid": "google", "typ": "JWT"}
        content = ".".join(_encoded(json.dumps(it).encode()) for it in (header, claims))
        return f"{content}.{_encoded(self._key.sign(content.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def serve(port: int = 0) -> tuple[IdentityProvider, ThreadingHTTPServer]:
    """Listen on loopback; the caller runs `serve_forever` of the server, and closes it."""
    provider = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            self._send(dict(parse_qsl(body, keep_blank_values=True)))

        def _send(self, params: Mapping[str, str]) -> None:
            scheme, _, token = (self.headers.get("authorization") or "").partition(" ")
            bearer = token if scheme.lower() == "bearer" else ""
            answer = provider.answer(self.command, urlsplit(self.path).path, params, bearer)
            is_page = isinstance(answer.body, str)
            content = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            self.send_response(answer.status)
            self.send_header("content-type", "text/html; charset=utf-8" if is_page else "application/json")
            self.send_header("cache-control", "no-store")
            if answer.location is not None:
                self.send_header("location", answer.location)
            self.send_header("content-length", str(len(content.encode())))
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - as in the base class
            """Log nothing: addresses hold codes."""

    server = ThreadingHTTPServer((HOST, port), Handler)
    provider.url = f"http://{HOST}:{server.server_port}"
    return provider, server


def _google_claims(person: Person) -> Mapping[str, object]:
    return {
        "sub": str(person.id),
        "name": person.name,
        "email": person.email,
        "email_verified": person.verified,
    }


def _github_user(person: Person) -> Mapping[str, object]:
    return {"id": person.id, "login": person.login, "name": person.name, "email": None}


def _github_emails(person: Person) -> Sequence[Mapping[str, object]]:
    other = {"email": f"{person.login}@elsewhere.example", "primary": False, "verified": True}
    return [other, {"email": person.email, "primary": True, "verified": person.verified}]


def _is_pool(address: str) -> bool:
    """Return whether a user pool takes browsers back there: of this machine, or of AWS."""
    url = urlsplit(address)
    host = url.hostname or ""
    ours = host in {HOST, "localhost"} or host.endswith(".amazoncognito.com")
    return ours and url.path == "/oauth2/idpresponse"


def _with(address: str, params: Mapping[str, str]) -> str:
    return f"{address}?{urlencode(params, quote_via=quote)}"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def main() -> None:
    parser = argparse.ArgumentParser(prog="identity-provider", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    _, server = serve(parser.parse_args().port)
    server.serve_forever()


if __name__ == "__main__":
    main()

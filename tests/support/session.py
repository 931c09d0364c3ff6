"""Sign-in over a pool in memory: it keeps codes, refresh tokens and passwords, and signs real tokens."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from services.organizations.store import add_member
from services.session.api import build
from services.session.github import GitHub
from services.session.oidc import Pool, PublicKey, RefusedError, Tokens, challenge_of
from services.session.service import Sessions
from services.shared.membership import Membership
from tests.support.console import MemoryConsole
from tests.support.fakes import START, RecordingTelemetry

CONSOLE: Final = "https://console.example.com"
POOL: Final = Pool("https://pool.example.com", "https://issuer.example.com/pool", "client-1")
KEY: Final = rsa.generate_private_key(65537, 2048)
NOW: Final = START.timestamp()


def signed(claims: Mapping[str, Any], *, key: rsa.RSAPrivateKey = KEY, **header: str) -> str:
    parts = [{"kid": "key-1", "alg": "RS256", **header}, claims]
    content = ".".join(_encoded(json.dumps(it).encode()) for it in parts)
    signature = key.sign(content.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{content}.{_encoded(signature)}"


def id_token(sub: str, **claims: Any) -> str:  # noqa: ANN401 - claims are JSON
    ours = {"iss": POOL.issuer, "aud": POOL.client_id, "token_use": "id", "exp": NOW + 300}
    return signed({**ours, "sub": sub, **claims})


def public_keys(key: rsa.RSAPrivateKey = KEY) -> Mapping[str, PublicKey]:
    numbers = key.public_key().public_numbers()
    return {"key-1": PublicKey(numbers.n, numbers.e)}


@dataclass
class MemoryPool:
    """Implements `TokenClient` as the user pool behaves: each code once, with its verifier."""

    codes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    refresh_tokens: dict[str, str] = field(default_factory=dict)
    machines: dict[str, str] = field(default_factory=dict)
    failure: Exception | None = None
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def sign_in_page(self, address: str, sub: str) -> str:
        """Sign a person in on the page of this address; returns where the browser goes next."""
        params = dict(parse_qsl(urlsplit(address).query))
        code = f"code-{next(self._numbers)}"
        self.codes[code] = {**params, "sub": sub}
        return f"{params['redirect_uri']}?code={code}&state={params['state']}"

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> Tokens:
        self._fail()
        login = self.codes.get(code)
        if login is None or challenge_of(verifier) != login["code_challenge"]:
            raise RefusedError("invalid_grant")
        if redirect_uri != login["redirect_uri"]:
            raise RefusedError("invalid_grant")
        del self.codes[code]
        refresh_token = f"refresh-{next(self._numbers)}"
        self.refresh_tokens[refresh_token] = login["sub"]
        return Tokens(id_token(login["sub"], nonce=login["nonce"]), 300, refresh_token)

    def renew(self, refresh_token: str) -> Tokens:
        self._fail()
        if refresh_token not in self.refresh_tokens:
            raise RefusedError("invalid_grant")
        return Tokens(id_token(self.refresh_tokens[refresh_token]), 300)

    def revoke(self, refresh_token: str) -> None:
        self._fail()
        self.refresh_tokens.pop(refresh_token, None)

    def sign_in(self, username: str, password: str) -> Tokens:
        self._fail()
        if self.machines.get(username) != password:
            raise RefusedError("wrong password")
        return Tokens(id_token(username, **{"custom:scopes": "orders:read orders:write"}), 300)

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    cookies: Sequence[str]
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - a JSON tree
        return json.loads(self.text)

    @property
    def location(self) -> str:
        return self.headers["location"]


class Browser:
    """Keeps cookies by name and path, as a browser does, and sends them as AWS does: as a list."""

    def __init__(self) -> None:
        self.pool = MemoryPool()
        self.console = MemoryConsole()
        self.telemetry = RecordingTelemetry()
        self.jar: dict[str, tuple[str, str]] = {}
        numbers = count(1)
        add_member(self.console, Membership("acme", "ann", "admin", "Acme"), "ann@example.com", START)
        self.sessions = Sessions(
            pool=POOL,
            client=self.pool,
            keys=public_keys,
            console=self.console,
            console_url=CONSOLE,
            providers=frozenset({"Google"}),
            new_secret=lambda: f"secret-{next(numbers)}",
            clock=lambda: NOW,
        )
        self._answer = build(self.sessions, self.telemetry)

    def visit(self, github: GitHub) -> None:
        """Turn to a function where people can sign in with GitHub, too."""
        self._answer = build(self.sessions, self.telemetry, github)

    def get(self, address: str, **headers: str) -> Answer:
        return self.send("GET", address, headers)

    def post(self, path: str, body: str = "", **headers: str) -> Answer:
        return self.send("POST", path, {"x-requested-with": "console", **headers}, body)

    def send(self, method: str, address: str, headers: Mapping[str, str], body: str = "") -> Answer:
        url = urlsplit(address)
        sent = [f"{name}={value}" for name, (value, path) in self.jar.items() if url.path.startswith(path)]
        event = {
            "version": "2.0",
            "rawPath": url.path,
            "rawQueryString": url.query,
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "cookies": sent,
            "body": body,
            "requestContext": {"stage": "$default", "http": {"method": method}, "requestId": "request-1"},
        }
        found = self._answer(event)
        for cookie in found["cookies"]:
            self._keep(cookie)
        return Answer(found["statusCode"], found["headers"], found["cookies"], found["body"])

    def sign_in(self, sub: str = "ann", path: str = "/orders") -> Answer:
        login = self.get(f"/auth/login?next={path}")
        return self.get(self.pool.sign_in_page(login.location, sub))

    def _keep(self, cookie: str) -> None:
        pair, *attributes = cookie.split("; ")
        name, _, value = pair.partition("=")
        options = dict(it.partition("=")[::2] for it in attributes)
        if options["Max-Age"] == "0":
            self.jar.pop(name, None)
        else:
            self.jar[name] = (value, options["Path"])


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")

"""The cookies of a session. No script can read them, and none leaves this origin."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

SESSION: Final = "__Host-session"
"""The ID token. The edge turns it into the header Authorization of requests to the API."""
REFRESH: Final = "refresh"
"""The refresh token; only requests to /auth carry it."""
LOGIN: Final = "__Host-login"
"""What a sign-in under way needs when the browser comes back."""

LOGIN_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Login:
    """A sign-in under way."""

    state: str
    verifier: str
    nonce: str
    next: str

    def encode(self) -> str:
        text = json.dumps(asdict(self), separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, value: str | None) -> Self | None:
        """Return the sign-in of a cookie; None if it is none of ours."""
        try:
            found = json.loads(base64.urlsafe_b64decode(f"{value or ''}=="))
            login = cls(**found)
        except (ValueError, TypeError, binascii.Error):
            return None
        return login if all(isinstance(it, str) and it for it in asdict(login).values()) else None


def read(event: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the cookies of a request, without those sent twice: it is not known which of them counts.

    On AWS they are a list of the event; on an emulator they may be a header.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    sources = [*(event.get("cookies") or []), headers.get("cookie") or ""]
    found: dict[str, set[str]] = {}
    for name, value in _pairs(sources):
        found.setdefault(name, set()).add(value)
    return {name: min(values) for name, values in found.items() if len(values) == 1}


def session(token: str, seconds: int) -> str:
    return _cookie(SESSION, token, "/", "Lax", seconds)


def refresh(token: str, seconds: int) -> str:
    return _cookie(REFRESH, token, "/auth", "Strict", seconds)


def login(under_way: Login) -> str:
    # Lax: the browser comes back from the user pool, which is another site.
    return _cookie(LOGIN, under_way.encode(), "/", "Lax", LOGIN_SECONDS)


SIGNED_OUT: Final = (
    f"{SESSION}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax",
    f"{REFRESH}=; Path=/auth; Max-Age=0; Secure; HttpOnly; SameSite=Strict",
)
NO_LOGIN: Final = f"{LOGIN}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"


def _cookie(name: str, value: str, path: str, same_site: str, seconds: int) -> str:
    return f"{name}={value}; Path={path}; Max-Age={seconds}; Secure; HttpOnly; SameSite={same_site}"


def _pairs(sources: list[str]) -> Iterator[tuple[str, str]]:
    for source in sources:
        for pair in source.split(";"):
            name, equals, value = pair.strip().partition("=")
            if equals:
                yield name, value

"""Sessions: how one begins, is renewed and ends, and how machines get their tokens."""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from services.session.cookies import Login
from services.session.oidc import (
    Pool,
    PublicKey,
    RefusedError,
    TokenClient,
    Tokens,
    challenge_of,
    claims_unverified,
    verified_claims,
)
from services.shared.console import Console
from services.shared.http.identity import SCOPES_CLAIM
from services.shared.membership import Membership, chosen_tenant, current, memberships_of, user_pk

HOME: Final = "/"
# A path of this origin: without what browsers drop before they look at it, and without a second slash or
# backslash, with which another host begins, and without dots, which browsers resolve first.
_PATH: Final = re.compile(r"/[\x21-\x5b\x5d-\x7e]{0,1023}")
_ELSEWHERE: Final = re.compile(r"/\s*[/\\]|/auth/|[^?#]*/\.\.?(?:[/?#\\]|$)")
_MACHINE: Final = re.compile(r"machine-[0-9a-z]{1,64}")


@dataclass(frozen=True, slots=True)
class Started:
    location: str
    login: Login


@dataclass(frozen=True, slots=True)
class Person:
    user_id: str
    email: str | None
    current: Membership | None
    memberships: tuple[Membership, ...]


@dataclass(frozen=True, kw_only=True)
class Sessions:
    pool: Pool
    client: TokenClient
    keys: Callable[[], Mapping[str, PublicKey]]
    console: Console
    console_url: str
    """The origin that people see."""
    providers: frozenset[str]
    """Identity providers that one can sign in with, beside the pool itself."""
    new_secret: Callable[[], str]
    clock: Callable[[], float]

    @property
    def callback_url(self) -> str:
        return f"{self.console_url}/auth/callback"

    def start(self, next_path: str | None, provider: str | None) -> Started:
        """Begin a sign-in that ends at a path of this origin."""
        login = Login(self.new_secret(), self.new_secret(), self.new_secret(), safe_path(next_path))
        location = self.pool.authorize_url(
            redirect_uri=self.callback_url,
            state=login.state,
            nonce=login.nonce,
            challenge=challenge_of(login.verifier),
            provider=provider if provider in self.providers else "",
        )
        return Started(location, login)

    def finish(self, login: Login | None, *, state: str, code: str) -> Tokens:
        """Exchange the code of a sign-in that this browser began, or raise RefusedError."""
        if login is None or not code or not hmac.compare_digest(login.state.encode(), state.encode()):
            raise RefusedError("this browser began no such sign-in, or longer than five minutes ago")
        tokens = self.client.exchange(code, login.verifier, self.callback_url)
        if claims_unverified(tokens.id_token).get("nonce") != login.nonce:
            raise RefusedError("the token is of another sign-in")
        return tokens

    def person(self, token: str | None) -> Person | None:
        """Return whose session it is, with the memberships of this moment; None for no valid token."""
        claims = verified_claims(token or "", self.keys(), self.pool, self.clock()) if token else None
        if claims is None:
            return None
        items = self.console.list(user_pk(str(claims["sub"])))
        memberships = memberships_of(items)
        verified = str(claims.get("email_verified", "")).lower() == "true"
        return Person(
            str(claims["sub"]),
            str(claims["email"]) if verified and "email" in claims else None,
            current(memberships, chosen_tenant(items)),
            tuple(memberships),
        )

    def machine(self, client_id: str, secret: str) -> tuple[Tokens, str]:
        """Sign a machine in; returns its token and scopes. People cannot sign in here."""
        if not _MACHINE.fullmatch(client_id) or not secret:
            raise RefusedError("not a machine")
        tokens = self.client.sign_in(client_id, secret)
        claims: Mapping[str, Any] = claims_unverified(tokens.id_token)
        return tokens, str(claims.get(SCOPES_CLAIM, ""))


def safe_path(next_path: str | None) -> str:
    """Return a path of this origin to go to after signing in; the first page in place of anything else."""
    # What is encoded must not become another host, or a sign-in again, once somebody decodes it.
    if next_path and _PATH.fullmatch(next_path) and not _ELSEWHERE.match(unquote(next_path)):
        return next_path
    return HOME

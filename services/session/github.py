"""GitHub as a provider of OpenID Connect.

GitHub speaks OAuth only: it tells who someone is by its API, and signs nothing. The user pool takes
providers of OpenID Connect. Between the two stand four routes: authorize, token, userinfo and jwks. They keep
nothing, and GitHub's own token never leaves this function: the user pool gets our signed token in its place,
which is good for five minutes.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from services.session.oidc import PublicKey, encode, signed_claims
from services.shared.errors import PulseQueueError

SECONDS: Final = 300
_SCOPES: Final = "read:user user:email"


class BadRequestError(PulseQueueError):
    """An OAuth request that is refused: its error code, and what to do."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


@dataclass(frozen=True, slots=True)
class Profile:
    id: int
    """Never given to another account, which a login may be."""
    login: str
    name: str | None
    email: str | None
    """The primary address; None unless GitHub has verified it."""


class GitHubApi(Protocol):
    """Raises BadRequestError for what GitHub refuses, TransientError when it does not answer."""

    def exchange(self, client_id: str, secret: str, code: str, redirect_uri: str) -> str:
        """Return an access token for a code."""

    def profile(self, access_token: str) -> Profile: ...


class Signer(Protocol):
    def public_key(self) -> tuple[str, PublicKey]:
        """Return the key's id, and the key that verifies what `sign` signs."""

    def sign(self, message: bytes) -> bytes:
        """Sign by RSA with SHA-256 (PKCS #1, version 1.5)."""


@dataclass(frozen=True, kw_only=True)
class GitHub:
    client_id: str
    """Our OAuth app at GitHub. Its secret is the user pool's, and only passes through."""
    issuer: str
    callback_url: str
    """Where the user pool takes browsers back; nobody is sent anywhere else."""
    url: str
    api: GitHubApi
    signer: Signer
    clock: Callable[[], float]

    def authorize_url(self, params: Mapping[str, str]) -> str:
        """Return GitHub's page for a request of the user pool."""
        self._check_client(params.get("client_id"))
        self._check_redirect(params.get("redirect_uri"))
        if params.get("response_type") != "code":
            raise BadRequestError("unsupported_response_type", "Send response_type=code.")
        if not params.get("state"):
            raise BadRequestError("invalid_request", "Send state.")
        query = {
            "client_id": self.client_id,
            "redirect_uri": self.callback_url,
            "scope": _SCOPES,
            "state": params["state"],
        }
        return f"{self.url}/login/oauth/authorize?{urlencode(query)}"

    def token(self, form: Mapping[str, str], client_id: str, secret: str) -> Mapping[str, object]:
        """Exchange a code of GitHub's for a token of ours."""
        if form.get("grant_type") != "authorization_code":
            raise BadRequestError("unsupported_grant_type", "Send grant_type=authorization_code.")
        self._check_client(client_id)
        self._check_redirect(form.get("redirect_uri"))
        if not secret or not form.get("code"):
            raise BadRequestError("invalid_request", "Send code and client_secret.")
        access_token = self.api.exchange(client_id, secret, form["code"], self.callback_url)
        token = self._signed(self.api.profile(access_token))
        return {
            "access_token": token,
            "id_token": token,
            "token_type": "Bearer",
            "expires_in": SECONDS,
            "scope": "openid email profile",
        }

    def userinfo(self, token: str) -> Mapping[str, Any] | None:
        """Return the claims of a token of ours; None for any other."""
        key_id, key = self.signer.public_key()
        claims = signed_claims(token, {key_id: key})
        if claims is None or (claims.get("iss"), claims.get("aud")) != (self.issuer, self.client_id):
            return None
        return claims if float(claims.get("exp", 0)) > self.clock() else None

    def jwks(self) -> Mapping[str, object]:
        key_id, key = self.signer.public_key()
        return {"keys": [{**key.jwk(), "kid": key_id, "alg": "RS256", "use": "sig"}]}

    def _signed(self, profile: Profile) -> str:
        now = int(self.clock())
        claims: dict[str, object] = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": str(profile.id),
            "iat": now,
            "exp": now + SECONDS,
            "name": profile.name or profile.login,
            "preferred_username": profile.login,
        }
        if profile.email:
            claims |= {"email": profile.email, "email_verified": True}
        header = {"alg": "RS256", "typ": "JWT", "kid": self.signer.public_key()[0]}
        content = ".".join(encode(json.dumps(it, separators=(",", ":")).encode()) for it in (header, claims))
        return f"{content}.{encode(self.signer.sign(content.encode()))}"

    def _check_client(self, client_id: str | None) -> None:
        if client_id != self.client_id:
            raise BadRequestError("invalid_client", "The client is not the one of this environment.", 401)

    def _check_redirect(self, redirect_uri: str | None) -> None:
        if redirect_uri != self.callback_url:
            raise BadRequestError("invalid_request", "redirect_uri must be that of the user pool.")

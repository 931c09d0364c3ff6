"""OpenID Connect with the user pool: codes become tokens, tokens are renewed, revoked and verified."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from services.shared.errors import PulseQueueError

_SCOPES: Final = "openid email profile"
_SHA256_PREFIX: Final = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of SHA-256, as RFC 8017 (section 9.2) spells it out."""
_SHORTEST_KEY_BYTES: Final = 256


class RefusedError(PulseQueueError):
    """The user pool refused a code, a refresh token or a password."""


@dataclass(frozen=True, slots=True)
class Tokens:
    id_token: str
    seconds: int
    refresh_token: str | None = None
    """None when the pool keeps the present one."""


class TokenClient(Protocol):
    """The OAuth client of the user pool; every method but `sign_in` raises RefusedError for a bad grant."""

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> Tokens: ...

    def renew(self, refresh_token: str) -> Tokens: ...

    def revoke(self, refresh_token: str) -> None: ...

    def sign_in(self, username: str, password: str) -> Tokens:
        """Sign a machine in, or raise RefusedError."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The addresses of the user pool, and our client there."""

    sign_in_url: str
    """Origin of the pages where people sign in."""
    issuer: str
    client_id: str

    def authorize_url(
        self, *, redirect_uri: str, state: str, nonce: str, challenge: str, provider: str
    ) -> str:
        params = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": _SCOPES,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **({"identity_provider": provider} if provider else {}),
        }
        return f"{self.sign_in_url}/oauth2/authorize?{urlencode(params)}"

    def logout_url(self, to: str) -> str:
        return f"{self.sign_in_url}/logout?{urlencode({'client_id': self.client_id, 'logout_uri': to})}"


def challenge_of(verifier: str) -> str:
    """Return the PKCE challenge (RFC 7636, S256)."""
    return encode(hashlib.sha256(verifier.encode()).digest())


def secret_hash(username: str, client_id: str, secret: str) -> str:
    """Return Cognito's proof that whoever signs in knows the client's secret."""
    digest = hmac.new(secret.encode(), f"{username}{client_id}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def verified_claims(
    token: str, keys: Mapping[str, "PublicKey"], pool: Pool, now: float
) -> Mapping[str, Any] | None:
    """Return the claims of an ID token of this pool for our client; None for any other token."""
    claims = signed_claims(token, keys)
    if claims is None:
        return None
    try:
        ours = (claims["iss"], claims["aud"], claims["token_use"]) == (pool.issuer, pool.client_id, "id")
        valid = ours and float(claims["exp"]) > now
    except (ValueError, KeyError, TypeError):
        return None
    return claims if valid else None


def signed_claims(token: str, keys: Mapping[str, "PublicKey"]) -> Mapping[str, Any] | None:
    """Return the claims of a token that one of these keys signed; None for any other token."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - a JWT has three parts
        return None
    try:
        header, claims = (json.loads(_decode(it)) for it in parts[:2])
        key = keys.get(header["kid"]) if header["alg"] == "RS256" else None
        signed = key is not None and key.verifies(f"{parts[0]}.{parts[1]}".encode(), _decode(parts[2]))
    except (ValueError, KeyError, TypeError):
        return None
    return claims if signed and isinstance(claims, dict) else None


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An RSA key of the pool."""

    modulus: int
    exponent: int

    @classmethod
    def of_jwk(cls, jwk: Mapping[str, str]) -> "PublicKey":
        return cls(*(int.from_bytes(_decode(jwk[name]), "big") for name in ("n", "e")))

    def jwk(self) -> Mapping[str, str]:
        numbers = {"n": self.modulus, "e": self.exponent}
        parts = {name: it.to_bytes((it.bit_length() + 7) // 8, "big") for name, it in numbers.items()}
        return {"kty": "RSA", **{name: encode(it) for name, it in parts.items()}}

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Compare with the one valid encoding (RFC 8017, 8.2.2); nothing of the signature is parsed."""
        size = (self.modulus.bit_length() + 7) // 8
        if size < _SHORTEST_KEY_BYTES or len(signature) != size:
            return False
        digest = _SHA256_PREFIX + hashlib.sha256(message).digest()
        expected = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
        number = int.from_bytes(signature, "big")
        if number >= self.modulus:
            return False
        return hmac.compare_digest(pow(number, self.exponent, self.modulus).to_bytes(size, "big"), expected)


def claims_unverified(token: str) -> Mapping[str, Any]:
    """Read a token that the pool itself just gave us, over a connection that proved who it is."""
    claims: Mapping[str, Any] = json.loads(_decode(token.split(".")[1]))
    return claims


def encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

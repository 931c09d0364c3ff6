"""A signing key that never leaves AWS KMS."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from services.session.oidc import PublicKey, encode
from services.shared.adapters.clients import is_transient
from services.shared.errors import TransientError

_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_BIT_STRING: Final = 0x03
_LONG: Final = 0x80


class KmsClient(Protocol):
    def get_public_key(self, *, KeyId: str) -> Any: ...  # noqa: ANN401, N803 - as botocore has it

    def sign(self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str) -> Any: ...  # noqa: ANN401, N803 - as above


class SigningUnavailableError(TransientError):
    """KMS did not answer, or had an error of its own."""


class KmsSigner:
    """Implements `services.session.github.Signer`."""

    def __init__(self, client: KmsClient, key_id: str) -> None:
        self._client = client
        self._key_id = key_id
        self._public: tuple[str, PublicKey] | None = None

    def public_key(self) -> tuple[str, PublicKey]:
        if self._public is None:
            found = _call(lambda: self._client.get_public_key(KeyId=self._key_id)["PublicKey"])
            key = public_key_of(found)
            self._public = thumbprint(key), key
        return self._public

    def sign(self, message: bytes) -> bytes:
        digest = hashlib.sha256(message).digest()
        return _call(
            lambda: self._client.sign(
                KeyId=self._key_id,
                Message=digest,
                MessageType="DIGEST",
                SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
            )["Signature"]
        )


def thumbprint(key: PublicKey) -> str:
    """Return the id of a key that follows from the key (RFC 7638)."""
    text = json.dumps(key.jwk(), sort_keys=True, separators=(",", ":"))
    return encode(hashlib.sha256(text.encode()).digest())


def public_key_of(der: bytes) -> PublicKey:
    """Read an RSA key from its SubjectPublicKeyInfo (RFC 5280, RFC 8017)."""
    info, _ = _element(der, _SEQUENCE)
    _, rest = _element(info, _SEQUENCE)  # the algorithm
    bits, _ = _element(rest, _BIT_STRING)
    numbers, _ = _element(bits[1:], _SEQUENCE)  # no unused bits
    modulus, rest = _element(numbers, _INTEGER)
    exponent, _ = _element(rest, _INTEGER)
    return PublicKey(int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big"))


def _element(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """Split the first element off: its content, and what follows it."""
    if der[0] != tag:
        raise ValueError(f"the key is not RSA: tag {der[0]} in place of {tag}")
    length, start = der[1], 2
    if length & _LONG:
        start += length & ~_LONG
        length = int.from_bytes(der[2:start], "big")
    return der[start : start + length], der[start + length :]


def _call(call: Callable[[], bytes]) -> bytes:
    try:
        return call()
    except (ClientError, BotoCoreError) as error:
        raise SigningUnavailableError(f"signing key: {error}") if is_transient(error) else error from error

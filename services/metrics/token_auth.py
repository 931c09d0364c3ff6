"""Bearer token check for scrapes; the token can be changed without a deployment."""

import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from services.shared.errors import PulseQueueError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_CACHE_SECONDS = 300.0
_REREAD_SECONDS = 10.0


class TokenUnavailableError(TransientError):
    """The token could not be read, so every scrape is refused."""


class EmptyTokenError(PulseQueueError):
    """The stored token is empty, so no request is allowed."""


class TokenAuth:
    def __init__(self, read_token: Callable[[], str], *, clock: Callable[[], float]) -> None:
        self._read_token = read_token
        self._clock = clock
        self._token = ""
        self._read_at = float("-inf")

    def allows(self, authorization: str) -> bool:
        """Whether this header carries the token; after a wrong one the token is re-read soon."""
        scheme, _, presented = authorization.partition(" ")
        if scheme.lower() != "bearer" or not presented.strip():
            return False
        given = presented.strip().encode()
        if hmac.compare_digest(given, self._current(_CACHE_SECONDS)):
            return True
        return hmac.compare_digest(given, self._current(_REREAD_SECONDS))

    def _current(self, age: float) -> bytes:
        now = self._clock()
        if now - self._read_at >= age:
            token = self._read_token().strip()
            if not token:
                raise EmptyTokenError("the scrape token is empty; set its parameter")
            self._token, self._read_at = token, now
        return self._token.encode()


def ssm_token(client: "SSMClient", parameter: str) -> Callable[[], str]:
    """Read the token from a SecureString parameter."""

    def read() -> str:
        try:
            return client.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"]
        except (ClientError, BotoCoreError) as error:
            raise TokenUnavailableError(f"{parameter} cannot be read: {error}") from error

    return read

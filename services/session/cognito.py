"""The OAuth client of the Cognito user pool."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, urlencode

from botocore.exceptions import BotoCoreError, ClientError

from services.session.oidc import Pool, PublicKey, RefusedError, Tokens, secret_hash
from services.shared.adapters.clients import is_transient
from services.shared.errors import MisconfiguredError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_ssm import SSMClient

_SECONDS: Final = 10
"""The pool asks the function `claims`, which may have to start, before it answers."""
_KEY_SECONDS: Final = 3_600.0
_SECRET_SECONDS: Final = 300.0
_REFUSALS: Final = frozenset({"invalid_grant", "invalid_request"})
_BAD_PASSWORDS: Final = frozenset(
    {
        "InvalidParameterException",
        "NotAuthorizedException",
        "PasswordResetRequiredException",
        "UserNotConfirmedException",
        "UserNotFoundException",
    }
)


class PoolUnavailableError(TransientError):
    """The user pool did not answer, or had an error of its own."""


class CognitoTokenClient:
    """Implements `services.session.oidc.TokenClient`."""

    def __init__(
        self, client: "CognitoIdentityProviderClient", pool: Pool, secret: Callable[[], str]
    ) -> None:
        self._client = client
        self._pool = pool
        self._secret = secret

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> Tokens:
        form = {"code": code, "code_verifier": verifier, "redirect_uri": redirect_uri}
        return self._grant("authorization_code", form)

    def renew(self, refresh_token: str) -> Tokens:
        return self._grant("refresh_token", {"refresh_token": refresh_token})

    def revoke(self, refresh_token: str) -> None:
        try:
            self._client.revoke_token(
                Token=refresh_token, ClientId=self._pool.client_id, ClientSecret=self._secret()
            )
        except ClientError as error:
            # Expired, or revoked before: there is nothing left to end.
            if error.response["Error"]["Code"] not in {
                "UnsupportedTokenTypeException",
                "InvalidParameterException",
            }:
                raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error

    def sign_in(self, username: str, password: str) -> Tokens:
        try:
            response = self._client.initiate_auth(
                ClientId=self._pool.client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={
                    "USERNAME": username,
                    "PASSWORD": password,
                    "SECRET_HASH": secret_hash(username, self._pool.client_id, self._secret()),
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _BAD_PASSWORDS:
                raise RefusedError("the pool refused the machine") from None
            raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error
        result = response.get("AuthenticationResult")
        if result is None:
            raise RefusedError("the pool asks for more than a password")
        return Tokens(result["IdToken"], result["ExpiresIn"])

    def _grant(self, grant_type: str, form: Mapping[str, str]) -> Tokens:
        # RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
        pair = f"{quote_plus(self._pool.client_id)}:{quote_plus(self._secret())}"
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked by the settings
            f"{self._pool.sign_in_url}/oauth2/token",
            urlencode({"grant_type": grant_type, "client_id": self._pool.client_id, **form}).encode(),
            {
                "authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
                "content-type": "application/x-www-form-urlencoded",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - as above
                found: Mapping[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            raise _refusal(error) from error
        except (OSError, ValueError) as error:
            raise PoolUnavailableError(f"user pool: {error}") from error
        return Tokens(found["id_token"], int(found["expires_in"]), found.get("refresh_token"))


def ssm_secret(client: "SSMClient", parameter: str, clock: Callable[[], float]) -> Callable[[], str]:
    """Read the client's secret, again every few minutes: it can be changed without a deployment."""

    def read() -> str:
        try:
            return client.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"]
        except (ClientError, BotoCoreError) as error:
            raise PoolUnavailableError(f"{parameter} cannot be read: {error}") from error

    return _cached(read, _SECRET_SECONDS, clock)


def published_keys(url: str, clock: Callable[[], float]) -> Callable[[], Mapping[str, PublicKey]]:
    """Read the keys of the pool's tokens, which the pool never changes."""

    def read() -> Mapping[str, PublicKey]:
        try:
            with urllib.request.urlopen(url, timeout=_SECONDS) as response:  # noqa: S310 - an address of our own settings
                found = json.load(response)["keys"]
        except (OSError, ValueError) as error:
            raise PoolUnavailableError(f"keys of the user pool: {error}") from error
        return {it["kid"]: PublicKey.of_jwk(it) for it in found}

    return _cached(read, _KEY_SECONDS, clock)


def _cached(read: Callable[[], Any], seconds: float, clock: Callable[[], float]) -> Callable[[], Any]:
    entry: list[tuple[float, Any]] = []

    def current() -> Any:  # noqa: ANN401 - what `read` returns
        now = clock()
        if not entry or now - entry[0][0] >= seconds:
            entry[:] = [(now, read())]
        return entry[0][1]

    return current


def _refusal(error: urllib.error.HTTPError) -> Exception:
    """Tell a bad grant from a client that is configured badly, and from a pool in trouble."""
    try:
        code = json.load(error).get("error")
    except ValueError:
        code = None
    if error.code == 400 and code in _REFUSALS:  # noqa: PLR2004 - HTTP
        return RefusedError(f"the pool refused: {code}")
    if error.code in {400, 401, 403}:
        return MisconfiguredError(f"the user pool refuses our client: {code}")
    return PoolUnavailableError(f"user pool: status {error.code}")


def _unavailable(error: ClientError | BotoCoreError) -> Exception:
    return PoolUnavailableError(f"user pool: {error}") if is_transient(error) else error

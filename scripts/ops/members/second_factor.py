"""A second factor of a user: the codes of an authenticator app (RFC 6238)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from botocore.exceptions import ClientError

from scripts.common.errors import ToolError
from scripts.environment.cognito import sign_in

if TYPE_CHECKING:
    from scripts.environment.environment import Environment

_WRONG_CODES = frozenset({"CodeMismatchException", "EnableSoftwareTokenMFAException"})


class Enrolment:
    """Sets one up for a user who knows the password; it counts once a code was confirmed."""

    def __init__(self, environment: Environment, user: str, password: str, code: str | None = None) -> None:
        self._cognito = environment.client("cognito-idp")
        self._access_token = sign_in(environment, user, password, code)["AccessToken"]
        self.secret = self._cognito.associate_software_token(AccessToken=self._access_token)["SecretCode"]
        issuer = environment.names.prefix
        label = quote(f"{issuer}:{user}")
        self.address = f"otpauth://totp/{label}?{urlencode({'secret': self.secret, 'issuer': issuer})}"
        """What authenticator apps read from a QR code."""

    def confirm(self, code: str) -> None:
        """Have the pool ask for codes at every sign-in from now on."""
        try:
            self._cognito.verify_software_token(AccessToken=self._access_token, UserCode=code)
        except ClientError as error:
            if error.response["Error"]["Code"] in _WRONG_CODES:
                raise ToolError("the code is wrong; nothing was changed. Run the command again.") from error
            raise
        self._cognito.set_user_mfa_preference(
            AccessToken=self._access_token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
        )

"""Machines as users of the Cognito user pool, and the second factors of people."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from services.shared.adapters.clients import is_transient
from services.shared.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


class CognitoMachineUsers:
    """Implements `services.organizations.machines.MachineUsers`."""

    def __init__(self, client: "CognitoIdentityProviderClient", pool_id: str) -> None:
        self._client = client
        self._pool_id = pool_id

    def create(self, client_id: str, secret: str) -> str:
        try:
            created = self._client.admin_create_user(
                UserPoolId=self._pool_id, Username=client_id, MessageAction="SUPPRESS"
            )
            self._client.admin_set_user_password(
                UserPoolId=self._pool_id, Username=client_id, Password=secret, Permanent=True
            )
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error
        return next(it["Value"] for it in created["User"]["Attributes"] if it["Name"] == "sub")

    def delete(self, client_id: str) -> None:
        try:
            self._client.admin_delete_user(UserPoolId=self._pool_id, Username=client_id)
        except ClientError as error:
            # Deleted by an attempt that ended before it said so.
            if error.response["Error"]["Code"] != "UserNotFoundException":
                raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error


def second_factor(client: "CognitoIdentityProviderClient", pool_id: str, username: str) -> bool:
    """Return whether the pool asks a user for a second factor at every sign-in.

    The pool never asks people who sign in with Google or GitHub: they have none here.
    """
    try:
        user = client.admin_get_user(UserPoolId=pool_id, Username=username)
    except (ClientError, BotoCoreError) as error:
        raise _unavailable(error) from error
    return bool(user.get("UserMFASettingList")) and user.get("UserStatus") != "EXTERNAL_PROVIDER"


def _unavailable(error: ClientError | BotoCoreError) -> Exception:
    return StoreUnavailableError(f"user pool: {error}") if is_transient(error) else error

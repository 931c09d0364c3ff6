"""The user pool of an environment, and signing in to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from scripts.common.errors import ToolError
from services.shared.http import roles

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import AuthenticationResultTypeTypeDef

    from scripts.environment.environment import Environment

ROLES: Final = roles.ROLES
COMMAND_LINE: Final = "command-line"
SESSION: Final = "session"
"""The clients of the pool."""

_SECOND_FACTOR: Final = "SOFTWARE_TOKEN_MFA"
_REFUSALS: Final = frozenset(
    {"CodeMismatchException", "ExpiredCodeException", "NotAuthorizedException", "UserNotFoundException"}
)


def pool_id(environment: Environment) -> str | None:
    """Return the id of the pool with the environment's name."""
    pages = (
        environment.client("cognito-idp")
        .get_paginator("list_user_pools")
        .paginate(PaginationConfig={"PageSize": 60})
    )
    name = environment.names.user_pool
    return next((pool["Id"] for page in pages for pool in page["UserPools"] if pool["Name"] == name), None)


def token(environment: Environment, user: str, password: str, code: str | None = None) -> str:
    """Sign a user in; return the ID token that the API accepts."""
    return sign_in(environment, user, password, code)["IdToken"]


def sign_in(
    environment: Environment, user: str, password: str, code: str | None = None
) -> AuthenticationResultTypeTypeDef:
    """Sign a user in as the command line's client, with the code of an authenticator app if need be."""
    cognito, client = environment.client("cognito-idp"), _client(environment)
    try:
        response: Any = cognito.initiate_auth(
            ClientId=client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": password},
        )
        if response.get("ChallengeName") == _SECOND_FACTOR and code is not None:
            response = cognito.respond_to_auth_challenge(
                ClientId=client,
                ChallengeName=_SECOND_FACTOR,
                Session=response["Session"],
                ChallengeResponses={"USERNAME": user, "SOFTWARE_TOKEN_MFA_CODE": code},
            )
    except ClientError as error:
        if error.response["Error"]["Code"] in _REFUSALS:
            raise ToolError(f"sign-in of {user} failed: wrong user name, password or code.") from error
        raise
    if "AuthenticationResult" not in response:
        if response.get("ChallengeName") == _SECOND_FACTOR:
            raise ToolError(f"{user} has a second factor; give the code of the app with --code.")
        raise ToolError(
            f"{user} must complete {response.get('ChallengeName')}; sign in with the console first."
        )
    result: AuthenticationResultTypeTypeDef = response["AuthenticationResult"]
    return result


def _client(environment: Environment) -> str:
    """Return the id of the command line's client."""
    cognito, pool = environment.client("cognito-idp"), pool_id(environment)
    if pool is None:
        raise ToolError(
            f"user pool {environment.names.user_pool} not found; deploy {environment.name} first."
        )
    clients: dict[str, str] = {
        it["ClientName"]: it["ClientId"]
        for it in cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
    }
    if COMMAND_LINE not in clients:
        raise ToolError(
            f"user pool {environment.names.user_pool} has no client {COMMAND_LINE}; "
            f"deploy {environment.name} again."
        )
    return clients[COMMAND_LINE]

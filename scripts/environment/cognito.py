"""The user pool of an environment, and signing in to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from scripts.common.errors import ToolError
from services.shared.http import roles

if TYPE_CHECKING:
    from scripts.environment.environment import Environment

ROLES: Final = roles.ROLES
COMMAND_LINE: Final = "command-line"
SESSION: Final = "session"
"""The clients of the pool."""

_REFUSALS: Final = frozenset({"NotAuthorizedException", "UserNotFoundException"})


def pool_id(environment: Environment) -> str | None:
    """Return the id of the pool with the environment's name."""
    pages = (
        environment.client("cognito-idp")
        .get_paginator("list_user_pools")
        .paginate(PaginationConfig={"PageSize": 60})
    )
    name = environment.names.user_pool
    return next((pool["Id"] for page in pages for pool in page["UserPools"] if pool["Name"] == name), None)


def token(environment: Environment, user: str, password: str) -> str:
    """Sign a user in; return the ID token that the API accepts."""
    cognito, pool = environment.client("cognito-idp"), pool_id(environment)
    if pool is None:
        raise ToolError(
            f"user pool {environment.names.user_pool} not found; deploy {environment.name} first."
        )
    clients = {
        it["ClientName"]: it["ClientId"]
        for it in cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
    }
    if COMMAND_LINE not in clients:
        raise ToolError(
            f"user pool {environment.names.user_pool} has no client {COMMAND_LINE}; "
            f"deploy {environment.name} again."
        )
    try:
        response = cognito.initiate_auth(
            ClientId=clients[COMMAND_LINE],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": password},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in _REFUSALS:
            raise ToolError(f"sign-in of {user} failed: wrong user name or password.") from error
        raise
    if "AuthenticationResult" not in response:
        raise ToolError(
            f"{user} must complete {response.get('ChallengeName')}; sign in with the console first."
        )
    return response["AuthenticationResult"]["IdToken"]

"""Who may ask: the user pool of an environment, and how somebody gets a token from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.environment.environment import Environment

ROLES: Final = ("admin", "editor", "viewer")
TENANT_CLAIM: Final = "custom:tenant_id"
_REFUSALS: Final = frozenset({"NotAuthorizedException", "UserNotFoundException"})


def pool_id(environment: Environment) -> str | None:
    """Find the pool by its name."""
    pages = (
        environment.client("cognito-idp")
        .get_paginator("list_user_pools")
        .paginate(PaginationConfig={"PageSize": 60})
    )
    named = environment.names.user_pool
    return next((pool["Id"] for page in pages for pool in page["UserPools"] if pool["Name"] == named), None)


def token(environment: Environment, user: str, password: str) -> str:
    """Sign somebody in, and return the token that the API takes."""
    cognito, pool = environment.client("cognito-idp"), pool_id(environment)
    if pool is None:
        raise ToolError(
            f"there is no user pool {environment.names.user_pool}; deploy {environment.name} first."
        )
    clients = cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
    if not clients:
        raise ToolError(f"user pool {environment.names.user_pool} has no app client to sign in by.")
    try:
        answer = cognito.initiate_auth(
            ClientId=clients[0]["ClientId"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": password},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in _REFUSALS:
            raise ToolError(f"the user pool does not let {user} in: wrong name or password.") from error
        raise
    if "AuthenticationResult" not in answer:
        raise ToolError(
            f"{user} has to answer {answer.get('ChallengeName')} first; sign in by the console once."
        )
    return answer["AuthenticationResult"]["IdToken"]

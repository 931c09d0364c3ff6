"""The user pool of the local stack, and a user for each role."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from scripts.environment.cognito import ROLES, pool_id
from services.organizations.store import add_member
from services.shared.adapters.console_table import ConsoleTable
from services.shared.membership import Membership

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.environment.environment import Environment

TENANT: Final = "default"
_CLIENT: Final = "console"
_TOKEN_MINUTES: Final = 5


@dataclass(frozen=True, slots=True)
class UserPool:
    id: str
    issuer: str
    client_id: str


def make_user_pool(environment: Environment) -> UserPool:
    """Create or update the pool and its client."""
    pool = (
        pool_id(environment)
        or environment.client("cognito-idp").create_user_pool(
            PoolName=environment.names.user_pool,
            AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
        )["UserPool"]["Id"]
    )
    return UserPool(
        pool, f"https://cognito-idp.{environment.region}.amazonaws.com/{pool}", _client(environment, pool)
    )


def connect_pool(environment: Environment, function_arn: str) -> None:
    """Have the pool invoke the function before it issues a token."""
    environment.client("cognito-idp").update_user_pool(
        UserPoolId=pool_id(environment) or "",
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
        LambdaConfig={"PreTokenGenerationConfig": {"LambdaArn": function_arn, "LambdaVersion": "V2_0"}},
    )


def pool_trigger(environment: Environment) -> str | None:
    """Return the ARN of the function that sets the claims of tokens; None if there is none."""
    pool = environment.client("cognito-idp").describe_user_pool(UserPoolId=pool_id(environment) or "")
    config = pool["UserPool"].get("LambdaConfig", {}).get("PreTokenGenerationConfig", {})
    return config.get("LambdaArn")


def seed_users(environment: Environment, password: str) -> None:
    """Make one user for each role, members of the tenant `default`; all get this password."""
    pool = pool_id(environment) or ""
    for role in ROLES:
        add_user(environment, pool, User(role, role, TENANT), password)


def generate_password() -> str:
    """Return a random password with a character of every class that user pools require."""
    return f"Aa1!{secrets.token_urlsafe(16)}"


@dataclass(frozen=True, slots=True)
class User:
    name: str
    role: str
    tenant: str


def add_user(environment: Environment, pool: str, user: User, password: str) -> None:
    """Make a user with a known password, and a member of the tenant."""
    cognito = environment.client("cognito-idp")
    with contextlib.suppress(cognito.exceptions.UsernameExistsException):
        cognito.admin_create_user(UserPoolId=pool, Username=user.name, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username=user.name, Password=password, Permanent=True)
    attributes = cognito.admin_get_user(UserPoolId=pool, Username=user.name)["UserAttributes"]
    user_id = next(it["Value"] for it in attributes if it["Name"] == "sub")
    console = ConsoleTable(environment.client("dynamodb"), environment.names.table("console"))
    add_member(
        console, Membership(user.tenant, user_id, user.role, user.tenant), user.name, datetime.now(UTC)
    )


def _client(environment: Environment, pool: str) -> str:
    cognito = environment.client("cognito-idp")
    existing: Mapping[str, str] = {
        it["ClientName"]: it["ClientId"]
        for it in cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
    }
    return (
        existing.get(_CLIENT)
        or cognito.create_user_pool_client(
            UserPoolId=pool,
            ClientName=_CLIENT,
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            WriteAttributes=["name"],
            ReadAttributes=["email", "name"],
            IdTokenValidity=_TOKEN_MINUTES,
            AccessTokenValidity=_TOKEN_MINUTES,
            TokenValidityUnits={"IdToken": "minutes", "AccessToken": "minutes"},
        )["UserPoolClient"]["ClientId"]
    )

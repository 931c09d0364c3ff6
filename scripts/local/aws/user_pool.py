"""The user pool of the local stack: a group for each role, and one user in each."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scripts.environment.cognito import ROLES, TENANT_CLAIM, pool_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.environment.environment import Environment

TENANT: Final = "default"
_CLIENT: Final = "console"
_HOUR: Final = 60


@dataclass(frozen=True, slots=True)
class UserPool:
    issuer: str
    client_id: str


def make_user_pool(environment: Environment, password: str) -> UserPool:
    """Create or update the pool, its groups and its users; all users get this password."""
    cognito = environment.client("cognito-idp")
    pool = (
        pool_id(environment)
        or cognito.create_user_pool(
            PoolName=environment.names.user_pool,
            Schema=[
                {"Name": TENANT_CLAIM.removeprefix("custom:"), "AttributeDataType": "String", "Mutable": True}
            ],
            AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
        )["UserPool"]["Id"]
    )
    for role in ROLES:
        _group(environment, pool, role)
        add_user(environment, pool, User(role, role, TENANT), password)
    return UserPool(
        f"https://cognito-idp.{environment.region}.amazonaws.com/{pool}", _client(environment, pool)
    )


def generate_password() -> str:
    """Return a random password with a character of every class that user pools require."""
    return f"Aa1!{secrets.token_urlsafe(16)}"


@dataclass(frozen=True, slots=True)
class User:
    name: str
    role: str
    tenant: str


def add_user(environment: Environment, pool: str, user: User, password: str) -> None:
    cognito = environment.client("cognito-idp")
    try:
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=user.name,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": TENANT_CLAIM, "Value": user.tenant}],
        )
    except cognito.exceptions.UsernameExistsException:
        cognito.admin_update_user_attributes(
            UserPoolId=pool, Username=user.name, UserAttributes=[{"Name": TENANT_CLAIM, "Value": user.tenant}]
        )
    cognito.admin_set_user_password(UserPoolId=pool, Username=user.name, Password=password, Permanent=True)
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=user.name, GroupName=user.role)


def _group(environment: Environment, pool: str, role: str) -> None:
    cognito = environment.client("cognito-idp")
    try:
        cognito.create_group(UserPoolId=pool, GroupName=role)
    except cognito.exceptions.GroupExistsException:
        return


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
            # A user who could write his own tenant could read the data of any.
            WriteAttributes=["name"],
            ReadAttributes=["name", TENANT_CLAIM],
            IdTokenValidity=_HOUR,
            AccessTokenValidity=_HOUR,
            TokenValidityUnits={"IdToken": "minutes", "AccessToken": "minutes"},
        )["UserPoolClient"]["ClientId"]
    )

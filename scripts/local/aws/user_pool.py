"""The user pool of the local stack, and a user for each role."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from scripts.environment.cognito import COMMAND_LINE, ROLES, SESSION, pool_id
from scripts.environment.lambda_env import SignIn
from scripts.local.aws.federation import PROVIDERS
from services.organizations.store import add_member
from services.shared.adapters.console_table import ConsoleTable
from services.shared.membership import Membership

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scripts.environment.environment import Environment
    from scripts.environment.lambda_env import GitHubSignIn

TENANT: Final = "default"
_REFRESH_DAYS: Final = 7
_SHORT_TOKENS: Final[Mapping[str, Any]] = {
    "PreventUserExistenceErrors": "ENABLED",
    "IdTokenValidity": 5,
    "AccessTokenValidity": 5,
    "TokenValidityUnits": {"IdToken": "minutes", "AccessToken": "minutes"},
}


@dataclass(frozen=True, slots=True)
class UserPool:
    id: str
    issuer: str
    client_id: str
    """The client of the command line."""
    session_client_id: str
    """The confidential client of the console's server side."""

    @property
    def client_ids(self) -> tuple[str, ...]:
        return (self.client_id, self.session_client_id)


def make_user_pool(environment: Environment) -> UserPool:
    """Create or update the pool and its clients."""
    pool = (
        pool_id(environment)
        or environment.client("cognito-idp").create_user_pool(
            PoolName=environment.names.user_pool,
            AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
        )["UserPool"]["Id"]
    )
    return UserPool(
        pool,
        f"https://cognito-idp.{environment.region}.amazonaws.com/{pool}",
        _client(environment, pool, COMMAND_LINE, _command_line()),
        _client(environment, pool, SESSION, _session("http://localhost"), with_secret=True),
    )


def connect_console(
    environment: Environment, users: UserPool, console_url: str, github: GitHubSignIn | None = None
) -> SignIn:
    """Have people come back to this origin after they signed in, and give the session its secret."""
    cognito, providers = environment.client("cognito-idp"), PROVIDERS if github else ()
    cognito.update_user_pool_client(
        UserPoolId=users.id, ClientId=users.session_client_id, **_session(console_url, providers)
    )
    described = cognito.describe_user_pool_client(UserPoolId=users.id, ClientId=users.session_client_id)
    environment.client("ssm").put_parameter(
        Name=environment.names.oauth_client_secret,
        Value=described["UserPoolClient"]["ClientSecret"],
        Type="SecureString",
        Overwrite=True,
    )
    gateway = cognito.meta.endpoint_url
    return SignIn(
        console_url=console_url,
        sign_in_url=gateway,
        issuer=users.issuer,
        keys_url=f"{gateway}/{users.id}/.well-known/jwks.json",
        client_id=users.session_client_id,
        providers=providers,
        github=github,
    )


def connect_pool(environment: Environment, function_arn: str) -> None:
    """Have the pool invoke the function before it issues a token."""
    environment.client("cognito-idp").update_user_pool(
        UserPoolId=pool_id(environment) or "",
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
        LambdaConfig={"PreTokenGenerationConfig": {"LambdaArn": function_arn, "LambdaVersion": "V2_0"}},
        MfaConfiguration="OPTIONAL",
    )
    environment.client("cognito-idp").set_user_pool_mfa_config(
        UserPoolId=pool_id(environment) or "",
        SoftwareTokenMfaConfiguration={"Enabled": True},
        MfaConfiguration="OPTIONAL",
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


def _client(
    environment: Environment, pool: str, name: str, options: Mapping[str, Any], *, with_secret: bool = False
) -> str:
    """Create a client of the pool, unless there is one of this name."""
    cognito = environment.client("cognito-idp")
    existing: Mapping[str, str] = {
        it["ClientName"]: it["ClientId"]
        for it in cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
    }
    return (
        existing.get(name)
        or cognito.create_user_pool_client(
            UserPoolId=pool, ClientName=name, GenerateSecret=with_secret, **options
        )["UserPoolClient"]["ClientId"]
    )


def _command_line() -> dict[str, Any]:
    return {
        "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"],
        "WriteAttributes": ["name"],
        "ReadAttributes": ["email", "email_verified", "name"],
        **_SHORT_TOKENS,
    }


def _session(console_url: str, providers: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH"],
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["email", "openid", "profile"],
        "CallbackURLs": [f"{console_url}/auth/callback"],
        "LogoutURLs": [f"{console_url}/"],
        "SupportedIdentityProviders": ["COGNITO", *providers],
        "WriteAttributes": ["email", "name"],
        "ReadAttributes": ["email", "email_verified", "name"],
        "RefreshTokenValidity": _REFRESH_DAYS,
        **_SHORT_TOKENS,
        "TokenValidityUnits": {**_SHORT_TOKENS["TokenValidityUnits"], "RefreshToken": "days"},
    }

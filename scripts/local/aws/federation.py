"""Google and GitHub as identity providers of the local user pool; identity_provider.py plays both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from scripts.environment.lambda_env import GitHubSignIn
from scripts.local.identity_provider import CLIENT_ID, CLIENT_SECRET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.environment.environment import Environment

GOOGLE: Final = "Google"
GITHUB: Final = "GitHub"
PROVIDERS: Final = (GITHUB, GOOGLE)

_MAPPING: Final = {"email": "email", "email_verified": "email_verified", "name": "name", "username": "sub"}


def make_providers(environment: Environment, pool: str, provider_url: str, api_url: str) -> GitHubSignIn:
    """Create or update both; return what the function `session` needs for GitHub."""
    google = f"{provider_url}/google"
    # The emulator signs nobody in by the type Google; Google speaks OpenID Connect anyway.
    _provider(environment, pool, GOOGLE, google, userinfo=f"{google}/userinfo")
    github = GitHubSignIn(
        client_id=CLIENT_ID,
        issuer=f"{api_url}/auth/github",
        callback_url=_callback_url(environment),
        signing_key=_signing_key(environment),
        url=f"{provider_url}/github",
        api_url=f"{provider_url}/github/api",
    )
    _provider(environment, pool, GITHUB, github.issuer, userinfo=f"{github.issuer}/userinfo")
    return github


def _provider(environment: Environment, pool: str, name: str, issuer: str, *, userinfo: str) -> None:
    cognito = environment.client("cognito-idp")
    details: Mapping[str, str] = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "authorize_scopes": "openid email profile",
        "attributes_request_method": "GET",
        "oidc_issuer": issuer,
        "authorize_url": f"{issuer}/authorize",
        "token_url": f"{issuer}/token",
        "attributes_url": userinfo,
        "jwks_uri": f"{issuer}/jwks",
    }
    values: Any = {
        "UserPoolId": pool,
        "ProviderName": name,
        "ProviderDetails": details,
        "AttributeMapping": _MAPPING,
    }
    try:
        cognito.create_identity_provider(ProviderType="OIDC", **values)
    except cognito.exceptions.DuplicateProviderException:
        cognito.update_identity_provider(**values)


def _callback_url(environment: Environment) -> str:
    """Return where the emulator takes browsers back: a pool without a domain has no address of AWS."""
    port = urlsplit(environment.client("cognito-idp").meta.endpoint_url).port
    return f"http://localhost:{port}/oauth2/idpresponse"


def _signing_key(environment: Environment) -> str:
    kms, alias = environment.client("kms"), f"alias/{environment.names.prefix}-github"
    try:
        return str(kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"])
    except kms.exceptions.NotFoundException:
        key: str = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=alias, TargetKeyId=key)
        return key

"""The environment variables of sign-in."""

from pydantic import Field

from services.shared.settings import FromEnvironment


class SessionSettings(FromEnvironment):
    console_table: str = Field(alias="CONSOLE_TABLE", min_length=1)
    console_url: str = Field(alias="CONSOLE_URL", pattern=r"^https?://[^/]+$")
    """The origin that people see."""
    sign_in_url: str = Field(alias="SIGN_IN_URL", pattern=r"^https?://[^/]+$")
    """The origin of the user pool's pages."""
    issuer: str = Field(alias="ISSUER", min_length=1)
    keys_url: str = Field(alias="KEYS_URL", min_length=1)
    """Where the pool publishes the keys of its tokens."""
    client_id: str = Field(alias="OAUTH_CLIENT_ID", min_length=1)
    secret_parameter: str = Field(alias="OAUTH_CLIENT_SECRET_PARAMETER", min_length=1)
    providers: str = Field(alias="IDENTITY_PROVIDERS", default="")
    """Identity providers beside the pool, separated by spaces."""
    github_client_id: str = Field(alias="GITHUB_CLIENT_ID", default="")
    """Our OAuth app at GitHub; empty where nobody signs in with GitHub."""
    github_issuer: str = Field(alias="GITHUB_ISSUER", default="")
    github_callback_url: str = Field(alias="GITHUB_CALLBACK_URL", default="")
    """Where the user pool takes browsers back from GitHub."""
    github_signing_key: str = Field(alias="GITHUB_SIGNING_KEY", default="")
    """The KMS key that signs what the user pool learns of a person at GitHub."""
    github_url: str = Field(alias="GITHUB_URL", default="https://github.com", pattern=r"^https?://[^/]")
    github_api_url: str = Field(
        alias="GITHUB_API_URL", default="https://api.github.com", pattern=r"^https?://[^/]"
    )

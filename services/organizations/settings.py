"""The environment variables of the functions of organisations."""

from pydantic import Field

from services.shared.settings import FromEnvironment


class ClaimsSettings(FromEnvironment):
    console_table: str = Field(alias="CONSOLE_TABLE", min_length=1)


class TriggerSettings(ClaimsSettings):
    admins_need_second_factor: bool = Field(alias="ADMINS_NEED_SECOND_FACTOR", default=False)


class OrganizationsSettings(ClaimsSettings):
    user_pool_id: str = Field(alias="USER_POOL_ID", min_length=1)
    founding_allowed: bool = Field(alias="FOUNDING_ALLOWED", default=False)
    """Whether whoever can sign in may found an organisation."""
    allowed_origins: str = Field(alias="ALLOWED_ORIGINS", default="")
    """Origins that CORS allows, separated by spaces."""

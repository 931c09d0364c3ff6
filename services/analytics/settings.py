"""The environment variables of the analytics functions."""

from pydantic import Field

from services.shared.database import DatabaseSettings
from services.shared.settings import QueueSettings


class ProjectorSettings(DatabaseSettings, QueueSettings):
    pass


class ApiSettings(DatabaseSettings):
    console_table: str = Field(alias="CONSOLE_TABLE", min_length=1)
    inventory_table: str = Field(alias="INVENTORY_TABLE", min_length=1)
    orders_table: str = Field(alias="ORDERS_TABLE", min_length=1)
    cursor_key_parameter: str = Field(alias="CURSOR_KEY_PARAMETER", min_length=1)
    allowed_origins: str = Field(alias="ALLOWED_ORIGINS", default="")
    """Origins that CORS allows, separated by spaces."""


class MigratorSettings(DatabaseSettings):
    admin_secret: str = Field(alias="DATABASE_ADMIN_SECRET", min_length=1)
    """The secret with the administrator's user name and password."""

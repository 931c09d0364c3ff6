"""The environment variables of the analytics functions."""

from typing import Final

from psycopg.conninfo import make_conninfo
from pydantic import Field

from services.shared.settings import FromEnvironment, QueueSettings

OWNER: Final = "pulsequeue_owner"
PROJECTOR: Final = "pulsequeue_projector"
API: Final = "pulsequeue_api"


class DatabaseSettings(FromEnvironment):
    region: str = Field(alias="AWS_REGION", min_length=1)
    host: str = Field(alias="DATABASE_HOST", min_length=1)
    port: int = Field(alias="DATABASE_PORT", ge=1, le=65_535, default=5432)
    database: str = Field(alias="DATABASE_NAME", min_length=1)
    sslmode: str = Field(alias="DATABASE_SSLMODE", pattern=r"^(disable|require|verify-full)$")

    def conninfo(self, user: str) -> str:
        # RDS Proxy presents a certificate of Amazon's authority, which every system trusts.
        trusted = {"sslrootcert": "system"} if self.sslmode == "verify-full" else {}
        return make_conninfo(
            host=self.host, port=self.port, dbname=self.database, user=user, sslmode=self.sslmode, **trusted
        )


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

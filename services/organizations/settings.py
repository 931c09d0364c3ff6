"""The environment variables of the functions of organisations."""

from pydantic import Field

from services.shared.settings import FromEnvironment


class ClaimsSettings(FromEnvironment):
    console_table: str = Field(alias="CONSOLE_TABLE", min_length=1)

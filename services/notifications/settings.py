"""The environment variables of the function that sends notifications."""

from pydantic import Field

from services.shared.settings import FromEnvironment


class NotifySettings(FromEnvironment):
    receivers_parameter: str = Field(alias="ALERT_RECEIVERS_PARAMETER", min_length=1)

"""The environment variables of the functions of payment."""

from pydantic import Field

from services.shared.settings import FromEnvironment


class WebhookSettings(FromEnvironment):
    bus_name: str = Field(alias="BUS_NAME", min_length=1)
    secret_parameter: str = Field(alias="STRIPE_WEBHOOK_SECRET_PARAMETER", min_length=1)

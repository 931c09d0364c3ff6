"""The environment variables of the functions of payment."""

from typing import Literal

from pydantic import Field

from services.shared.settings import FromEnvironment


class GatewaySettings(FromEnvironment):
    gateway: Literal["simulated", "stripe"] = Field(alias="PAYMENT_GATEWAY", default="simulated")
    stripe_key_parameter: str = Field(alias="STRIPE_API_KEY_PARAMETER", default="")
    stripe_url: str | None = Field(alias="STRIPE_API_URL", default=None)
    """Of a server that stands in for Stripe."""


class WebhookSettings(FromEnvironment):
    bus_name: str = Field(alias="BUS_NAME", min_length=1)
    secret_parameter: str = Field(alias="STRIPE_WEBHOOK_SECRET_PARAMETER", min_length=1)

"""The environment variables of the functions of webhooks."""

from pydantic import Field

from services.shared.settings import FromEnvironment, QueueSettings


class WebhookSettings(FromEnvironment):
    webhooks_table: str = Field(alias="WEBHOOKS_TABLE", min_length=1)
    webhooks_allow_local: bool = Field(alias="WEBHOOKS_ALLOW_LOCAL", default=False)
    """Whether messages may go to any address and port, also without TLS; for stacks on one machine."""


class SenderSettings(WebhookSettings):
    webhook_delivery_queue: str = Field(alias="WEBHOOK_DELIVERY_QUEUE", min_length=1)


class LaneSettings(WebhookSettings, QueueSettings):
    pass


class FastLaneSettings(LaneSettings):
    webhook_retries_queue: str = Field(alias="WEBHOOK_RETRIES_QUEUE", min_length=1)


class ApiSettings(SenderSettings):
    console_table: str = Field(alias="CONSOLE_TABLE", min_length=1)
    allowed_origins: str = Field(alias="ALLOWED_ORIGINS", default="")
    """Origins that CORS allows, separated by spaces."""

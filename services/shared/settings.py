"""The settings of a function, read from its environment variables and checked once, at its start."""

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.shared.errors import MisconfiguredError


class FromEnvironment(BaseModel):
    """The settings of every function."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    environment: str = Field(alias="PULSEQUEUE_ENV", min_length=1)

    @property
    def metrics_namespace(self) -> str:
        return f"{self.environment}-pulsequeue"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        try:
            return cls.model_validate(dict(environ))
        except ValidationError as error:
            faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
            raise MisconfiguredError(f"environment variables: {faults}") from error


class QueueSettings(FromEnvironment):
    """The settings of a function behind a queue."""

    consumer: str = Field(alias="PULSEQUEUE_FUNCTION", min_length=1)
    queue_url: str = Field(alias="QUEUE_URL", min_length=1)
    max_retry_seconds: int | None = Field(alias="MAX_RETRY_SECONDS", ge=0, default=None)
    """Limits how long a failed message stays away; for stacks on one machine."""
    batch_size: int | None = Field(alias="BATCH_SIZE", ge=1, default=None)
    """Up to how many messages to handle at once, where Lambda hands over fewer."""
    dead_letter_queue_url: str = Field(alias="DEAD_LETTER_QUEUE_URL", min_length=1)


class LedgerSettings(FromEnvironment):
    """The settings of a function that moves orders."""

    bus_name: str = Field(alias="BUS_NAME", min_length=1)
    inventory_table: str = Field(alias="INVENTORY_TABLE", min_length=1)
    orders_table: str = Field(alias="ORDERS_TABLE", min_length=1)
    hold_seconds: int = Field(alias="HOLD_SECONDS", ge=1, le=900, default=900)
    gateway_failure_rate: float = Field(alias="GATEWAY_FAILURE_RATE", ge=0, le=1, default=0.0)
    gateway_slow_seconds: float = Field(alias="GATEWAY_SLOW_SECONDS", ge=0, le=30, default=2.0)

    @property
    def hold(self) -> timedelta:
        return timedelta(seconds=self.hold_seconds)

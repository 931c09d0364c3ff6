"""infra/functions.yaml, read and checked, and every name that follows from it.

The local stack, the command line and the Terraform parity test all take names from here, so that there
is one place in which a name is made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from scripts.errors import ToolError
from services.shared import events

CHECKOUT = Path(__file__).resolve().parents[1]
TABLE_OF_FUNCTIONS = CHECKOUT / "infra" / "functions.yaml"

MAX_DELAY_SECONDS = 900
"""SQS delays a message this long at most."""

Right = Literal["read", "write"]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,23}$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Settings(_Section):
    hold_seconds: int = Field(ge=1, le=MAX_DELAY_SECONDS)
    max_receives: int = Field(ge=1, le=1_000)
    retention_days: int = Field(ge=1, le=14)
    archive_days: int = Field(ge=1)
    log_days: int = Field(ge=1)


class Table(_Section):
    key: str = Field(min_length=1)


class Function(_Section):
    description: str = Field(min_length=1, max_length=256)
    handler: str = Field(pattern=r"^services(\.[a-z_]+){3,}$")
    subscriptions: tuple[str, ...] = Field(min_length=1)
    delay: int | Literal["hold"] = Field(default=0, alias="delaySeconds")
    memory_mb: int = Field(ge=128, le=10_240)
    timeout_seconds: int = Field(ge=1, le=900)
    batch_size: int = Field(ge=1, le=10_000)
    batch_window_seconds: int = Field(ge=0, le=300)
    maximum_concurrency: int = Field(ge=2, le=1_000)
    tables: Mapping[str, tuple[Right, ...]] = Field(default_factory=dict)
    publishes: bool = False

    @model_validator(mode="after")
    def _can_be_deployed(self) -> Self:
        unknown = [name for name in self.subscriptions if events.by_name(name) is None]
        if unknown:
            raise ValueError(f"subscribes to {', '.join(unknown)}, which is no event")
        if self.batch_size > 10 and self.batch_window_seconds == 0:  # noqa: PLR2004 -- SQS's own limit
            raise ValueError("a batch of more than 10 needs batchWindowSeconds of at least 1")
        if isinstance(self.delay, int) and not 0 <= self.delay <= MAX_DELAY_SECONDS:
            raise ValueError(f"delaySeconds must be `hold` or 0 to {MAX_DELAY_SECONDS}")
        return self

    @property
    def visibility_timeout_seconds(self) -> int:
        """AWS's own rule: six times the function's time-out, and the batch window."""
        return 6 * self.timeout_seconds + self.batch_window_seconds

    @property
    def rule_pattern(self) -> dict[str, list[Any]]:
        """Match by name alone: publishers outside choose their own source. Replays come by another way."""
        return {"detail-type": list(self.subscriptions), "replay-name": [{"exists": False}]}

    def delay_seconds(self, hold_seconds: int) -> int:
        return hold_seconds if self.delay == "hold" else self.delay


class Topology(_Section):
    """What infra/functions.yaml says."""

    settings: Settings
    functions: Mapping[Slug, Function] = Field(min_length=1)
    tables: Mapping[Slug, Table]

    @model_validator(mode="after")
    def _tables_exist(self) -> Self:
        for name, function in self.functions.items():
            missing = sorted(set(function.tables) - set(self.tables))
            if missing:
                raise ValueError(f"function {name} uses table {', '.join(missing)}, which is not listed")
        return self

    @classmethod
    def load(cls, path: Path = TABLE_OF_FUNCTIONS) -> Self:
        """Read the table of functions, or say in one sentence what is wrong with it."""
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise ToolError(f"{path} cannot be read: {error.strerror}.") from error
        except yaml.YAMLError as error:
            raise ToolError(f"{path} is not YAML: {' '.join(str(error).split())}.") from error
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in error.errors()
            )
            raise ToolError(f"{path} is not a table of functions: {faults}.") from error

    def function(self, name: str) -> Function:
        try:
            return self.functions[name]
        except KeyError:
            known = ", ".join(self.functions)
            raise ToolError(f"there is no function {name!r}; there are {known}.") from None


@dataclass(frozen=True, slots=True)
class Names:
    """What everything is called in one environment."""

    env: str

    @property
    def prefix(self) -> str:
        return f"{self.env}-pulsequeue"

    @property
    def bus(self) -> str:
        return self.prefix

    @property
    def archive(self) -> str:
        return self.prefix

    @property
    def metrics_namespace(self) -> str:
        return self.prefix

    @property
    def operations_log_group(self) -> str:
        """Where the command line notes what operators did."""
        return f"/pulsequeue/{self.env}/operations"

    def table(self, table: str) -> str:
        return f"{self.prefix}-{table}"

    @property
    def inventory_table(self) -> str:
        return self.table("inventory")

    @property
    def orders_table(self) -> str:
        return self.table("orders")

    def function(self, function: str) -> str:
        return f"{self.prefix}-{function}"

    def role(self, function: str) -> str:
        return self.function(function)

    def rule(self, function: str) -> str:
        return self.function(function)

    def queue(self, function: str) -> str:
        return self.function(function)

    def dead_letter_queue(self, function: str) -> str:
        return f"{self.function(function)}-dlq"

    def log_group(self, function: str) -> str:
        return f"/aws/lambda/{self.function(function)}"

    def function_environment(
        self, function: str, *, dead_letter_queue_url: str, hold_seconds: int
    ) -> dict[str, str]:
        """Return what services/shared/settings.py reads, and what Powertools is told."""
        return {
            "PULSEQUEUE_ENV": self.env,
            "PULSEQUEUE_FUNCTION": function,
            "BUS_NAME": self.bus,
            "INVENTORY_TABLE": self.inventory_table,
            "ORDERS_TABLE": self.orders_table,
            "DEAD_LETTER_QUEUE_URL": dead_letter_queue_url,
            "HOLD_SECONDS": str(hold_seconds),
            "POWERTOOLS_SERVICE_NAME": function,
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }

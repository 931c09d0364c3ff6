"""What is deployed, as far as it can be measured. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeployedFunction:
    memory_mb: int
    queue: bool


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is there to be measured, by its short names."""

    env: str
    region: str
    functions: Mapping[str, DeployedFunction]
    tables: tuple[str, ...]
    hold_seconds: int

    @property
    def prefix(self) -> str:
        return f"{self.env}-pulsequeue"

    @property
    def consumers(self) -> list[str]:
        return [name for name, function in self.functions.items() if function.queue]

    def name(self, short: str) -> str:
        return f"{self.prefix}-{short}"

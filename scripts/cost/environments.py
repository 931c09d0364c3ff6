"""What each environment in infra/envs has that is billed by the hour or the month.

`make environment-sizes` writes environments.json from Terraform's plans, so that a bill needs neither
Terraform nor an account. A test compares the file with new plans.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from scripts.common.errors import ToolError

WEB_ACL_RULES: Final = "rules of aws_wafv2_web_acl"
"""They are billed one by one."""
SIZES: Final = Path(__file__).with_name("environments.json")


@dataclass(frozen=True, slots=True)
class AuroraSize:
    """An Aurora Serverless v2 cluster."""

    min_acu: float
    max_acu: float
    """Of each instance, as the minimum is."""
    instances: int
    proxy: bool
    backup_days: int

    def __post_init__(self) -> None:
        if not (0 <= self.min_acu <= self.max_acu and self.instances >= 1 and self.backup_days >= 1):
            raise ToolError(
                "invalid database size: it needs an instance, a day of backups, and min_acu up to max_acu."
            )


@dataclass(frozen=True, slots=True)
class MonitoringSize:
    """A Fargate task with Prometheus and Grafana, behind a load balancer."""

    cpu_units: int
    memory_mib: int
    disk_gib: int
    internal: bool


@dataclass(frozen=True, slots=True)
class ColdStarts:
    """How the cold starts of a function are avoided."""

    snapshot: bool = False
    provisioned: int = 0


@dataclass(frozen=True, slots=True)
class EnvironmentSize:
    name: str
    zones: int
    monthly_usd: float
    """Its budget."""
    database: AuroraSize | None
    monitoring: MonitoringSize | None
    resources: Mapping[str, int]
    """Number of billed resources by Terraform type; for alarms, the number of metrics that they evaluate."""
    traced: bool = True
    cold_starts: Mapping[str, ColdStarts] = field(default_factory=dict)

    def number_of(self, resource: str) -> int:
        return self.resources.get(resource, 0)


@dataclass(frozen=True, slots=True)
class Sizes:
    """An environment as infra/envs has it, and with monitoring switched on."""

    default: EnvironmentSize
    with_monitoring: EnvironmentSize


FILE: Final = TypeAdapter(dict[str, Sizes])
"""Reads and writes environments.json."""


def load_sizes(path: Path = SIZES) -> Mapping[str, Sizes]:
    return FILE.validate_json(path.read_bytes())


def environment_size(name: str, *, monitoring: bool = False) -> EnvironmentSize:
    sizes = load_sizes()
    if name not in sizes:
        raise ToolError(
            f"no bill for environment {name!r}; choose one of {', '.join(sizes)}.",
            exit_code=2,
        )
    return sizes[name].with_monitoring if monitoring else sizes[name].default

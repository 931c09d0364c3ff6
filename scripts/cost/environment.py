"""What an environment has that is billed by the hour or the month. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from scripts.common.errors import ToolError


@dataclass(frozen=True, slots=True)
class Database:
    """Aurora Serverless v2, and the way to it."""

    least_acu: float
    most_acu: float
    """Of each instance, as the least is."""
    instances: int
    proxy: bool
    backup_days: float

    def __post_init__(self) -> None:
        if not (0 <= self.least_acu <= self.most_acu and self.instances >= 1 and self.backup_days >= 1):
            raise ToolError(
                "a database has an instance, a day of backups, and no less at most than at least."
            )


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Prometheus and Grafana in a task of Fargate's, behind a load balancer."""

    cpu_units: float
    memory_mib: float
    disk_gib: float
    internal: bool


@dataclass(frozen=True, slots=True)
class Starts:
    """What is done about cold starts of a function."""

    snapshot: bool
    kept_warm: float


@dataclass(frozen=True, slots=True)
class Environment:
    name: str
    zones: int
    database: Database | None
    monitoring: Monitoring | None
    monthly_usd: float
    """Its budget."""
    counted: Mapping[str, int]
    """How many there are, by what Terraform calls them; metrics that alarms look at, for alarms."""

    traced: bool = True
    starts: Mapping[str, Starts] = field(default_factory=dict)

    def number_of(self, resource: str) -> int:
        return self.counted.get(resource, 0)

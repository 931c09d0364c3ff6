"""Environment variables of the collector and the exposition."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, Json

from services.metrics.deployed_resources import DeployedFunction, Deployment
from services.shared.settings import FromEnvironment


class _Function(BaseModel):
    model_config = ConfigDict(frozen=True)

    memory_mb: int = Field(alias="memoryMb", ge=1)
    queue: bool


class _Topology(BaseModel):
    """What was deployed beside the collector, by short names."""

    model_config = ConfigDict(frozen=True)

    functions: Mapping[str, _Function] = Field(min_length=1)
    tables: tuple[str, ...] = Field(min_length=1)
    hold_seconds: int = Field(alias="holdSeconds", ge=1)


class CollectorSettings(FromEnvironment):
    region: str = Field(alias="AWS_REGION", min_length=1)
    metrics_table: str = Field(alias="METRICS_TABLE", min_length=1)
    topology: Json[_Topology] = Field(alias="TOPOLOGY")

    @property
    def deployment(self) -> Deployment:
        topology = self.topology
        return Deployment(
            env=self.environment,
            region=self.region,
            functions={
                name: DeployedFunction(function.memory_mb, function.queue)
                for name, function in topology.functions.items()
            },
            tables=topology.tables,
            hold_seconds=topology.hold_seconds,
        )


class ExpositionSettings(FromEnvironment):
    metrics_table: str = Field(alias="METRICS_TABLE", min_length=1)
    token_parameter: str = Field(alias="METRICS_TOKEN_PARAMETER", min_length=1)
    stale_seconds: int = Field(alias="STALE_SECONDS", ge=60, default=300)

"""What infra/functions.yaml means for the metrics: the same the collector is told by its environment."""

from scripts.environment.topology import Names, Topology
from services.metrics.deployed_resources import DeployedFunction, Deployment


def deployment(topology: Topology, env: str = "prod", region: str = "us-east-1") -> Deployment:
    consumers = topology.consumers
    return Deployment(
        env=Names(env).env,
        region=region,
        functions={
            name: DeployedFunction(spec.memory_mb, queue=name in consumers)
            for name, spec in topology.functions.items()
        },
        tables=tuple(topology.tables),
        hold_seconds=topology.settings.hold_seconds,
    )

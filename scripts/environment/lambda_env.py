"""What each function is told by its environment, as it follows from its entry in infra/functions.yaml."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from scripts.common.errors import ToolError
from scripts.environment.topology import Consumer, Endpoint, Names, Topology


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Where PostgreSQL is, and whether it has to show who it is."""

    host: str
    port: int
    sslmode: str = "verify-full"
    name: str = "pulsequeue"


@dataclass(frozen=True, slots=True)
class LambdaEnvInputs:
    """What is known only once other things have been made, or is chosen for one environment."""

    hold_seconds: int
    database: DatabaseAddress | None = None
    dead_letter_queue_url: str = ""
    web_origins: Sequence[str] = ()


def variables(names: Names, topology: Topology, function: str, around: LambdaEnvInputs) -> dict[str, str]:
    """Return what the function's settings read, and what Powertools is told."""
    spec = topology.function(function)
    told = {
        "PULSEQUEUE_ENV": names.env,
        "PULSEQUEUE_FUNCTION": function,
        "POWERTOOLS_SERVICE_NAME": function,
        "POWERTOOLS_LOG_LEVEL": "INFO",
        **{f"{_shouted(table)}_TABLE": names.table(table) for table in spec.tables},
        **{f"{_shouted(secret)}_PARAMETER": names.secret(secret) for secret in spec.secrets},
    }
    if spec.publishes:
        told["BUS_NAME"] = names.bus
    if spec.reads_metrics:
        told["TOPOLOGY"] = _what_is_deployed(topology, around.hold_seconds)
    if spec.database:
        if around.database is None:
            raise ToolError(f"function {function} needs a database, and nobody said where it is.")
        told |= {
            "DATABASE_HOST": around.database.host,
            "DATABASE_PORT": str(around.database.port),
            "DATABASE_NAME": around.database.name,
            "DATABASE_SSLMODE": around.database.sslmode,
        }
    if spec.database == "owner":
        told["DATABASE_ADMIN_SECRET"] = names.database_secret
    match spec:
        case Consumer():
            told |= {
                "DEAD_LETTER_QUEUE_URL": around.dead_letter_queue_url,
                "HOLD_SECONDS": str(around.hold_seconds),
            }
        case Endpoint(callers="users"):
            told["ALLOWED_ORIGINS"] = " ".join(around.web_origins)
        case Endpoint():
            told["STALE_SECONDS"] = str(topology.settings.stale_seconds)
        case _:
            pass
    return told


def _what_is_deployed(topology: Topology, hold_seconds: int) -> str:
    """Spell what there is to be measured, by short names: full ones follow from the environment's."""
    consumers = topology.consumers
    deployed = {
        "functions": {
            name: {"memoryMb": spec.memory_mb, "queue": name in consumers}
            for name, spec in topology.functions.items()
        },
        "tables": list(topology.tables),
        "holdSeconds": hold_seconds,
    }
    return json.dumps(deployed, separators=(",", ":"))


def _shouted(name: str) -> str:
    return name.replace("-", "_").upper()

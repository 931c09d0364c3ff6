"""What each function is told by its environment, as it follows from its entry in infra/functions.yaml."""

import json

from scripts.topology import Consumer, Endpoint, Names, Topology


def variables(
    names: Names, topology: Topology, function: str, *, hold_seconds: int, dead_letter_queue_url: str = ""
) -> dict[str, str]:
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
        told["TOPOLOGY"] = _what_is_deployed(topology, hold_seconds)
    match spec:
        case Consumer():
            told |= {"DEAD_LETTER_QUEUE_URL": dead_letter_queue_url, "HOLD_SECONDS": str(hold_seconds)}
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

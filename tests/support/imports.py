"""A database's own commands behind the client that invokes the function, and files to import."""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from scripts.environment.environment import Clients, Environment
from scripts.environment.topology import Topology
from scripts.ops.imports.mapping import FileMapping, Kind
from scripts.ops.imports.plan import Plan
from scripts.ops.imports.planning import plan_import
from scripts.ops.imports.records import open_source

Run = Callable[[object], Any]
TENANT = "acme"


class CommandClients(Clients):
    """The migrator alone; what its commands raise is a function error, as of Lambda."""

    def __init__(self, run: Run) -> None:
        self.exceptions = SimpleNamespace(ResourceNotFoundException=ClientError)
        self._run = run

    def _client(self, service: Any) -> Any:  # noqa: ANN401 - the type of its base
        assert service == "lambda"
        return self

    def invoke(self, Payload: bytes, **_request: object) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        try:
            answer = self._run(json.loads(Payload))
        except Exception as error:  # noqa: BLE001 - as Lambda answers
            return {"FunctionError": "Unhandled", "Payload": _payload({"errorMessage": str(error)})}
        return {"Payload": _payload(answer)}


def _payload(answer: Any) -> io.BytesIO:  # noqa: ANN401 - a JSON tree
    return io.BytesIO(json.dumps(answer).encode())


def environment(run: Run) -> Environment:
    return Environment("test", Topology.load(), CommandClients(run))


def plan_of(
    file: Path,
    text: str | Sequence[str],
    kind: Kind = "orders",
    tenant: str = TENANT,
    given: FileMapping | None = None,
) -> Plan:
    """Write a file, and plan its import."""
    file.write_text(text if isinstance(text, str) else "\n".join(text) + "\n", encoding="utf-8")
    return plan_import(open_source(file), kind, tenant, given or FileMapping())

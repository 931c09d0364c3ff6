"""A rebuild of the read side misses no event that is published meanwhile."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from scripts.environment.environment import Clients, Environment
from scripts.environment.topology import Topology
from scripts.ops.replay import rebuild
from scripts.ops.replay.rebuild import Coverage, Rebuild
from tests.support.ops_context import MemoryOpsContext

_ANSWERS = {"empty": {"emptied": True}, "restoreImports": {"events": 0}}


class MigratorClients(Clients):
    """A migrator alone; something else happens while it is invoked."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self.exceptions = SimpleNamespace(ResourceNotFoundException=ClientError)
        self._meanwhile = meanwhile

    def _client(self, service: Any) -> Any:  # noqa: ANN401 - the type of its base
        assert service == "lambda"
        return self

    def invoke(self, Payload: bytes, **_request: object) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        action = json.loads(Payload)["action"]
        if action == "empty":
            self._meanwhile()
        return {"Payload": io.BytesIO(json.dumps(_ANSWERS[action]).encode())}


def test_events_projected_while_the_database_is_emptied_are_replayed() -> None:
    ops = MemoryOpsContext()
    ops.archive.add("OrderPlaced")
    plan = Rebuild(Coverage(recorded=1, archived=1, since=ops.clock.now()))
    ops.time.advance(timedelta(hours=1))

    def another_order() -> None:
        ops.time.advance(timedelta(seconds=2))
        ops.archive.add("OrderPlaced", at=ops.clock.now())
        ops.time.advance(timedelta(seconds=2))

    environment = Environment("test", Topology.load(), MigratorClients(another_order))

    result = rebuild.rebuild(ops, environment, plan)

    assert result.sent.total() == 2

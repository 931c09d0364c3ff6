"""The read side is made anew out of the archive, and misses nothing that happens meanwhile."""

import io
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from scripts.environment.environment import Clients, Environment
from scripts.environment.topology import Topology
from scripts.ops.replay import rebuild
from scripts.ops.replay.rebuild import Outlook, Rebuild
from tests.support.ops_context import MemoryOpsContext


class MigratorClients(Clients):
    """Has a migrator alone, which does what it is asked while something else happens."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self.exceptions = SimpleNamespace(ResourceNotFoundException=ClientError)
        self._meanwhile = meanwhile

    def _client(self, service: Any) -> Any:  # noqa: ANN401 - as its base has it
        assert service == "lambda"
        return self

    def invoke(self, **_asked: object) -> dict[str, Any]:
        self._meanwhile()
        return {"Payload": io.BytesIO(b'{"emptied": true}')}


def test_what_is_heard_while_the_database_is_being_emptied_is_told_again() -> None:
    ops = MemoryOpsContext()
    ops.archive.add("OrderPlaced")
    plan = Rebuild(Outlook(heard=1, archived=1, since=ops.clock.now()))
    ops.time.advance(timedelta(hours=1))

    def another_order() -> None:
        ops.time.advance(timedelta(seconds=2))
        ops.archive.add("OrderPlaced", at=ops.clock.now())
        ops.time.advance(timedelta(seconds=2))

    environment = Environment("test", Topology.load(), MigratorClients(another_order))

    told = rebuild.rebuild(ops, environment, plan)

    assert told.sent.total() == 2

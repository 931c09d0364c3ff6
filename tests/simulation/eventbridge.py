"""The bus: takes events entry by entry, and puts each into the queues whose rules match it."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from services.shared.events import rfc3339
from services.shared.ledger import Key
from tests.simulation.faults import Fault
from tests.simulation.network import Network, refusal
from tests.simulation.queues import Queue, about

if TYPE_CHECKING:
    from tests.simulation.scheduler import Actor


class Bus:
    def __init__(self, rules: Mapping[str, Sequence[Queue]], network: Network) -> None:
        self.on_event: Callable[[str, str, Mapping[str, Any]], None] = lambda _source, _name, _detail: None
        self.on_attempt: Callable[[Sequence[Key]], None] = lambda _keys: None
        self._rules = rules
        self._scheduler = network.scheduler
        self._network = network
        self._story = network.story
        self._accepted = 0

    def accept(self, source: str, name: str, detail: str) -> str:
        """Take one event, as EventBridge does: its detail is any JSON object."""
        self._accepted += 1
        envelope = {
            "version": "0",
            "id": f"envelope-{self._accepted}",
            "detail-type": name,
            "source": source,
            "time": rfc3339(self._scheduler.clock()),
            "detail": json.loads(detail),
        }
        body = json.dumps(envelope)
        self._story.info(f"emits {name}", about(body))
        self.on_event(source, name, envelope["detail"])
        for queue in self._rules.get(name, ()):
            self.deliver(queue, body)
        return body

    def deliver(self, queue: Queue, body: str) -> None:
        subject = about(body)
        after = queue.delay
        if self._network.strikes(Fault.LATE, f"{Fault.LATE} to {queue.name}", subject):
            after += self._network.random.choice((0.2, 3.0, 60.0))
        if queue.delay and self._network.strikes(Fault.EXPIRY_EARLY, orders=subject):
            after = self._network.random.uniform(0, queue.delay)
        if queue.delay and self._network.strikes(Fault.EXPIRY_LATE, orders=subject):
            after += self._network.random.uniform(0, queue.delay)
        queue.send(body, after)
        if self._network.strikes(Fault.TWICE, f"{Fault.TWICE} to {queue.name}", subject):
            queue.send(body, after + self._network.random.choice((0.0, 0.2, 3.0)))


class EventBridgeClient:
    """The client of one process."""

    def __init__(self, bus: Bus, network: Network) -> None:
        self._bus = bus
        self._network = network
        self._down_until = 0.0

    # The names of the parameters are boto3's.
    def put_events(self, *, Entries: Sequence[Mapping[str, str]]) -> dict[str, Any]:  # noqa: N803
        about = [_subject(entry) for entry in Entries]
        self._bus.on_attempt(about)
        return self._network.call("PutEvents", lambda: self._put(Entries), [key.pk for key in about])

    def _put(self, entries: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        self._check_up()
        results = []
        for entry in entries:
            name = entry["DetailType"]
            if self._network.strikes(Fault.ENTRY_FAILED, f"PutEvents does not take {name}"):
                self._network.touch([_subject(entry).pk])
                results.append({"ErrorCode": "InternalFailure"})
            else:
                self._bus.accept(entry["Source"], name, entry["Detail"])
                results.append({"EventId": "taken"})
        failed = sum("ErrorCode" in result for result in results)
        return {"FailedEntryCount": failed, "Entries": results}

    def _check_up(self) -> None:
        """Fail if the bus is down, as at times it is for longer than any message is received."""
        scheduler = self._network.scheduler
        if self._network.strikes(Fault.BUS_DOWN):
            self._down_until = scheduler.now + self._network.random.choice((1, 30, 2_000))
        actor = cast("Actor", scheduler.actor)
        if scheduler.now < self._down_until and not actor.spared and not self._network.calm:
            actor.faults += 1
            raise refusal("PutEvents", "InternalFailure", 500)


def _subject(entry: Mapping[str, str]) -> Key:
    detail = json.loads(entry["Detail"])
    return Key(detail["tenantId"], detail["orderId"])

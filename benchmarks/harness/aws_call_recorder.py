"""Records the AWS calls of clients through botocore's events, and computes units and sizes from them."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

from benchmarks.harness.dynamodb_capacity import TRANSACTIONAL, item_bytes, read_units, write_units


class ClientEvents(Protocol):
    """The part of a client's `meta.events` that is used here."""

    def register(self, event_name: str, handler: Any) -> None: ...  # noqa: ANN401 - botocore's own signature


@dataclass(frozen=True, slots=True)
class Call:
    operation: str
    request: bytes
    response: bytes
    status: int

    @property
    def params(self) -> Mapping[str, Any]:
        return json.loads(self.request)  # type: ignore[no-any-return]

    @property
    def result(self) -> Mapping[str, Any]:
        return json.loads(self.response) if self.response else {}


@dataclass(frozen=True, slots=True)
class RecordedCalls:
    calls: Sequence[Call]
    stages: int
    """How often calls started with none in progress: the number of sequential waits."""


class CallRecorder:
    """Records raw requests and responses, so that recording adds little to the time of a call."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: list[Call] = []
        self._stages = 0
        self._in_progress = 0

    def attach(self, service: str, client_events: ClientEvents) -> None:
        client_events.register(f"before-call.{service}", self._before)
        client_events.register(f"after-call.{service}", self._after)

    def take(self) -> RecordedCalls:
        """Return the calls recorded since the last time."""
        with self._lock:
            recorded = RecordedCalls(tuple(self._calls), self._stages)
            self._calls, self._stages = [], 0
        return recorded

    def _before(self, params: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
        body = params["body"]
        context["recorded_request"] = body if isinstance(body, bytes) else str(body).encode()
        with self._lock:
            self._stages += self._in_progress == 0
            self._in_progress += 1

    def _after(self, http_response: Any, model: Any, context: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - botocore's
        call = Call(model.name, context["recorded_request"], http_response.content, http_response.status_code)
        with self._lock:
            self._in_progress -= 1
            self._calls.append(call)


_OK = 200


def operations(calls: Iterable[Call]) -> Counter[str]:
    return Counter(call.operation for call in calls)


def entries(calls: Iterable[Call]) -> list[Mapping[str, Any]]:
    """List the entries put on the bus."""
    return [entry for call in calls if call.operation == "PutEvents" for entry in call.params["Entries"]]


def entry_bytes(entry: Mapping[str, Any]) -> int:
    """Size an event as EventBridge bills it: source, type and detail."""
    return sum(len(entry[name].encode()) for name in ("Source", "DetailType", "Detail"))


def transaction_units(calls: Iterable[Call]) -> Counter[str]:
    """Sum the write units that transactions report, by table."""
    units: Counter[str] = Counter()
    for call in calls:
        if call.operation == "TransactWriteItems" and call.status == _OK:
            for consumed in call.result["ConsumedCapacity"]:
                units[consumed["TableName"]] += consumed["CapacityUnits"]
    return units


def cancelled_units(calls: Iterable[Call]) -> int:
    """Compute the units of cancelled transactions, which the API does not report: every action in full."""
    return TRANSACTIONAL * sum(
        write_units(item_bytes(action["Put"]["Item"]) if "Put" in action else 0)
        for call in calls
        if call.operation == "TransactWriteItems" and call.status != _OK
        for action in call.params["TransactItems"]
    )


def actions(calls: Iterable[Call], kind: str) -> list[Mapping[str, Any]]:
    """List the actions of one kind in successful transactions."""
    return [
        action[kind]
        for call in calls
        if call.operation == "TransactWriteItems" and call.status == _OK
        for action in call.params["TransactItems"]
        if kind in action
    ]


def plain_write_units(calls: Iterable[Call]) -> int:
    """Sum the units of writes outside transactions; a deletion counts as the item it deletes.

    An update counts as one unit, which is right for small items, whether or not its condition holds.
    """
    units, sizes = 0, dict[str, int]()
    for call in calls:
        if call.operation == "PutItem":
            item = call.params["Item"]
            sizes[item["pk"]["S"]] = size = item_bytes(item)
            units += write_units(size)
        elif call.operation == "UpdateItem":
            units += 1
        elif call.operation == "DeleteItem":
            units += write_units(sizes.get(call.params["Key"]["pk"]["S"], 0))
    return units


def put_bytes(calls: Iterable[Call]) -> int:
    """Sum the sizes of items put outside transactions."""
    return sum(item_bytes(call.params["Item"]) for call in calls if call.operation == "PutItem")


def consistent_read_units(calls: Iterable[Call]) -> int:
    units = 0
    for call in calls:
        if call.operation == "GetItem":
            units += read_units(item_bytes(call.result.get("Item", {})))
        elif call.operation == "BatchGetItem":
            for table, requested in call.params["RequestItems"].items():
                found = call.result["Responses"].get(table, [])
                units += sum(read_units(item_bytes(item)) for item in found)
                units += len(requested["Keys"]) - len(found)
    return units

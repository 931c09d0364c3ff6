"""Hears every call that a client makes to AWS, as botocore's own events tell it, and keeps what was said."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

from benchmarks.harness.dynamodb_capacity import TRANSACTIONAL, item_bytes, read_units, write_units


class Taps(Protocol):
    """The part of a client's `meta.events` that is needed here."""

    def register(self, event_name: str, handler: Any) -> None: ...  # noqa: ANN401 - botocore's own signature


@dataclass(frozen=True, slots=True)
class Call:
    operation: str
    request: bytes
    response: bytes
    status: int

    @property
    def asked(self) -> Mapping[str, Any]:
        return json.loads(self.request)  # type: ignore[no-any-return]

    @property
    def answered(self) -> Mapping[str, Any]:
        return json.loads(self.response) if self.response else {}


@dataclass(frozen=True, slots=True)
class Heard:
    calls: Sequence[Call]
    stages: int
    """How often it went from no call under way to some: what is waited for one after the other."""


class Wiretap:
    """Listens to clients; adds next to nothing to the time of a call, and reads what was said only later."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: dict[int, bytes] = {}
        self._calls: list[Call] = []
        self._stages = 0
        self._under_way = 0

    def listen(self, service: str, taps: Taps) -> None:
        taps.register(f"before-call.{service}", self._before)
        taps.register(f"after-call.{service}", self._after)

    def take(self) -> Heard:
        """Return what was heard since the last time."""
        with self._lock:
            heard = Heard(tuple(self._calls), self._stages)
            self._calls, self._stages = [], 0
        return heard

    def _before(self, params: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
        body = params["body"]
        context["tapped"] = body if isinstance(body, bytes) else str(body).encode()
        with self._lock:
            self._stages += self._under_way == 0
            self._under_way += 1

    def _after(self, http_response: Any, model: Any, context: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - botocore's
        call = Call(model.name, context["tapped"], http_response.content, http_response.status_code)
        with self._lock:
            self._under_way -= 1
            self._calls.append(call)


_OK = 200


def operations(calls: Iterable[Call]) -> Counter[str]:
    return Counter(call.operation for call in calls)


def entries(calls: Iterable[Call]) -> list[Mapping[str, Any]]:
    """List the entries that were put on the bus."""
    return [entry for call in calls if call.operation == "PutEvents" for entry in call.asked["Entries"]]


def entry_bytes(entry: Mapping[str, Any]) -> int:
    """Size an event as EventBridge bills it: source, type and detail."""
    return sum(len(entry[name].encode()) for name in ("Source", "DetailType", "Detail"))


def transaction_units(calls: Iterable[Call]) -> Counter[str]:
    """Add up the write units that transactions say they consumed, by table."""
    units: Counter[str] = Counter()
    for call in calls:
        if call.operation == "TransactWriteItems" and call.status == _OK:
            for told in call.answered["ConsumedCapacity"]:
                units[told["TableName"]] += told["CapacityUnits"]
    return units


def cancelled_units(calls: Iterable[Call]) -> int:
    """Add up what cancelled transactions consumed, of which the API does not tell: every action in full."""
    return TRANSACTIONAL * sum(
        write_units(item_bytes(action["Put"]["Item"]) if "Put" in action else 0)
        for call in calls
        if call.operation == "TransactWriteItems" and call.status != _OK
        for action in call.asked["TransactItems"]
    )


def actions(calls: Iterable[Call], kind: str) -> list[Mapping[str, Any]]:
    """List the actions of one kind in the transactions that went through."""
    return [
        action[kind]
        for call in calls
        if call.operation == "TransactWriteItems" and call.status == _OK
        for action in call.asked["TransactItems"]
        if kind in action
    ]


def plain_write_units(calls: Iterable[Call]) -> int:
    """Add up the units of writes outside transactions; a deletion counts as the item it deletes."""
    units, sizes = 0, dict[str, int]()
    for call in calls:
        if call.operation == "PutItem":
            item = call.asked["Item"]
            sizes[item["pk"]["S"]] = size = item_bytes(item)
            units += write_units(size)
        elif call.operation == "DeleteItem":
            units += write_units(sizes.get(call.asked["Key"]["pk"]["S"], 0))
    return units


def consistent_read_units(calls: Iterable[Call]) -> int:
    units = 0
    for call in calls:
        if call.operation == "GetItem":
            units += read_units(item_bytes(call.answered.get("Item", {})))
        elif call.operation == "BatchGetItem":
            for table, wanted in call.asked["RequestItems"].items():
                found = call.answered["Responses"].get(table, [])
                units += sum(read_units(item_bytes(item)) for item in found)
                units += len(wanted["Keys"]) - len(found)
    return units

"""DynamoDB as far as the store uses it: transactions with reasons, consistent reads, conditional writes."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from tests.simulation.faults import Fault
from tests.simulation.network import Network, refusal

if TYPE_CHECKING:
    from tests.simulation.scheduler import Actor

Item = Mapping[str, Any]

INVENTORY = "inventory"
ORDERS = "orders"
_PAGE = 5
_LONGEST_TRANSACTION = 0.03
"""Seconds in which another transaction on the same item conflicts."""


@dataclass(frozen=True, slots=True)
class Change:
    table: str
    before: Item | None
    after: Item

    def __str__(self) -> str:
        name = self.after["pk"]["S"].removeprefix("default#")
        if self.table == ORDERS:
            return f"{name}={self.after['status']['S']}"
        levels = "/".join(self.after[level]["N"] for level in ("stock", "reserved", "available"))
        return f"{name}={levels}"


class Database:
    """The tables, and somebody who is shown every commit in the instant it happens."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Item]] = {INVENTORY: {}, ORDERS: {}}
        self.earlier: dict[str, dict[str, Item | None]] = {INVENTORY: {}, ORDERS: {}}
        """What each item was before its last change: what a read that is not consistent may still see."""
        self.locked: set[tuple[str, str]] = set()
        """The items of transactions that have begun and not ended."""
        self.throttled_until: dict[tuple[str, str], float] = {}
        """Until when reads or writes of a SKU are throttled: they have capacities of their own."""
        self.on_commit: Callable[[Sequence[Change]], None] = lambda _changes: None

    def item(self, action: Mapping[str, Any]) -> Item | None:
        return self.tables[action["TableName"]].get(_key(action))

    def allows(self, action: Mapping[str, Any]) -> bool:
        item = self.item(action)
        return all(_holds(clause, item, action) for clause in action["ConditionExpression"].split(" AND "))

    def commit(self, actions: Sequence[Mapping[str, Any]]) -> None:
        changes = []
        for action in actions:
            before = self.item(action)
            after = action["Item"] if "Item" in action else _updated(before or {}, action)
            self.tables[action["TableName"]][_key(action)] = after
            self.earlier[action["TableName"]][_key(action)] = before
            changes.append(Change(action["TableName"], before, after))
        self.on_commit(changes)


def _key(action: Mapping[str, Any]) -> str:
    return str((action.get("Key") or action["Item"])["pk"]["S"])


def _holds(clause: str, item: Item | None, action: Mapping[str, Any]) -> bool:
    if clause == "attribute_not_exists(pk)":
        return item is None
    if item is None or clause == "attribute_exists(pk)":
        return item is not None
    name, operator, placeholder = clause.split(" ")
    actual = item.get(action.get("ExpressionAttributeNames", {}).get(name, name))
    expected = action["ExpressionAttributeValues"][placeholder]
    if operator == "=":
        return bool(actual == expected)
    return actual is not None and int(actual["N"]) >= int(expected["N"])


_SUM = re.compile(r"(\w+) = (\w+) ([+-]) (:\w+)")


def _updated(item: Item, action: Mapping[str, Any]) -> Item:
    updated = dict(item)
    for target, name, sign, placeholder in _SUM.findall(action["UpdateExpression"]):
        by = int(action["ExpressionAttributeValues"][placeholder]["N"])
        updated[target] = {"N": str(int(item[name]["N"]) + (by if sign == "+" else -by))}
    return updated


class TransactionCanceledException(ClientError):  # noqa: N818 - the name boto3 gives it
    """Raised with one reason per action."""


class ConditionalCheckFailedException(ClientError):  # noqa: N818 - the name boto3 gives it
    """Raised for a single write whose condition does not hold."""


class _Exceptions:
    TransactionCanceledException = TransactionCanceledException
    ConditionalCheckFailedException = ConditionalCheckFailedException


class DynamoDBClient:
    """The client of one process."""

    exceptions = _Exceptions

    def __init__(self, database: Database, network: Network) -> None:
        self._database = database
        self._network = network

    # The names of the parameters are boto3's.
    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> None:  # noqa: N803
        actions = [action for item in TransactItems for action in item.values()]
        about = [_key(action) for action in actions]
        self._network.call("TransactWriteItems", lambda: self._transact(actions), about)

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        [(table, request)] = RequestItems.items()
        # In no order that a caller could rely on, yet in the same under the same seed.
        keys = sorted(key["pk"]["S"] for key in request["Keys"])
        self._network.random.shuffle(keys)
        consistent = request.get("ConsistentRead", False)
        return self._network.call(
            "BatchGetItem", lambda: self._read(table, keys, consistent=consistent), keys
        )

    def put_item(self, **action: Any) -> None:  # noqa: ANN401 - a request as boto3 takes it
        self._network.call("PutItem", lambda: self._write("PutItem", action))

    def update_item(self, **action: Any) -> dict[str, Any]:  # noqa: ANN401 - a request as boto3 takes it
        self._network.call("UpdateItem", lambda: self._write("UpdateItem", action))
        return {"Attributes": self._database.item(action)}

    def get_paginator(self, operation: str) -> "_Scan":
        if operation != "scan":
            raise NotImplementedError(operation)
        return _Scan(self._database, self._network)

    def _transact(self, actions: Sequence[Mapping[str, Any]]) -> None:
        targets = {_target(action) for action in actions}
        if len(targets) < len(actions) or len(actions) > 100:
            raise refusal("TransactWriteItems", "ValidationException")
        held = self._database.locked & targets
        if held:
            self._story_of_conflict(held)
            codes = ["TransactionConflict" if _target(action) in held else "None" for action in actions]
            raise _cancelled([_reason(code, None) for code in codes])
        self._database.locked |= targets
        try:
            self._network.scheduler.sleep(self._network.random.uniform(0.001, _LONGEST_TRANSACTION))
            self._decide(actions)
        finally:
            self._database.locked -= targets

    def _decide(self, actions: Sequence[Mapping[str, Any]]) -> None:
        codes = ["None" if self._database.allows(action) else "ConditionalCheckFailed" for action in actions]
        for fault, code in ((Fault.CONFLICT, "TransactionConflict"), (Fault.THROTTLED, "ThrottlingError")):
            if self._network.strikes(fault, f"TransactWriteItems cancelled: {code}"):
                for index in self._network.random.sample(range(len(codes)), (len(codes) + 1) // 2):
                    codes[index] = code
                    self._network.touch([_key(actions[index])])
        for index in self._throttled(actions):
            codes[index] = "ThrottlingError"
        if all(code == "None" for code in codes):
            self._database.commit(actions)
            return
        reasons = [
            _reason(code, self._database.item(action)) for code, action in zip(codes, actions, strict=True)
        ]
        if self._network.strikes(Fault.UNEXPLAINED):
            reasons = []
            self._network.touch(_key(action) for action in actions)
        raise _cancelled(reasons)

    def _throttled(self, actions: Sequence[Mapping[str, Any]]) -> list[int]:
        """Name the writes to SKUs that are throttled for a spell: no attempt at them succeeds."""
        skus = [index for index, action in enumerate(actions) if action["TableName"] == INVENTORY]
        self._throttle("write", [_key(actions[index]) for index in skus])
        found = [index for index in skus if self._is_throttled("write", _key(actions[index]))]
        self._network.touch(_key(actions[index]) for index in found)
        return found

    def _throttle(self, kind: str, skus: Sequence[str]) -> None:
        if skus and self._network.strikes(Fault.SKU_BUSY):
            spell = self._network.random.choice((1, 60, 300))
            until = self._network.scheduler.now + spell
            self._database.throttled_until[kind, self._network.random.choice(skus)] = until

    def _is_throttled(self, kind: str, sku: str) -> bool:
        scheduler = self._network.scheduler
        actor = cast("Actor", scheduler.actor)
        throttled = self._database.throttled_until.get((kind, sku), 0.0) > scheduler.now
        if self._network.calm or actor.spared or not throttled:
            return False
        actor.faults += 1
        return True

    def _story_of_conflict(self, held: Collection[tuple[str, str]]) -> None:
        names = sorted(name for _, name in held)
        self._network.touch(names)
        self._network.story.info(f"meets another transaction on {', '.join(names)}")

    def _read(self, table: str, keys: Sequence[str], *, consistent: bool) -> dict[str, Any]:
        left = 0
        if len(keys) > 1 and self._network.strikes(Fault.UNPROCESSED):
            left = self._network.random.randrange(1, len(keys))
        if table == INVENTORY:
            self._throttle("read", keys)
        busy = [key for key in keys if table == INVENTORY and self._is_throttled("read", key)]
        if busy:
            self._network.touch(busy)
            left, keys = len(busy), busy + [key for key in keys if key not in busy]
        items = self._database.tables[table]
        if not consistent:
            earlier = self._database.earlier[table]
            seen = {key: earlier.get(key, item) for key, item in items.items()}
            items = {key: item for key, item in seen.items() if item is not None}
        response: dict[str, Any] = {
            "Responses": {table: [items[key] for key in keys[left:] if key in items]},
            "UnprocessedKeys": {},
        }
        if left:
            self._network.touch(keys[:left])
            response["UnprocessedKeys"] = {table: {"Keys": [{"pk": {"S": key}} for key in keys[:left]]}}
        return response

    def _write(self, operation: str, action: Mapping[str, Any]) -> None:
        # An operator's call that meets a transaction is repeated, as his client does it.
        while _target(action) in self._database.locked:
            self._network.scheduler.sleep(_LONGEST_TRANSACTION)
        if not self._database.allows(action):
            raise ConditionalCheckFailedException(
                {"Error": {"Code": "ConditionalCheckFailedException"}}, operation
            )
        self._database.commit([action])


class _Scan:
    """Reads a table page by page, as it is at the moment of each page."""

    def __init__(self, database: Database, network: Network) -> None:
        self._database = database
        self._network = network

    # The names of the parameters are boto3's.
    def paginate(self, *, TableName: str, ConsistentRead: bool) -> Iterator[dict[str, Any]]:  # noqa: N803
        if not ConsistentRead:
            raise NotImplementedError("a scan of what was there a moment ago")
        rows = self._database.tables[TableName]
        keys = sorted(rows)
        for start in range(0, max(1, len(keys)), _PAGE):
            page = keys[start : start + _PAGE]
            yield self._network.call("Scan", partial(_page, rows, page))


def _page(rows: Mapping[str, Item], keys: Sequence[str]) -> dict[str, Any]:
    return {"Items": [rows[key] for key in keys]}


def _target(action: Mapping[str, Any]) -> tuple[str, str]:
    return action["TableName"], _key(action)


def _cancelled(reasons: Sequence[Mapping[str, Any]]) -> TransactionCanceledException:
    response: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    return TransactionCanceledException(response, "TransactWriteItems")


def _reason(code: str, item: Item | None) -> dict[str, Any]:
    reason: dict[str, Any] = {"Code": code}
    if code == "ConditionalCheckFailed" and item is not None:
        reason["Item"] = item
    return reason

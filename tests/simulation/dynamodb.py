"""DynamoDB as far as the store uses it: transactions with reasons, consistent reads, conditional writes."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.faults import Fault
from tests.simulation.network import Network, refusal

Item = Mapping[str, Any]

INVENTORY = "inventory"
ORDERS = "orders"
_PAGE = 5


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
        self._network.call("TransactWriteItems", lambda: self._transact(actions))

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        [(table, request)] = RequestItems.items()
        # In no order that a caller could rely on, yet in the same under the same seed.
        keys = sorted(key["pk"]["S"] for key in request["Keys"])
        self._network.random.shuffle(keys)
        return self._network.call("BatchGetItem", lambda: self._read(table, keys))

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
        targets = {(action["TableName"], _key(action)) for action in actions}
        if len(targets) < len(actions) or len(actions) > 100:
            raise refusal("TransactWriteItems", "ValidationException")
        codes = ["None" if self._database.allows(action) else "ConditionalCheckFailed" for action in actions]
        for fault, code in ((Fault.CONFLICT, "TransactionConflict"), (Fault.THROTTLED, "ThrottlingError")):
            if self._network.strikes(fault, f"TransactWriteItems cancelled: {code}"):
                for index in self._network.random.sample(range(len(codes)), (len(codes) + 1) // 2):
                    codes[index] = code
        if all(code == "None" for code in codes):
            self._database.commit(actions)
            return
        reasons = [
            _reason(code, self._database.item(action)) for code, action in zip(codes, actions, strict=True)
        ]
        if self._network.strikes(Fault.UNEXPLAINED):
            reasons = []
        response: Any = {
            "Error": {"Code": "TransactionCanceledException"},
            "CancellationReasons": reasons,
        }
        raise TransactionCanceledException(response, "TransactWriteItems")

    def _read(self, table: str, keys: Sequence[str]) -> dict[str, Any]:
        left = 0
        if len(keys) > 1 and self._network.strikes(Fault.UNPROCESSED):
            left = self._network.random.randrange(1, len(keys))
        items = self._database.tables[table]
        response: dict[str, Any] = {
            "Responses": {table: [items[key] for key in keys[left:] if key in items]},
            "UnprocessedKeys": {},
        }
        if left:
            response["UnprocessedKeys"] = {table: {"Keys": [{"pk": {"S": key}} for key in keys[:left]]}}
        return response

    def _write(self, operation: str, action: Mapping[str, Any]) -> None:
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


def _reason(code: str, item: Item | None) -> dict[str, Any]:
    reason: dict[str, Any] = {"Code": code}
    if code == "ConditionalCheckFailed" and item is not None:
        reason["Item"] = item
    return reason

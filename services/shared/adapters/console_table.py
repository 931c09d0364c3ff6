"""The console's table: items of plain values under a partition key and a sort key, read consistently."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from services.shared.adapters.clients import is_transient
from services.shared.console import ABSENT, Condition, Delete, Item, Put, Write
from services.shared.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class ConsoleTable:
    """Implements `services.shared.console.Console`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def get(self, pk: str, sk: str) -> Item | None:
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        response = self._call("get_item", TableName=self._table, Key=key, ConsistentRead=True)
        return decoded(response["Item"]) if "Item" in response else None

    def list(self, pk: str, prefix: str = "") -> Sequence[Item]:
        names, values = {"#pk": "pk"}, {":pk": {"S": pk}}
        condition = "#pk = :pk"
        if prefix:
            condition += " AND begins_with(#sk, :prefix)"
            names["#sk"], values[":prefix"] = "sk", {"S": prefix}
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }
        items: list[Item] = []
        while True:
            response = self._call("query", **query)
            items += [decoded(it) for it in response["Items"]]
            if "LastEvaluatedKey" not in response:
                return items
            query["ExclusiveStartKey"] = response["LastEvaluatedKey"]

    def newest(self, pk: str, most: int) -> Sequence[Item]:
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "#pk = :pk",
            "ExpressionAttributeNames": {"#pk": "pk"},
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ScanIndexForward": False,
        }
        items: list[Item] = []
        while len(items) < most:
            response = self._call("query", **query, Limit=most - len(items))
            items += [decoded(it) for it in response["Items"]]
            if "LastEvaluatedKey" not in response:
                break
            query["ExclusiveStartKey"] = response["LastEvaluatedKey"]
        return items

    def write(self, *writes: Write) -> bool:
        """Apply all writes; or none, and return False, when a condition does not hold."""
        try:
            if len(writes) == 1:
                ((operation, request),) = [_request(self._table, it) for it in writes]
                self._call(f"{operation.lower()}_item", **request)
            else:
                actions = [dict([_request(self._table, it)]) for it in writes]
                self._call("transact_write_items", TransactItems=actions)
        except _ConditionFailedError:
            return False
        return True

    def _call(self, operation: str, **arguments: object) -> Any:  # noqa: ANN401 - any operation's response
        try:
            return getattr(self._client, operation)(**arguments)
        except ClientError as error:
            if _condition_failed(error):
                raise _ConditionFailedError from None
            if is_transient(error) or error.response["Error"]["Code"] == "TransactionCanceledException":
                raise StoreUnavailableError(f"{operation} of the console table: {error}") from error
            raise
        except BotoCoreError as error:
            if is_transient(error):
                raise StoreUnavailableError(f"{operation} of the console table: {error}") from error
            raise


class _ConditionFailedError(Exception):
    """A condition of a write did not hold."""


def _condition_failed(error: ClientError) -> bool:
    if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
        return True
    reasons = error.response.get("CancellationReasons", ())
    return any(it.get("Code") == "ConditionalCheckFailed" for it in reasons)


def _request(table: str, write: Write) -> tuple[str, dict[str, Any]]:
    request: dict[str, Any] = {"TableName": table, **_conditions(write.condition)}
    match write:
        case Put(item=item):
            return "Put", {**request, "Item": encoded(item)}
        case Delete(pk=pk, sk=sk):
            return "Delete", {**request, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}}


def _conditions(condition: Condition) -> dict[str, Any]:
    if condition is None:
        return {}
    names, values, texts = {}, {}, []
    for at, (name, value) in enumerate(condition.items()):
        names[f"#n{at}"] = name
        if value is ABSENT:
            texts.append(f"attribute_not_exists(#n{at})")
        else:
            values[f":v{at}"] = _attribute(value)
            texts.append(f"#n{at} = :v{at}")
    found: dict[str, Any] = {"ConditionExpression": " AND ".join(texts), "ExpressionAttributeNames": names}
    return {**found, "ExpressionAttributeValues": values} if values else found


def encoded(item: Item) -> dict[str, Any]:
    return {name: _attribute(value) for name, value in item.items() if value is not None}


def decoded(item: Mapping[str, Any]) -> Item:
    return {name: _value(attribute) for name, attribute in item.items()}


def _attribute(value: object) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case list() | tuple():
            return {"L": [_attribute(it) for it in value]}
        case dict():
            return {"M": encoded(value)}
        case _:
            raise TypeError(f"the console table holds no {type(value).__name__}")


def _value(attribute: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any value of an item
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return int(value)
        case "L":
            return [_value(it) for it in value]
        case "M":
            return decoded(value)
        case _:
            return value

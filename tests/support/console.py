"""The console's table in a dictionary, and the real one made for a test."""

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

from services.shared.console import ABSENT, Condition, Item, Put, Write

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class MemoryConsole:
    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self._lock = Lock()

    def get(self, pk: str, sk: str) -> Item | None:
        item = self.items.get((pk, sk))
        return dict(item) if item is not None else None

    def list(self, pk: str, prefix: str = "") -> Sequence[Item]:
        keys = sorted(key for key in self.items if key[0] == pk and key[1].startswith(prefix))
        return [dict(self.items[key]) for key in keys]

    def newest(self, pk: str, most: int) -> Sequence[Item]:
        return self.list(pk)[::-1][:most]

    def write(self, *writes: Write) -> bool:
        with self._lock:
            if not all(self._holds(_key(it), it.condition) for it in writes):
                return False
            for it in writes:
                if isinstance(it, Put):
                    self.items[_key(it)] = {k: value for k, value in it.item.items() if value is not None}
                else:
                    self.items.pop(_key(it), None)
            return True

    def _holds(self, key: tuple[str, str], condition: Condition) -> bool:
        item = self.items.get(key, {})
        return all(
            name not in item if value is ABSENT else name in item and item[name] == value
            for name, value in (condition or {}).items()
        )


def _key(write: Write) -> tuple[str, str]:
    return (write.item["pk"], write.item["sk"]) if isinstance(write, Put) else (write.pk, write.sk)


def make_console_table(client: "DynamoDBClient", name: str) -> None:
    client.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )

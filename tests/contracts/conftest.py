"""One empty ledger per test, over each kind of store in turn."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from services.shared.adapters.dynamodb_store import DynamoDBStore
from services.shared.ledger import Stock, Store
from tests.support.fakes import MemoryStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

StoreWith = Callable[[Iterable[Stock]], Store]


def dynamodb_store(client: "DynamoDBClient") -> DynamoDBStore:
    """A store over two new tables."""
    prefix = uuid4().hex[:8]
    for table in (f"{prefix}-inventory", f"{prefix}-orders"):
        client.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    return DynamoDBStore(client, inventory_table=f"{prefix}-inventory", orders_table=f"{prefix}-orders")


@pytest.fixture(params=["memory", "moto", pytest.param("emulator", marks=pytest.mark.emulator)])
def store_with(request: pytest.FixtureRequest) -> Iterator[StoreWith]:
    if request.param == "memory":
        yield MemoryStore
        return
    if request.param == "moto":
        with mock_aws():
            client = boto3.client("dynamodb", region_name="us-east-1")
            yield lambda stocks: _seeded(dynamodb_store(client), stocks)
        return
    running = request.getfixturevalue("emulator")
    yield lambda stocks: _seeded(dynamodb_store(running.clients.client("dynamodb")), stocks)


def _seeded(store: DynamoDBStore, stocks: Iterable[Stock]) -> DynamoDBStore:
    store.seed(stocks)
    return store

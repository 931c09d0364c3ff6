"""What the store says its calls consumed is what DynamoDB says."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from scripts.environment.environment import Clients
from scripts.local.aws import emulator as ministack
from services.shared.adapters.dynamodb_store import DynamoDBStore
from services.shared.ledger import Delta, Key, OrderWrite, Refused, StockWrite
from services.shared.metric_names import CapacityKind, CapacityTable
from tests.conftest import RunningEmulator
from tests.support.fakes import a_stock
from tests.support.ops_context import an_order

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.emulator

APPLE = Key("default", "apple")
TAKE_TWO = StockWrite(APPLE, Delta(reserved=2, available=-2))


class Meter:
    """A store over two new tables, what it reports, and what DynamoDB itself answered meanwhile."""

    def __init__(self, client: "DynamoDBClient") -> None:
        prefix = uuid4().hex[:8]
        self.tables: Mapping[str, CapacityTable] = {
            f"{prefix}-inventory": CapacityTable.INVENTORY,
            f"{prefix}-orders": CapacityTable.ORDERS,
        }
        for table in self.tables:
            client.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        inventory, orders = self.tables
        self.reported: Counter[tuple[CapacityTable, CapacityKind]] = Counter()
        self.answered: Counter[CapacityTable] = Counter()
        self.store = DynamoDBStore(client, inventory_table=inventory, orders_table=orders, spent=self._report)
        self.store.seed([a_stock("apple", 5)])
        for operation in ("TransactWriteItems", "BatchGetItem"):
            client.meta.events.register(f"after-call.dynamodb.{operation}", self._answer)

    def _report(self, table: CapacityTable, kind: CapacityKind, units: float) -> None:
        self.reported[table, kind] += units  # type: ignore[assignment]  # units come in halves

    def _answer(self, parsed: Mapping[str, Any], **_: object) -> None:
        for consumed in parsed.get("ConsumedCapacity", ()):
            self.answered[self.tables[consumed["TableName"]]] += consumed["CapacityUnits"]


@pytest.fixture
def meter(emulator: RunningEmulator) -> Meter:
    # Clients of its own: the ears of this test stay on them.
    clients = Clients.of_emulator(
        emulator.endpoint, ministack.REGION, ministack.ACCESS_KEY_ID, ministack.SECRET_ACCESS_KEY
    )
    return Meter(clients.client("dynamodb"))


def test_the_write_units_of_a_transaction_are_reported_by_table_as_dynamodb_tells_them(meter: Meter) -> None:
    assert meter.store.transact([OrderWrite(None, an_order()), TAKE_TWO]) == ()

    assert meter.reported == {("orders", "write"): 2, ("inventory", "write"): 2}
    assert meter.answered == {"orders": 2, "inventory": 2}


def test_the_read_units_of_a_batch_are_reported_as_dynamodb_tells_them() -> None:
    with mock_aws():  # the emulator does not tell what a batch of reads consumed
        meter = Meter(boto3.client("dynamodb", region_name=ministack.REGION))
        meter.store.transact([OrderWrite(None, an_order("o-1")), OrderWrite(None, an_order("o-2"))])
        meter.reported.clear()
        meter.answered.clear()

        meter.store.read_orders([an_order("o-1").key, an_order("o-2").key])

    assert meter.answered[CapacityTable.ORDERS] > 0
    assert meter.reported == {("orders", "read"): meter.answered[CapacityTable.ORDERS]}


def test_of_a_cancelled_transaction_nothing_is_told_and_so_nothing_is_reported(meter: Meter) -> None:
    verdicts = meter.store.transact([StockWrite(APPLE, Delta(reserved=6, available=-6))])

    assert verdicts == [Refused(a_stock("apple", 5))]
    assert meter.reported == {}

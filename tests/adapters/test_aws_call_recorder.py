"""What is heard of calls to AWS is what was said, and its units are those DynamoDB tells where it does."""

from dataclasses import dataclass
from uuid import uuid4

import pytest

from benchmarks.harness import aws_call_recorder
from benchmarks.harness.aws_call_recorder import Wiretap
from scripts.environment.environment import Clients
from scripts.local.aws import emulator as ministack
from services.shared.adapters.dynamodb_store import DynamoDBStore
from services.shared.ledger import Delta, Key, OrderWrite, StockWrite
from tests.conftest import RunningEmulator
from tests.support.fakes import a_stock
from tests.support.ops_context import an_order

pytestmark = pytest.mark.emulator

APPLE = Key("default", "apple")


@dataclass
class Tapped:
    clients: Clients
    store: DynamoDBStore
    inventory: str
    orders: str
    tap: Wiretap


@pytest.fixture
def tapped(emulator: RunningEmulator) -> Tapped:
    # Clients of its own: the ears of this test stay on them.
    clients = Clients.of_emulator(
        emulator.endpoint, ministack.REGION, ministack.ACCESS_KEY_ID, ministack.SECRET_ACCESS_KEY
    )
    dynamodb, prefix = clients.client("dynamodb"), uuid4().hex[:8]
    inventory, orders = f"{prefix}-inventory", f"{prefix}-orders"
    for table in (inventory, orders):
        dynamodb.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    store = DynamoDBStore(dynamodb, inventory_table=inventory, orders_table=orders, spent=lambda *_: None)
    store.seed([a_stock("apple", 5)])
    tap = Wiretap()
    tap.listen("dynamodb", dynamodb.meta.events)
    tap.listen("events", clients.client("events").meta.events)
    return Tapped(clients, store, inventory, orders, tap)


def test_the_units_of_a_transaction_are_those_it_tells(tapped: Tapped) -> None:
    tapped.store.transact([OrderWrite(None, an_order()), StockWrite(APPLE, Delta(reserved=2, available=-2))])

    heard = tapped.tap.take()

    assert aws_call_recorder.transaction_units(heard.calls) == {tapped.orders: 2, tapped.inventory: 2}
    assert (
        len(aws_call_recorder.actions(heard.calls, "Put"))
        == len(aws_call_recorder.actions(heard.calls, "Update"))
        == 1
    )
    assert aws_call_recorder.cancelled_units(heard.calls) == 0


def test_a_cancelled_transaction_counts_each_of_its_actions(tapped: Tapped) -> None:
    too_many = StockWrite(APPLE, Delta(reserved=9, available=-9))

    assert tapped.store.transact([OrderWrite(None, an_order()), too_many])

    heard = tapped.tap.take()
    assert aws_call_recorder.cancelled_units(heard.calls) == 4
    assert aws_call_recorder.transaction_units(heard.calls) == {}
    assert aws_call_recorder.actions(heard.calls, "Put") == []


def test_a_batch_of_reads_counts_what_it_found_and_what_it_did_not(tapped: Tapped) -> None:
    tapped.store.transact([OrderWrite(None, an_order("o-1"))])
    tapped.tap.take()

    tapped.store.read_orders([an_order("o-1").key, an_order("o-2").key])

    assert aws_call_recorder.consistent_read_units(tapped.tap.take().calls) == 2


def test_writes_outside_transactions_count_once_and_a_deletion_as_what_it_deletes(tapped: Tapped) -> None:
    dynamodb = tapped.clients.client("dynamodb")
    dynamodb.put_item(TableName=tapped.orders, Item={"pk": {"S": "part"}, "data": {"B": b"x" * 3000}})
    dynamodb.delete_item(TableName=tapped.orders, Key={"pk": {"S": "part"}})

    assert aws_call_recorder.plain_write_units(tapped.tap.take().calls) == 6


def test_calls_one_after_the_other_are_as_many_stages(tapped: Tapped) -> None:
    tapped.store.read_stock([APPLE])
    tapped.store.read_stock([APPLE])

    heard = tapped.tap.take()

    assert heard.stages == 2
    assert aws_call_recorder.operations(heard.calls) == {"BatchGetItem": 2}
    assert tapped.tap.take().calls == ()


def test_entries_put_on_the_bus_are_sized_by_what_they_say(tapped: Tapped) -> None:
    entry = {"Source": "shop", "DetailType": "Told", "Detail": '{"a":"ä"}'}
    tapped.clients.client("events").put_events(Entries=[entry])  # type: ignore[list-item]

    (heard,) = aws_call_recorder.entries(tapped.tap.take().calls)

    assert heard == entry
    assert aws_call_recorder.entry_bytes(heard) == 4 + 4 + 10

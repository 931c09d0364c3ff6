"""Recorded calls hold requests and responses; their units are those that DynamoDB reports, where it does."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from benchmarks.harness import aws_call_recorder
from benchmarks.harness.aws_call_recorder import CallRecorder
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
class Recording:
    clients: Clients
    store: DynamoDBStore
    inventory: str
    orders: str
    recorder: CallRecorder


@pytest.fixture
def recording(emulator: RunningEmulator) -> Recording:
    # Separate clients: the recorder stays attached to them.
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
    recorder = CallRecorder()
    recorder.attach("dynamodb", dynamodb.meta.events)
    recorder.attach("events", clients.client("events").meta.events)
    return Recording(clients, store, inventory, orders, recorder)


def test_the_units_of_a_transaction_are_those_it_reports(recording: Recording) -> None:
    recording.store.transact(
        [OrderWrite(None, an_order()), StockWrite(APPLE, Delta(reserved=2, available=-2))]
    )

    recorded = recording.recorder.take()

    assert aws_call_recorder.transaction_units(recorded.calls) == {
        recording.orders: 2,
        recording.inventory: 2,
    }
    assert (
        len(aws_call_recorder.actions(recorded.calls, "Put"))
        == len(aws_call_recorder.actions(recorded.calls, "Update"))
        == 1
    )
    assert aws_call_recorder.cancelled_units(recorded.calls) == 0


def test_a_cancelled_transaction_counts_each_of_its_actions(recording: Recording) -> None:
    too_many = StockWrite(APPLE, Delta(reserved=9, available=-9))

    assert recording.store.transact([OrderWrite(None, an_order()), too_many])

    recorded = recording.recorder.take()
    assert aws_call_recorder.cancelled_units(recorded.calls) == 4
    assert aws_call_recorder.transaction_units(recorded.calls) == {}
    assert aws_call_recorder.actions(recorded.calls, "Put") == []


def test_a_batch_of_reads_counts_what_it_found_and_what_it_did_not(recording: Recording) -> None:
    recording.store.transact([OrderWrite(None, an_order("o-1"))])
    recording.recorder.take()

    recording.store.read_orders([an_order("o-1").key, an_order("o-2").key])

    assert aws_call_recorder.consistent_read_units(recording.recorder.take().calls) == 2


def test_writes_outside_transactions_count_once_and_a_deletion_as_what_it_deletes(
    recording: Recording,
) -> None:
    dynamodb = recording.clients.client("dynamodb")
    dynamodb.put_item(TableName=recording.orders, Item={"pk": {"S": "part"}, "data": {"B": b"x" * 3000}})
    dynamodb.delete_item(TableName=recording.orders, Key={"pk": {"S": "part"}})

    assert aws_call_recorder.plain_write_units(recording.recorder.take().calls) == 6


def test_an_update_counts_whether_or_not_its_condition_holds(recording: Recording) -> None:
    dynamodb = recording.clients.client("dynamodb")
    update: Any = {
        "TableName": recording.orders,
        "Key": {"pk": {"S": "rate"}},
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    dynamodb.update_item(**update)
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.update_item(**update, ConditionExpression="attribute_not_exists(pk)")

    assert aws_call_recorder.plain_write_units(recording.recorder.take().calls) == 2


def test_items_that_are_put_are_sized(recording: Recording) -> None:
    dynamodb = recording.clients.client("dynamodb")
    dynamodb.put_item(TableName=recording.orders, Item={"pk": {"S": "part"}, "data": {"B": b"x" * 300}})

    assert aws_call_recorder.put_bytes(recording.recorder.take().calls) == len("part" + "pk" + "data") + 300


def test_calls_one_after_the_other_are_as_many_stages(recording: Recording) -> None:
    recording.store.read_stock([APPLE])
    recording.store.read_stock([APPLE])

    recorded = recording.recorder.take()

    assert recorded.stages == 2
    assert aws_call_recorder.operations(recorded.calls) == {"BatchGetItem": 2}
    assert recording.recorder.take().calls == ()


def test_entries_put_on_the_bus_are_sized_by_source_type_and_detail(recording: Recording) -> None:
    entry = {"Source": "shop", "DetailType": "Name", "Detail": '{"a":"ä"}'}
    recording.clients.client("events").put_events(Entries=[entry])  # type: ignore[list-item]

    (recorded,) = aws_call_recorder.entries(recording.recorder.take().calls)

    assert recorded == entry
    assert aws_call_recorder.entry_bytes(recorded) == 4 + 4 + 10

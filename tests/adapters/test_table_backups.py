"""What a table lost comes back from a backup, beside what it has by now."""

from typing import Any
from uuid import uuid4

import pytest

from scripts.common.clock import Clock
from scripts.common.errors import ToolError
from scripts.environment.environment import Environment
from scripts.environment.topology import Topology
from scripts.ops.backups.tables import TableBackups
from tests.conftest import RunningEmulator

pytestmark = pytest.mark.emulator


@pytest.fixture
def environment(emulator: RunningEmulator) -> Environment:
    environment = Environment(f"b{uuid4().hex[:8]}", Topology.load(), emulator.clients)
    for table, spec in environment.topology.tables.items():
        keys = [it for it in (spec.key, spec.sort) if it]
        schema: list[Any] = [
            {"AttributeName": it, "KeyType": kind} for it, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ]
        environment.client("dynamodb").create_table(
            TableName=environment.names.table(table),
            AttributeDefinitions=[{"AttributeName": it, "AttributeType": "S"} for it in keys],
            KeySchema=schema,
            BillingMode="PAY_PER_REQUEST",
        )
    return environment


def put(environment: Environment, order: str, status: str) -> None:
    environment.client("dynamodb").put_item(
        TableName=environment.names.table("orders"), Item={"pk": {"S": order}, "status": {"S": status}}
    )


def statuses(environment: Environment) -> dict[str, str]:
    items = environment.client("dynamodb").scan(TableName=environment.names.table("orders"))["Items"]
    return {it["pk"]["S"]: it["status"]["S"] for it in items}


def lose(environment: Environment, order: str) -> None:
    environment.client("dynamodb").delete_item(
        TableName=environment.names.table("orders"), Key={"pk": {"S": order}}
    )


def test_lost_items_come_back_and_what_was_written_since_stays(environment: Environment) -> None:
    backups = TableBackups(environment, Clock())
    put(environment, "lost", "CONFIRMED")
    put(environment, "changed", "RESERVED")
    backups.create()
    lose(environment, "lost")
    put(environment, "changed", "CONFIRMED")
    put(environment, "new", "RESERVED")

    restored = backups.restore("orders")

    assert (restored.written, restored.kept) == (1, 1)
    assert statuses(environment) == {"lost": "CONFIRMED", "changed": "CONFIRMED", "new": "RESERVED"}


def test_items_that_hold_what_they_should_not_are_replaced_on_request(environment: Environment) -> None:
    backups = TableBackups(environment, Clock())
    put(environment, "order", "CONFIRMED")
    (backup,) = [it for it in backups.create() if it.table == "orders"]
    put(environment, "order", "RESERVED")

    assert backups.restore("orders", backup=backup.arn, overwrite=True).written == 1
    assert statuses(environment) == {"order": "CONFIRMED"}


def test_nothing_is_left_of_the_table_that_was_restored_beside_it(environment: Environment) -> None:
    backups = TableBackups(environment, Clock())
    backups.create()

    backups.restore("orders")

    tables = environment.client("dynamodb").list_tables()["TableNames"]
    assert [it for it in tables if it.startswith(environment.names.table("orders"))] == [
        environment.names.table("orders")
    ]


def test_the_newest_backup_of_each_table_is_listed_first(environment: Environment) -> None:
    backups = TableBackups(environment, Clock())
    first, second = backups.create(), backups.create()

    listed = [it.arn for it in backups.existing() if it.table == "orders" and it.arn]

    assert set(listed) == {it.arn for it in (*first, *second) if it.table == "orders"}
    assert len(listed) == 2


def test_a_table_without_a_backup_and_one_that_is_not_there_are_refused(environment: Environment) -> None:
    backups = TableBackups(environment, Clock())

    with pytest.raises(ToolError, match="has no backup; give --at"):
        backups.restore("orders")
    with pytest.raises(ToolError, match="there is no table 'order'; choose one of inventory"):
        backups.restore("order")
    with pytest.raises(ToolError, match="refused to restore orders"):
        backups.restore("orders", backup="arn:aws:dynamodb:us-east-1:1:table/none/backup/1")

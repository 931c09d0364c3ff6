"""What the console's table promises, over the fake and over DynamoDB."""

from collections.abc import Iterator
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from services.shared.adapters.console_table import ConsoleTable
from services.shared.console import ABSENT, NEW, Console, Delete, Put
from tests.support.console import MemoryConsole, make_console_table

ANN = {"pk": "org#acme", "sk": "member#ann", "role": "admin"}


@pytest.fixture(params=["memory", "moto", pytest.param("emulator", marks=pytest.mark.emulator)])
def console(request: pytest.FixtureRequest) -> Iterator[Console]:
    name = f"{uuid4().hex[:8]}-console"
    if request.param == "memory":
        yield MemoryConsole()
    elif request.param == "moto":
        with mock_aws():
            client = boto3.client("dynamodb", region_name="us-east-1")
            make_console_table(client, name)
            yield ConsoleTable(client, name)
    else:
        client = request.getfixturevalue("emulator").clients.client("dynamodb")
        make_console_table(client, name)
        yield ConsoleTable(client, name)


def test_values_come_back_as_they_were(console: Console) -> None:
    item = {**ANN, "count": 7, "shared": True, "scopes": ["a", "b"], "query": {"from": "2026-01-01"}}

    assert console.write(Put(item))

    assert console.get("org#acme", "member#ann") == item


def test_a_value_of_none_is_left_out(console: Console) -> None:
    console.write(Put({**ANN, "scopes": None}))

    assert console.get("org#acme", "member#ann") == ANN


def test_a_missing_item_is_none(console: Console) -> None:
    assert console.get("org#acme", "member#ann") is None


def test_a_partition_is_listed_in_the_order_of_its_sort_keys(console: Console) -> None:
    for sk in ("view#2", "member#ben", "view#1"):
        console.write(Put({"pk": "org#acme", "sk": sk}))
    console.write(Put({"pk": "org#globex", "sk": "view#3"}))

    assert [it["sk"] for it in console.list("org#acme")] == ["member#ben", "view#1", "view#2"]
    assert [it["sk"] for it in console.list("org#acme", "view#")] == ["view#1", "view#2"]


def test_a_partition_larger_than_one_page_is_listed_whole(console: Console) -> None:
    for number in range(5):
        console.write(Put({"pk": "org#acme", "sk": f"view#{number}", "query": "q" * 300_000}))

    assert len(console.list("org#acme")) == 5


def test_a_new_item_is_written_once(console: Console) -> None:
    assert console.write(Put(ANN, NEW))
    assert not console.write(Put({**ANN, "role": "viewer"}, NEW))

    assert console.get("org#acme", "member#ann") == ANN


def test_a_condition_compares_values(console: Console) -> None:
    console.write(Put(ANN))

    assert not console.write(Delete("org#acme", "member#ann", {"role": "viewer"}))
    assert not console.write(Put({**ANN, "role": "editor"}, {"role": "admin", "acceptedAt": "now"}))
    assert console.write(Put({**ANN, "role": "editor"}, {"role": "admin", "acceptedAt": ABSENT}))
    assert console.write(Delete("org#acme", "member#ann", {"role": "editor"}))

    assert console.get("org#acme", "member#ann") is None


def test_several_writes_are_applied_together_or_not_at_all(console: Console) -> None:
    console.write(Put(ANN))
    other = {"pk": "user#ann", "sk": "org#acme", "role": "admin"}

    assert not console.write(Put(other, NEW), Put({**ANN, "role": "viewer"}, NEW))
    assert console.get("user#ann", "org#acme") is None

    assert console.write(Put(other, NEW), Delete("org#acme", "member#ann"))
    assert console.get("user#ann", "org#acme") == other
    assert console.get("org#acme", "member#ann") is None

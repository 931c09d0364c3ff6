"""What every place for snapshots must do: in memory, over moto, and over the emulator."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from services.metrics.adapters.dynamodb_snapshots import DynamoDBSnapshots
from services.metrics.counters import Ledger
from services.metrics.snapshot import Edition, Format, Pages, Snapshot, Tally
from tests.support.metrics_fakes import MemorySnapshots

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SMALL_PARTS = 40


class SnapshotStore(Protocol):
    def load(self) -> Snapshot | None: ...
    def replace(self, before: Snapshot | None, after: Snapshot, pages: Pages) -> bool: ...
    def latest(self) -> Edition | None: ...
    def page(self, form: Format) -> tuple[Edition, bytes] | None: ...


def in_table(client: "DynamoDBClient") -> DynamoDBSnapshots:
    table = f"{uuid4().hex[:8]}-metrics"
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return DynamoDBSnapshots(client, table=table, clock=lambda: 0.0, part_bytes=SMALL_PARTS)


@pytest.fixture(params=["memory", "moto", pytest.param("emulator", marks=pytest.mark.emulator)])
def store(request: pytest.FixtureRequest) -> Iterator[SnapshotStore]:
    if request.param == "memory":
        yield MemorySnapshots()
    elif request.param == "moto":
        with mock_aws():
            yield in_table(boto3.client("dynamodb", region_name="us-east-1"))
    else:
        yield in_table(request.getfixturevalue("emulator").clients.client("dynamodb"))


@pytest.fixture
def table() -> Iterator[DynamoDBSnapshots]:
    with mock_aws():
        yield in_table(boto3.client("dynamodb", region_name="us-east-1"))


def snapshot(version: int, units: int = 1) -> Snapshot:
    counts = {f"orders_total{{outcome={number}}}": {100: units} for number in range(20)}
    return Snapshot(version, version * 60, Ledger(watermark=60).counting(counts), Tally(version))


def pages(mark: str) -> Pages:
    return {form: f"{mark} {form} ".encode() * 20 for form in Format}


def test_at_first_there_is_nothing(store: SnapshotStore) -> None:
    assert store.load() is None
    assert store.latest() is None
    assert store.page(Format.TEXT) is None


def test_what_was_put_is_found_whole(store: SnapshotStore) -> None:
    """However many items it takes."""
    assert store.replace(None, snapshot(1), pages("one"))

    assert store.load() == snapshot(1)
    for form in Format:
        found = store.page(form)
        assert found is not None
        assert found[0].version == 1
        assert found[1] == pages("one")[form]


def test_a_newer_version_takes_the_place_of_the_older(store: SnapshotStore) -> None:
    store.replace(None, snapshot(1), pages("one"))

    assert store.replace(snapshot(1), snapshot(2, units=5), pages("two"))

    assert store.load() == snapshot(2, units=5)
    edition = store.latest()
    assert edition is not None
    assert (edition.version, edition.collected_at) == (2, 120)


@pytest.mark.parametrize("before", [None, 1, 3])
def test_a_collector_that_started_from_another_version_changes_nothing(
    store: SnapshotStore, before: int | None
) -> None:
    store.replace(None, snapshot(1), pages("one"))
    store.replace(snapshot(1), snapshot(2), pages("two"))
    started_from = snapshot(before) if before else None

    assert not store.replace(started_from, snapshot((before or 0) + 1, units=9), pages("lost"))

    assert store.load() == snapshot(2)


def test_a_rival_between_look_and_move_is_noticed(table: DynamoDBSnapshots) -> None:
    table.replace(None, snapshot(1), pages("one"))
    late = Interrupted(table, lambda: table.replace(snapshot(1), snapshot(2), pages("rival")))

    assert not late.replace(snapshot(1), snapshot(2, units=9), pages("late"))

    assert table.load() == snapshot(2)
    found = table.page(Format.TEXT)
    assert found is not None
    assert found[1] == pages("rival")[Format.TEXT]


def test_a_head_that_moved_without_an_answer_is_recognised(table: DynamoDBSnapshots) -> None:
    """The SDK sends a call again whose answer was lost; the second one then meets the first one's head."""
    table.replace(None, snapshot(1), pages("one"))
    twice = SentTwice(table)

    assert twice.replace(snapshot(1), snapshot(2), pages("two"))

    assert table.load() == snapshot(2)


def test_a_collector_killed_before_the_head_moved_leaves_the_old_version(table: DynamoDBSnapshots) -> None:
    table.replace(None, snapshot(1), pages("one"))

    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Interrupted(table, die).replace(snapshot(1), snapshot(2), pages("two"))

    assert table.load() == snapshot(1)
    assert table.replace(snapshot(1), snapshot(2, units=4), pages("next"))
    assert table.load() == snapshot(2, units=4)


def test_old_parts_are_cleared_away_one_version_later(table: DynamoDBSnapshots) -> None:
    before = None
    sizes = []
    for version in range(1, 6):
        table.replace(before, snapshot(version), pages("same"))
        before = snapshot(version)
        sizes.append(table.client.scan(TableName=table.table, Select="COUNT")["Count"])

    assert sizes[2:] == [sizes[2]] * 3


class Interrupted(DynamoDBSnapshots):
    """Lets something happen when the parts are written and the head has not moved."""

    def __init__(self, of: DynamoDBSnapshots, meanwhile: Callable[[], object]) -> None:
        super().__init__(of.client, table=of.table, clock=lambda: 0.0, part_bytes=SMALL_PARTS)
        self._meanwhile = meanwhile

    def move_head(self, before: Snapshot | None, edition: Edition) -> bool:
        self._meanwhile()
        return super().move_head(before, edition)


class SentTwice(Interrupted):
    def __init__(self, of: DynamoDBSnapshots) -> None:
        super().__init__(of, lambda: None)

    def move_head(self, before: Snapshot | None, edition: Edition) -> bool:
        assert super().move_head(before, edition)
        return super().move_head(before, edition)

"""Replays against EventBridge: replayed events reach the queue of their replay, and nothing else."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from scripts.common.clock import Clock
from scripts.common.errors import ToolError
from scripts.environment.environment import Environment
from scripts.environment.topology import Names, Topology
from scripts.local.aws.provision import Overrides, provision
from scripts.ops.replay.event_archive import EventBridgeArchive
from tests.conftest import RunningEmulator

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def deployed(emulator: RunningEmulator) -> Environment:
    """A separate environment, whose consumers subscribe to none of these events."""
    environment = Environment("archive", Topology.load(), emulator.clients)
    provision(environment, Overrides())
    return environment


@pytest.fixture
def archive(deployed: Environment) -> EventBridgeArchive:
    return _archive(deployed)


def _archive(environment: Environment) -> EventBridgeArchive:
    return EventBridgeArchive(
        environment.client("events"), environment.client("sqs"), environment.names, Clock(), settling=0
    )


def _publish(environment: Environment, *names: str) -> str:
    """Put events on the bus, and return the mark they carry."""
    mark = uuid4().hex
    for name in names:
        response = environment.client("events").put_events(
            Entries=[
                {
                    "EventBusName": environment.names.bus,
                    "Source": "tests",
                    "DetailType": name,
                    "Detail": json.dumps({"mark": mark}),
                }
            ]
        )
        assert response["FailedEntryCount"] == 0
    return mark


def _window() -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return now - timedelta(hours=1), now + timedelta(minutes=1)


def _name() -> str:
    return f"test-{uuid4().hex[:8]}"


def _replayed(archive: EventBridgeArchive, name: str, mark: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for batch in archive.take(name):
        counts.update(one.event for one in batch if mark in one.body)
        archive.remove(name, batch)
    return counts


def test_the_chosen_events_of_the_window_arrive_in_the_queue_of_the_replay(
    deployed: Environment, archive: EventBridgeArchive
) -> None:
    mark, name = _publish(deployed, "Alpha", "Alpha", "Beta", "Gamma"), _name()

    archive.start(name, *_window(), {"Alpha", "Beta"}, {})
    counts = _replayed(archive, name, mark)

    assert archive.progress(name).state == "COMPLETED"
    assert counts == {"Alpha": 2, "Beta": 1}
    archive.discard(name)


def test_live_events_do_not_get_into_the_queue_of_a_replay(
    deployed: Environment, archive: EventBridgeArchive
) -> None:
    replayed, name = _publish(deployed, "Alpha"), _name()
    archive.start(name, *_window(), {"Alpha"}, {})

    live = _publish(deployed, "Alpha", "Alpha")

    bodies = [one.body for batch in archive.take(name) for one in batch]
    assert [body for body in bodies if live in body and "replay-name" not in body] == []
    assert any(replayed in body for body in bodies)
    archive.discard(name)


def test_what_lies_outside_the_window_is_not_replayed(
    deployed: Environment, archive: EventBridgeArchive
) -> None:
    mark, name = _publish(deployed, "Alpha"), _name()
    now = datetime.now(UTC)

    archive.start(name, now - timedelta(hours=2), now - timedelta(hours=1), {"Alpha"}, {})

    assert _replayed(archive, name, mark) == {}
    archive.discard(name)


def test_the_rules_of_the_consumers_do_not_match_replayed_events(deployed: Environment) -> None:
    events = deployed.client("events")
    live: dict[str, object] = {
        "id": "1",
        "account": "1",
        "source": "tests",
        "time": "2026-01-31T12:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail-type": "OrderPlaced",
        "detail": {},
    }
    pattern = events.describe_rule(Name=deployed.names.rule("order"), EventBusName=deployed.names.bus)[
        "EventPattern"
    ]

    def matches(event: dict[str, object]) -> bool:
        return events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]

    assert matches(live)
    assert not matches(live | {"replay-name": "another"})


def test_an_unfinished_replay_is_listed_with_its_notes_until_it_is_discarded(
    deployed: Environment, archive: EventBridgeArchive
) -> None:
    name, bus = _name(), deployed.names.bus

    archive.start(name, *_window(), {"Alpha"}, {"order": "Alpha Beta"})

    assert name in archive.unfinished()
    assert archive.notes(name) == {"order": "Alpha Beta"}
    archive.discard(name)
    assert name not in archive.unfinished()
    rules = deployed.client("events").list_rules(EventBusName=bus)["Rules"]
    assert not [rule for rule in rules if name in rule["Name"]]


def test_events_that_were_not_removed_are_there_when_the_replay_is_resumed(
    deployed: Environment, archive: EventBridgeArchive
) -> None:
    mark, name = _publish(deployed, *["Alpha"] * 12), _name()
    archive.start(name, *_window(), {"Alpha"}, {})
    batch = next(iter(archive.take(name)))
    archive.remove(name, batch)
    removed = sum(mark in one.body for one in batch)

    later = _archive(deployed)

    assert _replayed(later, name, mark) == {"Alpha": 12 - removed}
    later.discard(name)


def test_discarding_twice_or_an_unknown_replay_is_no_error(archive: EventBridgeArchive) -> None:
    name = _name()
    archive.start(name, *_window(), {"Alpha"}, {})

    archive.discard(name)
    archive.discard(name)
    archive.discard("never-was")


def test_an_unknown_replay_has_no_notes(archive: EventBridgeArchive) -> None:
    with pytest.raises(ToolError, match="unfinished replay 'nothing' not found"):
        archive.notes("nothing")


def test_the_archive_counts_its_events(deployed: Environment, archive: EventBridgeArchive) -> None:
    before = archive.contents().events or 0

    _publish(deployed, "Alpha", "Beta")

    assert archive.contents().events == before + 2


def test_an_environment_without_an_archive_says_so(deployed: Environment) -> None:
    elsewhere = EventBridgeArchive(
        deployed.client("events"), deployed.client("sqs"), Names("nowhere"), Clock(), settling=0
    )

    with pytest.raises(ToolError, match="archive nowhere-pulsequeue not found; deploy"):
        elsewhere.contents()

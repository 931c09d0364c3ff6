"""Races in the archive adapter."""

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from scripts.common.clock import Clock
from scripts.environment.topology import Names
from scripts.ops.replay.event_archive import EventBridgeArchive


class _GoneError(Exception):
    pass


class _Events:
    """Refuses to cancel; the replay has ended by the next description, or still runs."""

    def __init__(self, *states: str) -> None:
        self._states = list(states)
        self.exceptions = type("Exceptions", (), {"ResourceNotFoundException": _GoneError})

    def describe_replay(self, *, ReplayName: str) -> dict[str, object]:  # noqa: N803 - AWS's own spelling
        return {"ReplayName": ReplayName, "State": self._states.pop(0)}

    def cancel_replay(self, *, ReplayName: str) -> None:  # noqa: N803 - AWS's own spelling
        error: Any = {"Code": "IllegalStatusException", "Message": f"{ReplayName} cannot be cancelled"}
        raise ClientError({"Error": error}, "CancelReplay")

    def remove_targets(self, **_: object) -> None:
        raise _GoneError


class _Sqs:
    def __init__(self) -> None:
        self.exceptions = type("Exceptions", (), {"QueueDoesNotExist": _GoneError})

    def get_queue_url(self, **_: object) -> dict[str, str]:
        raise _GoneError

    def delete_queue(self, **_: object) -> None:
        raise AssertionError("there is no queue to delete")


def _archive(*states: str) -> EventBridgeArchive:
    clients = cast("Any", _Events(*states)), cast("Any", _Sqs())
    return EventBridgeArchive(*clients, Names("local"), Clock(), settling=0)


def test_a_replay_that_ends_while_it_is_discarded_is_no_error() -> None:
    _archive("RUNNING", "COMPLETED").discard("run-1")


def test_a_replay_that_cannot_be_cancelled_is_an_error() -> None:
    with pytest.raises(ClientError):
        _archive("RUNNING", "RUNNING").discard("run-1")

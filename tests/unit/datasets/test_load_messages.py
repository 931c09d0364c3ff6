"""Notifications of S3 and messages of ours: each names a load; what cannot be read is put aside."""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote_plus

import pytest

from services.datasets.load_messages import LoadMessages, message
from services.datasets.records import LoadKey
from services.datasets.s3_files import load_of, object_key
from services.shared.errors import StoreUnavailableError
from services.shared.messages import Poison
from tests.support.fakes import RecordingTelemetry

KEY = LoadKey("acme & co", "ds_1", 3)


class Dlq:
    def __init__(self) -> None:
        self.sent: list[Poison] = []

    def send(self, messages: Sequence[Poison]) -> list[str]:
        self.sent += messages
        return []


class Inbox:
    def __init__(self, failure: Exception | None = None) -> None:
        self.handled: list[LoadKey] = []
        self.away: dict[str, int] = {}
        self.dlq = Dlq()
        self.failure = failure
        self._messages = LoadMessages(
            self._handle, load_of, self._postpone, self.dlq, RecordingTelemetry(), consumer="dataset-ingest"
        )

    def receive(self, *bodies: str) -> list[str]:
        records = [
            {"messageId": f"m{at}", "receiptHandle": f"r{at}", "body": body} for at, body in enumerate(bodies)
        ]
        return [
            it["itemIdentifier"] for it in self._messages.receive({"Records": records})["batchItemFailures"]
        ]

    def _handle(self, key: LoadKey) -> None:
        if self.failure:
            raise self.failure
        self.handled.append(key)

    def _postpone(self, seconds: Mapping[str, int]) -> int:
        self.away |= seconds
        return 0


def _notification(*keys: str) -> str:
    records = [{"eventSource": "aws:s3", "s3": {"object": {"key": quote_plus(key)}}} for key in keys]
    return json.dumps({"Records": records})


def test_an_upload_and_a_confirmation_name_their_load() -> None:
    inbox = Inbox()

    assert inbox.receive(_notification(object_key(KEY)), message(KEY)) == []

    assert inbox.handled == [KEY, KEY]


def test_the_test_of_a_new_notification_is_ignored() -> None:
    inbox = Inbox()

    assert inbox.receive(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})) == []

    assert (inbox.handled, inbox.dlq.sent) == ([], [])


@pytest.mark.parametrize(
    "body", ["", "no JSON", "[]", "{}", '{"Records": [{}]}', '{"tenantId": "a"}', _notification("other.csv")]
)
def test_what_cannot_be_read_goes_to_the_dead_letter_queue(body: str) -> None:
    inbox = Inbox()

    assert inbox.receive(body) == []

    assert [(it.body, it.reason) for it in inbox.dlq.sent] == [(body, "invalid_message")]


@pytest.mark.parametrize("failure", [StoreUnavailableError("down"), ValueError("a bug")])
def test_a_load_that_fails_returns_within_seconds(failure: Exception) -> None:
    inbox = Inbox(failure)

    assert inbox.receive(message(KEY)) == ["m0"]

    assert inbox.away == {"r0": 10}
    assert inbox.dlq.sent == []

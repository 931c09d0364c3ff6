"""Work queues and dead-letter queues against SQS: reading loses no message and misses none."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from scripts.ops.dlq.messages import DeadLetter, SqsDeadLetterQueue
from scripts.ops.dlq.work_queues import SqsWorkQueue
from services.shared.adapters.sqs_batch import SqsPoisonQueue
from services.shared.messages import Poison
from tests.conftest import RunningEmulator
from tests.support.polling import wait_until

pytestmark = pytest.mark.emulator


@dataclass
class Queues:
    emulator: RunningEmulator
    work_url: str
    dead_url: str

    def __post_init__(self) -> None:
        self.sqs = self.emulator.clients.client("sqs")
        self.work = SqsWorkQueue(self.sqs, self.work_url)
        self.dead = SqsDeadLetterQueue(self.sqs, function="order", url=self.dead_url, work_queue=self.work)

    def send(self, *bodies: str, reason: str = "invalid_event") -> None:
        """Move messages to the DLQ as the consumer does."""
        consumer_dlq = SqsPoisonQueue(self.sqs, queue_url=self.dead_url, consumer="order")
        assert not consumer_dlq.send([Poison(body, body, reason, "why") for body in bodies])

    def waiting(self, url: str) -> list[str]:
        messages = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return sorted(message["Body"] for message in messages.get("Messages", []))


@pytest.fixture
def queues(emulator: RunningEmulator) -> Queues:
    sqs, name = emulator.clients.client("sqs"), uuid4().hex

    work = sqs.create_queue(QueueName=f"{name}-work", Attributes={"DelaySeconds": "900"})["QueueUrl"]
    return Queues(emulator, work, sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"])


def _taken(queues: Queues, **options: int) -> list[DeadLetter]:
    return [dead_letter for batch in queues.dead.take(**options) for dead_letter in batch]


# --- the work queue ----------------------------------------------------------------------------------


def test_a_message_past_the_bus_is_not_delayed(queues: Queues) -> None:
    assert not queues.work.send(["now"])

    assert queues.waiting(queues.work_url) == ["now"]


def test_a_message_as_from_the_bus_has_the_delay_of_the_queue(queues: Queues) -> None:
    queues.work.send(["later"], as_from_the_bus=True)

    assert queues.waiting(queues.work_url) == []
    attributes = queues.sqs.get_queue_attributes(
        QueueUrl=queues.work_url, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    assert attributes["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "1"


def test_many_messages_are_sent_in_several_calls(queues: Queues) -> None:
    bodies = [f"{number}" * 20_000 for number in range(10, 35)]

    assert not queues.work.send(bodies)

    received = [dead_letter.body for dead_letter in _all_of(queues, queues.work_url)]
    assert sorted(received) == sorted(bodies)


def _all_of(queues: Queues, url: str) -> list[DeadLetter]:
    reader = SqsDeadLetterQueue(queues.sqs, function="order", url=url, work_queue=queues.work)
    return [dead_letter for batch in reader.take() for dead_letter in batch]


# --- dead messages ------------------------------------------------------------------------------------


def test_a_dead_letter_has_its_reason_and_its_subject(queues: Queues) -> None:
    body = json.dumps({"detail-type": "OrderPlaced", "detail": {"orderId": "o-1"}})
    queues.send(body, reason="invalid_event")

    (dead_letter,) = _taken(queues)

    assert (dead_letter.reason, dead_letter.detail, dead_letter.consumer) == ("invalid_event", "why", "order")
    assert (dead_letter.event, dead_letter.order_id, dead_letter.tenant_id) == (
        "OrderPlaced",
        "o-1",
        "default",
    )
    assert dead_letter.body == body
    assert dead_letter.receives == 1


def test_every_message_is_taken_once_and_visible_again_when_put_back(queues: Queues) -> None:
    bodies = [f"message {number}" for number in range(35)]
    for start in range(0, 35, 10):
        queues.send(*bodies[start : start + 10])

    first = _taken(queues)
    queues.dead.put_back(first)
    second = _taken(queues)

    assert sorted(dead_letter.body for dead_letter in first) == sorted(bodies)
    assert sorted(dead_letter.body for dead_letter in second) == sorted(bodies)


class ScriptedSqs:
    """Returns messages in a given order, as a queue whose first messages become visible again early."""

    def __init__(self, *batches: str) -> None:
        self._batches = [batch.split() for batch in batches]
        self._received = 0
        self.put_back: list[str] = []

    def receive_message(self, **_request: object) -> dict[str, Any]:
        self._received += 1
        return {
            "Messages": [
                {"MessageId": name, "ReceiptHandle": f"{name} at {self._received}", "Body": name}
                for name in (self._batches.pop(0) if self._batches else ())
            ]
        }

    def change_message_visibility_batch(self, **request: Any) -> None:  # noqa: ANN401 - what SQS takes
        self.put_back += [entry["ReceiptHandle"] for entry in request["Entries"]]


def _scripted(queues: Queues, *batches: str) -> tuple[ScriptedSqs, list[list[str]]]:
    sqs = ScriptedSqs(*batches)
    client: Any = sqs
    reader = SqsDeadLetterQueue(client, function="order", url="", work_queue=queues.work)
    return sqs, [[dead_letter.message_id for dead_letter in batch] for batch in reader.take()]


def test_messages_that_reappear_early_do_not_end_the_reading(
    queues: Queues,
) -> None:
    sqs, taken = _scripted(queues, "a b", "c d", "a b", "c e", "f")

    assert taken == [["a", "b"], ["c", "d"], ["e"], ["f"]]
    assert sqs.put_back == ["a at 3", "b at 3", "c at 4"]


def test_a_queue_that_repeats_its_messages_is_read_once(queues: Queues) -> None:
    _, taken = _scripted(queues, *["a b", "c d"] * 1_000)

    assert taken == [["a", "b"], ["c", "d"]]


def test_taken_messages_are_hidden_until_their_time_is_over(queues: Queues) -> None:
    queues.send("message")

    _taken(queues, held_seconds=2)

    assert queues.waiting(queues.dead_url) == []
    wait_until(lambda: queues.waiting(queues.dead_url) == ["message"], "the message is visible")


def test_a_redriven_message_has_no_reason(queues: Queues) -> None:
    queues.send("message")
    messages = _taken(queues)

    assert not queues.dead.resend(messages)
    assert not queues.dead.delete(messages)

    (message,) = queues.sqs.receive_message(QueueUrl=queues.work_url, MessageAttributeNames=["All"])[
        "Messages"
    ]
    assert (message["Body"], message.get("MessageAttributes")) == ("message", None)
    assert queues.waiting(queues.dead_url) == []


def test_putting_back_a_deleted_message_is_no_error(queues: Queues) -> None:
    queues.send("message")
    messages = _taken(queues)
    queues.dead.delete(messages)

    queues.dead.put_back(messages)

    assert queues.waiting(queues.dead_url) == []

"""A batch that came full is filled up from its queue; what was handled of it is deleted there."""

from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from services.shared.adapters.sqs_backlog import SqsBacklog
from services.shared.adapters.sqs_batch import Inbox
from services.shared.events import OrderPlaced
from services.shared.log_events import LogEvent
from services.shared.messages import Delivery
from tests.support.builders import envelope, placed_detail
from tests.support.fakes import RecordingPoisonQueue, RecordingTelemetry

BATCH = 99


class Queue:
    """A queue, and a function that Lambda hands its messages, ten at most."""

    def __init__(self) -> None:
        self.client: Any = boto3.client("sqs", region_name="us-east-1")
        self.url = self.client.create_queue(QueueName="order")["QueueUrl"]
        self.telemetry = RecordingTelemetry()
        self.calls: list[tuple[str, int]] = []
        self.fails: dict[str, Exception] = {}
        self.handled: list[Delivery] = []
        self.all_fail = False

    def receive_message(self, **parameters: Any) -> Any:  # noqa: ANN401 - boto3's
        self.calls.append(("receive", parameters["MaxNumberOfMessages"]))
        self._fail("receive")
        return self.client.receive_message(**parameters)

    def delete_message_batch(self, **parameters: Any) -> Any:  # noqa: ANN401 - boto3's
        self.calls.append(("delete", len(parameters["Entries"])))
        self._fail("delete")
        return self.client.delete_message_batch(**parameters)

    def _fail(self, call: str) -> None:
        if error := self.fails.pop(call, None):
            raise error

    def send(self, count: int) -> None:
        entries = [
            {"Id": str(number), "MessageBody": envelope(placed_detail(orderId=f"order-{number}"))}
            for number in range(count)
        ]
        for start in range(0, count, 10):
            self.client.send_message_batch(QueueUrl=self.url, Entries=entries[start : start + 10])

    def invoke(self) -> list[str]:
        """Run once as Lambda does; returns the messages handed back to it."""
        received = self.client.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["ApproximateReceiveCount"]
        )["Messages"]
        records = [
            {
                "messageId": it["MessageId"],
                "body": it["Body"],
                "receiptHandle": it["ReceiptHandle"],
                "attributes": it["Attributes"],
            }
            for it in received
        ]
        client: Any = self
        backlog = SqsBacklog(client, self.telemetry, queue_url=self.url, batch_size=BATCH)
        inbox = Inbox(
            "order", [OrderPlaced], self._handle, RecordingPoisonQueue(), self.telemetry, backlog=backlog
        )
        failed = {it["itemIdentifier"] for it in inbox.receive({"Records": records})["batchItemFailures"]}
        for record in records:
            if record["messageId"] not in failed:
                self.client.delete_message(QueueUrl=self.url, ReceiptHandle=record["receiptHandle"])
        return sorted(failed)

    def _handle(self, deliveries: Sequence[Delivery]) -> set[str]:
        self.handled += deliveries
        return {it.message_id for it in deliveries} if self.all_fail else set()

    @property
    def left(self) -> int:
        """Messages in the queue, waiting or received."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, attributes.values()))


@pytest.fixture
def queue() -> Iterator[Queue]:
    with mock_aws():
        yield Queue()


@pytest.mark.parametrize(
    ("waiting", "handled", "received"),
    [
        (9, 9, []),
        (10, 10, [10]),
        (14, 14, [10]),
        (35, 35, [10, 10, 10, 10, 10, 10, 10, 10, 9]),
        (120, 99, [10, 10, 10, 10, 10, 10, 10, 10, 9]),
    ],
)
def test_a_full_batch_is_filled_up_to_the_batch_size(
    queue: Queue, waiting: int, handled: int, received: list[int]
) -> None:
    queue.send(waiting)

    assert queue.invoke() == []

    assert len({it.message_id for it in queue.handled}) == handled
    assert [count for call, count in queue.calls if call == "receive"] == received
    assert queue.left == waiting - handled


def test_what_failed_stays_in_the_queue_and_only_what_lambda_handed_over_is_answered(queue: Queue) -> None:
    queue.send(30)
    queue.all_fail = True

    assert len(queue.invoke()) == 10

    assert len(queue.handled) == 30
    assert queue.left == 30


@pytest.mark.parametrize(
    ("error", "unforeseen"),
    [
        (ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "ReceiveMessage"), 0),
        (RuntimeError("unforeseen"), 1),
    ],
)
def test_a_receive_that_fails_takes_nothing_away_from_the_others(
    queue: Queue, error: Exception, unforeseen: int
) -> None:
    queue.send(40)
    queue.fails["receive"] = error

    queue.invoke()

    assert len(queue.handled) == 10
    assert queue.left == 30
    assert LogEvent.BACKLOG_FAILED in [it[0] for it in queue.telemetry.lines]
    assert len(queue.telemetry.errors) == unforeseen


def test_what_cannot_be_deleted_is_logged_and_comes_again(queue: Queue) -> None:
    queue.send(20)
    queue.fails["delete"] = ClientError(
        {"Error": {"Code": "ServiceUnavailable", "Message": "later"}}, "DeleteMessageBatch"
    )

    assert queue.invoke() == []

    assert len(queue.handled) == 20
    assert queue.left == 10
    assert LogEvent.DELETION_FAILED in [it[0] for it in queue.telemetry.lines]

"""Events that came too early are sent to their queue again, as late as SQS allows."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from services.shared.adapters.sqs_delayed import SqsDelayedQueue
from services.shared.events import PaymentRequested
from services.shared.ledger import Key
from services.shared.messages import detail_of
from tests.support.builders import a_key, no_waiting, payment_request

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class RecordingSqs:
    """Refuses as many entries, or calls, as it is told to."""

    def __init__(self, *, refused: int = 0, error: str | None = None) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self._refused = refused
        self._error = error

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.batches.append(Entries)
        if self._error:
            raise ClientError({"Error": {"Code": self._error}}, QueueUrl)
        refused, self._refused = Entries[: self._refused], 0
        return {"Failed": [{"Id": entry["Id"]} for entry in refused]}

    def delays(self) -> list[int]:
        return [entry["DelaySeconds"] for batch in self.batches for entry in batch]


def queue(client: RecordingSqs, *, attempts: int = 2) -> SqsDelayedQueue:
    return SqsDelayedQueue(
        cast("SQSClient", client),
        queue_url="expiry",
        source="pulsequeue.order",
        waits=no_waiting(attempts),
    )


def events(count: int, delay: timedelta) -> dict[Key, tuple[PaymentRequested, timedelta]]:
    return {a_key(f"order-{n}"): (payment_request(f"order-{n}"), delay) for n in range(count)}


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        (timedelta(days=3), 900),
        (timedelta(seconds=900), 900),
        (timedelta(seconds=61, milliseconds=1), 62),
        (timedelta(milliseconds=1), 1),
    ],
)
def test_a_message_comes_no_earlier_than_due_unless_the_queue_cannot_wait(
    delay: timedelta, seconds: int
) -> None:
    client = RecordingSqs()

    assert queue(client).send(events(1, delay)) == []
    assert client.delays() == [seconds]


def test_ten_messages_go_into_one_call() -> None:
    client = RecordingSqs()

    queue(client).send(events(23, timedelta(days=1)))

    assert [len(batch) for batch in client.batches] == [10, 10, 3]


def test_what_the_queue_refuses_is_sent_once_more() -> None:
    client = RecordingSqs(refused=1)

    assert queue(client).send(events(3, timedelta(days=1))) == []
    assert [len(batch) for batch in client.batches] == [3, 1]


def test_what_is_refused_to_the_end_is_named() -> None:
    client = RecordingSqs(error="ThrottlingException")

    assert queue(client, attempts=1).send(events(2, timedelta(days=1))) == [
        a_key("order-0"),
        a_key("order-1"),
    ]
    assert len(client.batches) == 2


def test_an_error_that_no_attempt_will_mend_is_raised() -> None:
    with pytest.raises(ClientError):
        queue(RecordingSqs(error="AccessDenied")).send(events(1, timedelta(days=1)))


@pytest.fixture
def sqs() -> Iterator["SQSClient"]:
    with mock_aws():
        yield boto3.client("sqs", region_name="eu-central-1")


def test_the_message_is_read_like_one_of_the_bus(sqs: "SQSClient") -> None:
    url = sqs.create_queue(QueueName="expiry")["QueueUrl"]
    sent = payment_request()

    failed = SqsDelayedQueue(sqs, queue_url=url, source="pulsequeue.order").send(
        {a_key("order-1"): (sent, timedelta())}
    )

    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    envelope = json.loads(message["Body"])
    assert failed == []
    assert (envelope["detail-type"], envelope["source"]) == ("PaymentRequested", "pulsequeue.order")
    assert PaymentRequested.model_validate(detail_of(envelope)) == sent

"""Messages that failed are handed back with a delay of seconds."""

import json
from collections.abc import Mapping

import boto3
import pytest
from moto import mock_aws

from services.shared.adapters.sqs_batch import Inbox, SqsRedelivery
from services.shared.events import OrderPlaced
from services.shared.log_events import LogEvent
from tests.support.builders import envelope, placed_detail, sqs_event
from tests.support.fakes import RecordingPoisonQueue, RecordingTelemetry

GOOD = envelope(placed_detail())


class RecordingRedelivery:
    def __init__(self, *, fails: int = 0, error: Exception | None = None) -> None:
        self.delayed: list[dict[str, int]] = []
        self._fails = fails
        self._error = error

    def delay(self, receives: Mapping[str, int]) -> int:
        if self._error:
            raise self._error
        self.delayed.append(dict(receives))
        return self._fails


def answer(redelivery: RecordingRedelivery, telemetry: RecordingTelemetry) -> list[str]:
    """Handle two messages received for the third time, of which the second fails."""
    inbox = Inbox(
        "order",
        [OrderPlaced],
        lambda deliveries: [deliveries[1].message_id],
        RecordingPoisonQueue(),
        telemetry,
        redelivery=redelivery,
    )
    response = inbox.receive(sqs_event(GOOD, GOOD, receives=3))
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def test_only_what_failed_is_delayed_by_its_number_of_receives() -> None:
    redelivery = RecordingRedelivery()

    assert answer(redelivery, RecordingTelemetry()) == ["m1"]
    assert redelivery.delayed == [{"receipt-m1": 3}]


def test_a_delay_that_cannot_be_set_is_logged_and_the_answer_stands() -> None:
    telemetry = RecordingTelemetry()

    assert answer(RecordingRedelivery(fails=1), telemetry) == ["m1"]
    assert (LogEvent.REDELIVERY_FAILED, None, {"messages": 1}) in telemetry.lines


def test_an_unforeseen_error_while_delaying_hands_back_nothing_that_was_done() -> None:
    telemetry, error = RecordingTelemetry(), PermissionError("no")

    assert answer(RecordingRedelivery(error=error), telemetry) == ["m1"]
    assert telemetry.errors == [error]


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")


@pytest.mark.usefixtures("credentials")
def test_the_queue_hides_a_message_as_long_as_it_is_told() -> None:
    with mock_aws():
        sqs = boto3.client("sqs", region_name="us-east-1")
        url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
        for n in range(12):
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(n))
        messages = [
            message
            for _ in range(3)
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        ]
        redelivery = SqsRedelivery(sqs, queue_url=url, delay={1: 0, 5: None}.get)

        failed = redelivery.delay(
            {message["ReceiptHandle"]: 1 if n < 11 else 5 for n, message in enumerate(messages)}
        )

        visible = sum(
            len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []))
            for _ in range(2)
        )
        assert (len(messages), failed, visible) == (12, 0, 11)


@pytest.mark.usefixtures("credentials")
def test_a_receipt_that_is_no_longer_valid_is_a_delay_that_failed() -> None:
    with mock_aws():
        sqs = boto3.client("sqs", region_name="us-east-1")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]

        assert SqsRedelivery(sqs, queue_url=url).delay({"gone": 1}) == 1

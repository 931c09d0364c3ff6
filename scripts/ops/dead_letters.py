"""A dead-letter queue, read without taking anything out of it, and emptied only on request."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from scripts.ops.letters import Letter, letter_of
from scripts.ops.work_queues import WorkQueue
from services.shared.aws import in_batches

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_HELD_SECONDS = 120
"""Longer than a batch takes to be worked on, short enough when this process dies with messages in hand."""
_OVERHEAD = 500


class DeadLetterQueue(Protocol):
    @property
    def function(self) -> str: ...

    def take(self) -> Iterator[list[Letter]]:
        """Receive every message once, in batches; each stays hidden from others for a while."""

    def put_back(self, letters: Sequence[Letter]) -> None:
        """Let others see these messages again, now."""

    def resend(self, letters: Sequence[Letter]) -> Sequence[Letter]:
        """Send copies to the function's queue, to be delivered at once; returns those it did not take."""

    def delete(self, letters: Sequence[Letter]) -> Sequence[Letter]:
        """Remove messages; returns those that could not be."""


class SqsDeadLetterQueue:
    def __init__(self, client: "SQSClient", *, function: str, url: str, work_queue: WorkQueue) -> None:
        self.function = function
        self._client = client
        self._url = url
        self._work_queue = work_queue

    def take(self) -> Iterator[list[Letter]]:
        seen: set[str] = set()
        # Asking all of SQS's hosts needs a long poll; an empty answer to a short one proves nothing.
        while messages := self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_HELD_SECONDS,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", []):
            letters = [letter_of(self.function, message) for message in messages]
            new = [letter for letter in letters if letter.message_id not in seen]
            if not new:
                # What was held came back before we were done: everything has been seen once.
                self.put_back(letters)
                return
            seen |= {letter.message_id for letter in new}
            yield new

    def put_back(self, letters: Sequence[Letter]) -> None:
        for batch in in_batches(letters, lambda _: _OVERHEAD):
            self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
                    for index, letter in enumerate(batch)
                ],
            )

    def resend(self, letters: Sequence[Letter]) -> Sequence[Letter]:
        refused = self._work_queue.send([letter.body for letter in letters])
        return [letters[index] for index in sorted(refused)]

    def delete(self, letters: Sequence[Letter]) -> Sequence[Letter]:
        failed: list[Letter] = []
        for batch in in_batches(letters, lambda _: _OVERHEAD):
            response = self._client.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": letter.receipt} for index, letter in enumerate(batch)
                ],
            )
            failed += [batch[int(entry["Id"])] for entry in response.get("Failed", [])]
        return failed

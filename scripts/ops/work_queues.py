"""The queue in front of a function, for messages that skip the bus."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

from services.shared.aws import in_batches

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_OVERHEAD = 500


class WorkQueue(Protocol):
    def send(self, bodies: Sequence[str]) -> Collection[int]:
        """Send messages to be delivered at once; returns the positions of those not taken."""


class SqsWorkQueue:
    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, bodies: Sequence[str]) -> Collection[int]:
        refused: list[int] = []
        for batch in in_batches(enumerate(bodies), lambda pair: len(pair[1].encode()) + _OVERHEAD):
            # No attributes: should the message die again, the reason must be the new one. No delay: that
            # of the queue is for what comes from the bus.
            response = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(position), "MessageBody": body, "DelaySeconds": 0} for position, body in batch
                ],
            )
            refused += [int(entry["Id"]) for entry in response.get("Failed", [])]
        return refused

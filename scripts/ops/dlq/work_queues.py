"""The queue in front of a function, for messages that skip the bus."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

from services.shared.adapters.clients import in_batches

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_OVERHEAD = 500


class WorkQueue(Protocol):
    def send(self, bodies: Sequence[str], *, as_from_the_bus: bool = False) -> Collection[int]:
        """Send messages without delay, or with the delay of messages from the bus.

        Returns the positions of those that were refused.
        """


class SqsWorkQueue:
    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, bodies: Sequence[str], *, as_from_the_bus: bool = False) -> Collection[int]:
        refused: list[int] = []
        for batch in in_batches(enumerate(bodies), lambda pair: len(pair[1].encode()) + _OVERHEAD):
            # No attributes: if the message fails again, it must carry the new reason.
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": str(position), "MessageBody": body} for position, body in batch
            ]
            if not as_from_the_bus:
                # The default delay of the queue is for messages from the bus.
                entries = [{**entry, "DelaySeconds": 0} for entry in entries]
            response = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            refused += [int(entry["Id"]) for entry in response.get("Failed", [])]
        return refused

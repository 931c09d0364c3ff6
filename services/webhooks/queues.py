"""The queues between fan-out and delivery: messages of ours, one for one endpoint each."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from services.shared.adapters.clients import in_batches, is_transient
from services.webhooks.model import Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class MessageQueue(Protocol):
    def send(self, messages: Sequence[Message], *, delay: int = 0) -> Collection[int]:
        """Queue messages; returns the indexes of those that were not accepted."""


class SqsMessageQueue:
    def __init__(self, client: "SQSClient", queue_name: str) -> None:
        self._client = client
        self._queue_name = queue_name
        self._url: str | None = None

    def send(self, messages: Sequence[Message], *, delay: int = 0) -> Collection[int]:
        entries = [(index, it.endpoint_id, it.model_dump_json()) for index, it in enumerate(messages)]
        failed: list[int] = []
        for batch in in_batches(entries, lambda it: len(it[2].encode())):
            failed += self._send(batch, delay)
        return failed

    def _send(self, batch: Sequence[tuple[int, str, str]], delay: int) -> list[int]:
        try:
            response = self._client.send_message_batch(
                QueueUrl=self._queue_url(),
                Entries=[
                    # The group makes the queue fair: one endpoint's many messages do not stop another's few.
                    {
                        "Id": str(index),
                        "MessageBody": body,
                        "DelaySeconds": delay,
                        "MessageGroupId": endpoint_id,
                    }
                    for index, endpoint_id, body in batch
                ],
            )
        except (ClientError, BotoCoreError) as error:
            if is_transient(error):
                return [index for index, *_ in batch]
            raise
        return [int(it["Id"]) for it in response.get("Failed", ())]

    def _queue_url(self) -> str:
        if self._url is None:
            self._url = self._client.get_queue_url(QueueName=self._queue_name)["QueueUrl"]
        return self._url

"""Fills a batch up from the consumer's queue.

Without a batch window, which a lone message would have to wait out, Lambda hands over at most 10 messages. So
a batch that came full is a sign of a backlog: the function then receives more itself, and its batches grow
with the load.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from services.shared.adapters.clients import in_batches, is_transient
from services.shared.log_events import LogEvent
from services.shared.messages import RECEIVED_AT_ONCE, Message
from services.shared.telemetry import Telemetry

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


class SqsBacklog:
    def __init__(  # noqa: PLR0913 - its ports and limits
        self,
        client: "SQSClient",
        telemetry: Telemetry,
        *,
        queue_url: str,
        batch_size: int,
        at_once: int = RECEIVED_AT_ONCE,
        run: Callable[..., Iterable[Any]] = map,
    ) -> None:
        self._client = client
        self._telemetry = telemetry
        self._queue_url = queue_url
        self._batch_size = batch_size
        self._at_once = at_once
        self._run = run

    def take(self, received: int) -> Sequence[Message]:
        left = self._batch_size - received
        if received < self._at_once or left <= 0:
            return []
        first = self._receive(min(left, self._at_once))
        if len(first) < self._at_once:
            return first
        counts = [min(self._at_once, left - taken) for taken in range(self._at_once, left, self._at_once)]
        return [*first, *chain.from_iterable(self._run(self._receive, counts))]

    def delete(self, messages: Sequence[Message]) -> None:
        for _ in self._run(self._delete, list(in_batches(messages, lambda _: 0))):
            pass

    def _receive(self, count: int) -> Sequence[Message]:
        try:
            response = self._client.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=count,
                WaitTimeSeconds=0,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
        except Exception as error:  # noqa: BLE001 - the boundary: what was received can be handled all the same
            if _passes(error):
                self._telemetry.warning(LogEvent.BACKLOG_FAILED, why=str(error))
            else:
                self._telemetry.error(LogEvent.BACKLOG_FAILED, error)
            return []
        return [_message(it) for it in response.get("Messages", ())]

    def _delete(self, batch: Sequence[Message]) -> None:
        try:
            response = self._client.delete_message_batch(
                QueueUrl=self._queue_url,
                Entries=[{"Id": str(index), "ReceiptHandle": it.receipt} for index, it in enumerate(batch)],
            )
        except Exception as error:  # noqa: BLE001 - the boundary: what was done must not be handed back
            if _passes(error):
                self._telemetry.warning(LogEvent.DELETION_FAILED, why=str(error))
            else:
                self._telemetry.error(LogEvent.DELETION_FAILED, error)
            return
        if failed := len(response.get("Failed", ())):
            self._telemetry.warning(LogEvent.DELETION_FAILED, messages=failed)


def _passes(error: Exception) -> bool:
    return isinstance(error, (ClientError, BotoCoreError)) and is_transient(error)


def _message(received: "MessageTypeDef") -> Message:
    receives = int(received["Attributes"]["ApproximateReceiveCount"])
    return Message(received["MessageId"], received["Body"], received["ReceiptHandle"], receives)

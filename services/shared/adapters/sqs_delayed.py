"""The consumer's own queue, for events that came too early: sent again, they come later."""

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from services.shared.adapters.clients import in_batches, is_transient
from services.shared.backoff import Waits, jittered
from services.shared.events import Event, rfc3339
from services.shared.ledger import Key

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

LONGEST_DELAY: Final = timedelta(minutes=15)
"""The longest that SQS delays a message; what is due later comes early, and is sent again."""
_WAITS: Final = jittered(4)
_Sized = tuple[Key, str, int]


class SqsDelayedQueue:
    def __init__(
        self,
        client: "SQSClient",
        *,
        queue_url: str,
        source: str,
        longest: timedelta = LONGEST_DELAY,
        waits: Waits = _WAITS,
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._source = source
        self._longest = longest
        self._waits = waits

    def send(self, events: Mapping[Key, tuple[Event, timedelta]]) -> Collection[Key]:
        left: list[_Sized] = [
            (key, self._envelope(event), math.ceil(min(delay, self._longest).total_seconds()))
            for key, (event, delay) in events.items()
        ]
        for _ in _attempts(self._waits):
            left = [one for batch in in_batches(left, _size) for one in self._send(batch)]
            if not left:
                break
        return [key for key, _, _ in left]

    def _send(self, batch: Sequence[_Sized]) -> list[_Sized]:
        """Send up to ten messages; returns those that the queue did not accept."""
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(index), "MessageBody": body, "DelaySeconds": seconds}
            for index, (_, body, seconds) in enumerate(batch)
        ]
        try:
            response = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            if is_transient(error):
                return list(batch)
            raise
        return [batch[int(failure["Id"])] for failure in response.get("Failed", [])]

    def _envelope(self, event: Event) -> str:
        """Wrap an event as the bus does: its next reader cannot tell where it came from."""
        return json.dumps(
            {
                "version": "0",
                "id": event.event_id,
                "detail-type": event.detail_type(),
                "source": self._source,
                "time": rfc3339(event.occurred_at),
                "detail": json.loads(event.wire()),
            }
        )


def _size(message: _Sized) -> int:
    return len(message[1].encode())


def _attempts(waits: Waits) -> Iterator[bool]:
    yield True
    yield from waits()

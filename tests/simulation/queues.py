"""Queues like those of SQS: at least once, in any order, with time-outs, counts of receives, dead letters."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tests.simulation.faults import Fault
from tests.simulation.network import Network, refusal
from tests.simulation.story import label

MAX_RECEIVES = 5
LONGEST_DELAY = 900
"""Seconds, of SQS."""


@dataclass(slots=True)
class Message:
    id: str
    body: str
    about: tuple[str, ...]
    visible_at: float
    receives: int = 0

    @property
    def receipt(self) -> str:
        return f"{self.id}/{self.receives}"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message set aside: by the consumer with a reason, or by the queue, which gives none."""

    body: str
    about: tuple[str, ...]
    reason: str | None = None


class Queue:
    def __init__(self, name: str, visibility: float, network: Network) -> None:
        self.name = name
        self.delay = 0.0
        self.messages: dict[str, Message] = {}
        self.dead: list[DeadLetter] = []
        self.on_visible: Callable[[], None] = lambda: None
        self._visibility = visibility
        self._scheduler = network.scheduler
        self._network = network
        self._story = network.story
        self._sent = 0

    def send(self, body: str, after: float | None = None) -> None:
        self._sent += 1
        wait = self.delay if after is None else after
        message = Message(f"{self.name}:{self._sent}", body, about(body), self._scheduler.now + wait)
        self.messages[message.id] = message
        self._show(wait)

    def receive(self, most: int) -> list[Message]:
        """Hand out what is visible, in no particular order, and hide it for a while."""
        now = self._scheduler.now
        visible = [message for message in self.messages.values() if message.visible_at <= now]
        self._network.random.shuffle(visible)
        batch = []
        for message in visible[:most]:
            message.receives += 1
            if message.receives > MAX_RECEIVES:
                del self.messages[message.id]
                self.dead.append(DeadLetter(message.body, message.about))
                self._story.info(f"{message.id} goes to the dead letters of {self.name}", message.about)
                continue
            hidden = self._visibility
            rare = self._network.random.random() < 0.25
            if rare and self._network.strikes(Fault.HANDED_OUT_TWICE, message.id, message.about):
                hidden = self._network.random.uniform(0, 0.3)
            message.visible_at = now + hidden
            self._show(hidden)
            batch.append(message)
        return batch

    def delay_message(self, receipt: str, seconds: float) -> None:
        """Hide a message from now on for some time; an old receipt has no effect."""
        message = self.messages.get(_message_id(receipt))
        if message is not None and message.receipt == receipt:
            message.visible_at = self._scheduler.now + seconds
            self._show(seconds)

    def delete(self, message_ids: Collection[str]) -> None:
        for message_id in message_ids:
            self.messages.pop(message_id, None)

    def redrive(self, dead_letters: Sequence[DeadLetter]) -> None:
        for dead_letter in dead_letters:
            self.dead.remove(dead_letter)
            self.send(dead_letter.body, 0)

    def _show(self, after: float) -> None:
        # What comes together is handed out together: the batching window of the event source.
        self._scheduler.after(after + self._network.random.uniform(0, 0.5), self.on_visible)


def _message_id(receipt: str) -> str:
    return receipt.rpartition("/")[0]


@lru_cache(maxsize=10_000)
def about(body: str) -> tuple[str, ...]:
    """Name the order a message is about, if it can be told."""
    try:
        detail = json.loads(body)["detail"]
        return (label(str(detail.get("tenantId", "default")), str(detail["orderId"])),)
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()


class SQSClient:
    """What the inbox fills its batch up from, and buries poison with."""

    def __init__(self, queues: dict[str, Queue], network: Network) -> None:
        self._queues = queues
        self._network = network
        self._story = network.story

    # The names of the parameters are boto3's.
    def change_message_visibility_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803 - as above
        Entries: Sequence[Any],  # noqa: N803 - as above
    ) -> dict[str, Any]:
        return self._network.call(
            "ChangeMessageVisibilityBatch", lambda: self._delay(self._queues[QueueUrl], Entries)
        )

    def receive_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803 - as above
        MaxNumberOfMessages: int,  # noqa: N803 - as above
        **_: object,
    ) -> dict[str, Any]:
        batch = self._network.call(
            "ReceiveMessage", lambda: self._receive(self._queues[QueueUrl], MaxNumberOfMessages)
        )
        if actor := self._network.scheduler.actor:
            actor.taken += batch
        return {
            "Messages": [
                {
                    "MessageId": message.id,
                    "Body": message.body,
                    "ReceiptHandle": message.receipt,
                    "Attributes": {"ApproximateReceiveCount": str(message.receives)},
                }
                for message in batch
            ]
        }

    def delete_message_batch(self, *, QueueUrl: str, Entries: Sequence[Any]) -> dict[str, Any]:  # noqa: N803
        if actor := self._network.scheduler.actor:
            actor.done |= {_message_id(entry["ReceiptHandle"]) for entry in Entries}
        return self._network.call("DeleteMessageBatch", lambda: self._delete(self._queues[QueueUrl], Entries))

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Any]) -> dict[str, Any]:  # noqa: N803
        return self._network.call("SendMessageBatch", lambda: self._send(self._queues[QueueUrl], Entries))

    def _receive(self, queue: Queue, most: int) -> list[Message]:
        batch = queue.receive(most)
        if batch:
            about = tuple(dict.fromkeys(name for message in batch for name in message.about))
            self._story.info(f"takes {', '.join(message.id for message in batch)}", about)
        return batch

    def _delete(self, queue: Queue, entries: Sequence[Any]) -> dict[str, Any]:
        failed = []
        for entry in entries:
            message_id = _message_id(entry["ReceiptHandle"])
            if self._network.strikes(Fault.DELETION_LOST, f"{message_id} is not deleted"):
                failed.append({"Id": entry["Id"]})
            else:
                queue.delete([message_id])
        return {"Failed": failed}

    def _postpone(self, queue: Queue, body: str, seconds: int) -> None:
        if not 0 <= seconds <= LONGEST_DELAY:
            raise refusal("SendMessageBatch", "InvalidParameterValue")
        queue.send(body, seconds)
        self._story.info(f"sends a message to {queue.name} again, {seconds} s late", about(body))

    def _delay(self, queue: Queue, entries: Sequence[Any]) -> dict[str, Any]:
        for entry in entries:
            queue.delay_message(entry["ReceiptHandle"], entry["VisibilityTimeout"])
        return {"Failed": []}

    def _send(self, queue: Queue, entries: Sequence[Any]) -> dict[str, Any]:
        failed = []
        for entry in entries:
            if "DelaySeconds" in entry:
                if self._network.strikes(Fault.POSTPONEMENT_FAILED):
                    failed.append({"Id": entry["Id"]})
                else:
                    self._postpone(queue, entry["MessageBody"], entry["DelaySeconds"])
                continue
            if self._network.strikes(Fault.BURIAL_FAILED):
                failed.append({"Id": entry["Id"]})
                continue
            reason = entry["MessageAttributes"]["reason"]["StringValue"]
            dead_letter = DeadLetter(entry["MessageBody"], about(entry["MessageBody"]), reason)
            queue.dead.append(dead_letter)
            self._story.info(f"buries a message: {reason}", dead_letter.about)
        return {"Failed": failed}

"""A batch of messages from one of our queues: each delivered by itself, side by side."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from services.shared.errors import TransientError
from services.shared.log_events import LogEvent
from services.shared.messages import Poison, PoisonQueue, explain
from services.shared.metric_names import Metric
from services.shared.telemetry import Telemetry
from services.webhooks.model import Message

Deliver = Callable[[Message], int | None]
"""Delivers one message; returns for how many seconds it stays away, None if it is done."""

_RETRY_SECONDS = 30
"""How long a message stays away whose attempt could not be finished for a reason of ours."""


class Postpone(Protocol):
    def postpone(self, seconds: Mapping[str, int]) -> int:
        """Keep messages away, by receipt, for so many seconds; returns for how many that failed."""


@dataclass(frozen=True, slots=True)
class _Received:
    id: str
    receipt: str
    message: Message


class MessageBatch:
    def __init__(  # noqa: PLR0913 - its ports
        self,
        deliver: Deliver,
        queue: Postpone,
        dlq: PoisonQueue,
        telemetry: Telemetry,
        *,
        consumer: str,
        run: Callable[[Callable[[_Received], int | None], Iterable[_Received]], Iterable[int | None]] = map,
    ) -> None:
        self._deliver = deliver
        self._queue = queue
        self._dlq = dlq
        self._telemetry = telemetry
        self._consumer = consumer
        self._run = run

    def receive(self, raw: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
        """Deliver a batch; returns the partial batch response."""
        received, poison = _parse(raw["Records"])
        retry = self._reject(poison)
        away: dict[str, int] = {}
        for it, seconds in zip(received, self._run(self._attempt, received), strict=True):
            if seconds is not None:
                away[it.receipt] = seconds
                retry.add(it.id)
        # Those that fail return after the queue's own time-out.
        if away and (failed := self._queue.postpone(away)):
            self._telemetry.warning(LogEvent.REDELIVERY_FAILED, messages=failed)
        return {"batchItemFailures": [{"itemIdentifier": it} for it in sorted(retry)]}

    def _attempt(self, received: _Received) -> int | None:
        try:
            return self._deliver(received.message)
        except TransientError as error:
            self._telemetry.warning(LogEvent.BATCH_DEFERRED, cause=type(error).__name__, why=str(error))
        except Exception as error:  # noqa: BLE001 - the boundary: the message stays in its queue
            self._telemetry.error(LogEvent.BATCH_FAILED, error)
        return _RETRY_SECONDS

    def _reject(self, poison: Sequence[Poison]) -> set[str]:
        if not poison:
            return set()
        for it in poison:
            self._telemetry.warning(LogEvent.MESSAGE_POISON, message_id=it.message_id, reason=it.reason)
        failed = set(self._dlq.send(poison))
        self._telemetry.count(Metric.POISON_EVENTS, len(poison) - len(failed), consumer=self._consumer)
        return failed


def _parse(records: Sequence[Mapping[str, str]]) -> tuple[list[_Received], list[Poison]]:
    received, poison = [], []
    for it in records:
        try:
            message = Message.model_validate_json(it["body"])
            received.append(_Received(it["messageId"], it["receiptHandle"], message))
        except ValidationError as error:
            poison.append(Poison(it["messageId"], it["body"], "invalid_message", explain(error)))
    return received, poison

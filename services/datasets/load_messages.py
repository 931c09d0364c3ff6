"""Messages of the queue of loads: S3's notifications of uploads, and ours after a confirmation."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from services.datasets.records import LoadKey
from services.shared.errors import TransientError
from services.shared.log_events import LogEvent
from services.shared.messages import Poison, PoisonQueue
from services.shared.metric_names import Metric
from services.shared.telemetry import Telemetry

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Postpone = Callable[[Mapping[str, int]], int]
"""Keeps messages away, by receipt, for so many seconds; returns for how many that failed."""
_RETRY_SECONDS: Final = 10


class LoadQueue:
    def __init__(self, client: "SQSClient", queue_name: str) -> None:
        self._client = client
        self._queue_name = queue_name

    def send(self, key: LoadKey) -> None:
        url = self._client.get_queue_url(QueueName=self._queue_name)["QueueUrl"]
        self._client.send_message(QueueUrl=url, MessageBody=message(key))


def message(key: LoadKey) -> str:
    return json.dumps({"tenantId": key.tenant_id, "datasetId": key.dataset_id, "loadId": key.load_id})


class LoadMessages:
    def __init__(  # noqa: PLR0913 - its ports
        self,
        handle: Callable[[LoadKey], object],
        load_of: Callable[[str], LoadKey | None],
        postpone: Postpone,
        dlq: PoisonQueue,
        telemetry: Telemetry,
        *,
        consumer: str,
    ) -> None:
        self._handle = handle
        self._load_of = load_of
        self._postpone = postpone
        self._dlq = dlq
        self._telemetry = telemetry
        self._consumer = consumer

    def receive(self, raw: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
        """Handle a batch; returns the partial batch response."""
        retry: set[str] = set()
        for record in raw["Records"]:
            keys = self._keys(record["body"])
            if keys is None:
                retry |= self._reject(record)
            elif not all(self._done(key) for key in keys):
                retry.add(record["messageId"])
                # Otherwise it would stay away for as long as six invocations may take.
                if failed := self._postpone({record["receiptHandle"]: _RETRY_SECONDS}):
                    self._telemetry.warning(LogEvent.REDELIVERY_FAILED, messages=failed)
        return {"batchItemFailures": [{"itemIdentifier": it} for it in sorted(retry)]}

    def _done(self, key: LoadKey) -> bool:
        try:
            self._handle(key)
        except TransientError as error:
            self._telemetry.warning(LogEvent.BATCH_DEFERRED, cause=type(error).__name__, why=str(error))
            return False
        except Exception as error:  # noqa: BLE001 - the boundary: the message stays in its queue
            self._telemetry.error(LogEvent.BATCH_FAILED, error)
            return False
        return True

    def _keys(self, body: str) -> Sequence[LoadKey] | None:
        """Return the loads that a message is about; None if it cannot be read."""
        try:
            content = json.loads(body)
            if content.get("Event") == "s3:TestEvent":
                return []
            if "Records" not in content:
                return [LoadKey(str(content["tenantId"]), str(content["datasetId"]), int(content["loadId"]))]
            found = [self._load_of(unquote_plus(it["s3"]["object"]["key"])) for it in content["Records"]]
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        return [it for it in found if it is not None] if all(found) else None

    def _reject(self, record: Mapping[str, str]) -> set[str]:
        reason = "neither a notification of an upload nor a confirmed load"
        poison = Poison(record["messageId"], record["body"], "invalid_message", reason)
        self._telemetry.warning(LogEvent.MESSAGE_POISON, message_id=poison.message_id, reason=poison.reason)
        failed = set(self._dlq.send([poison]))
        self._telemetry.count(Metric.POISON_EVENTS, 1 - len(failed), consumer=self._consumer)
        return failed

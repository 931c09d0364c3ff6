"""Wires webhooks to AWS, once per process; each function imports only what it needs."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

from services.shared.adapters.clients import CONCURRENCY, Clients
from services.shared.adapters.console_table import ConsoleTable
from services.shared.adapters.sqs_batch import SqsPoisonQueue, SqsRedelivery
from services.shared.adapters.telemetry import PowertoolsTelemetry
from services.shared.settings import QueueSettings
from services.shared.wiring import behind_queue, utc_now
from services.webhooks.message_batch import Deliver, MessageBatch
from services.webhooks.queues import SqsMessageQueue
from services.webhooks.service import new_id, new_secret
from services.webhooks.settings import ApiSettings, FastLaneSettings, LaneSettings, SenderSettings
from services.webhooks.store import WebhookStore

if TYPE_CHECKING:
    from services.webhooks.delivery import Attempts

Entry = Callable[[Any, Any], dict[str, Any]]


@cache
def fanout() -> Entry:
    from services.webhooks.fanout import FanOut  # noqa: PLC0415 - the other functions need none of this
    from services.webhooks.model import TYPES  # noqa: PLC0415

    settings = SenderSettings.from_environment()
    telemetry = PowertoolsTelemetry("webhook-fanout", settings.metrics_namespace)
    clients = Clients()
    store = WebhookStore(ConsoleTable(clients.dynamodb(), settings.webhooks_table))
    queue = SqsMessageQueue(clients.sqs(), settings.webhook_delivery_queue)
    handle = FanOut(store=store, queue=queue, telemetry=telemetry).handle
    return behind_queue(QueueSettings.from_environment(), clients, telemetry, tuple(TYPES), handle)


@cache
def fast_lane() -> Entry:
    from services.webhooks.delivery import (  # noqa: PLC0415 - the other functions need none of this
        FIRST_SECONDS,
        FastLane,
    )

    settings, clients = FastLaneSettings.from_environment(), Clients()
    retries = SqsMessageQueue(clients.sqs(), settings.webhook_retries_queue)
    return _lane(
        "webhook-delivery",
        settings,
        clients,
        lambda attempts: FastLane(attempts, retries).deliver,
        timeout=FIRST_SECONDS,
    )


@cache
def retries_lane() -> Entry:
    from services.webhooks.delivery import RetriesLane  # noqa: PLC0415 - the other functions need none of this
    from services.webhooks.http_client import TIMEOUT_SECONDS  # noqa: PLC0415

    return _lane(
        "webhook-retries",
        LaneSettings.from_environment(),
        Clients(),
        lambda attempts: RetriesLane(attempts).deliver,
        timeout=TIMEOUT_SECONDS,
    )


def _lane(
    name: str,
    settings: LaneSettings,
    clients: Clients,
    lane: Callable[["Attempts"], Deliver],
    *,
    timeout: float,
) -> Entry:
    from services.webhooks.delivery import Attempts  # noqa: PLC0415 - the other functions need none of this
    from services.webhooks.http_client import PinnedHttpClient  # noqa: PLC0415

    telemetry = PowertoolsTelemetry(name, settings.metrics_namespace)
    deliver = lane(
        Attempts(
            store=WebhookStore(ConsoleTable(clients.dynamodb(), settings.webhooks_table)),
            call=PinnedHttpClient(allow_local=settings.webhooks_allow_local, timeout=timeout),
            clock=utc_now,
            telemetry=telemetry,
            most_seconds=settings.max_retry_seconds,
        )
    )
    dlq = SqsPoisonQueue(clients.sqs(), queue_url=settings.dead_letter_queue_url, consumer=settings.consumer)
    redelivery = SqsRedelivery(clients.sqs(), queue_url=settings.queue_url)
    batch = MessageBatch(
        deliver,
        redelivery,
        dlq,
        telemetry,
        consumer=settings.consumer,
        run=ThreadPoolExecutor(CONCURRENCY).map,
    )

    def invoke(event: Any, context: object) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own
        with telemetry.invocation(context):
            return batch.receive(event)

    return invoke


@cache
def api() -> Entry:
    from services.shared.adapters.dynamodb_rate_limit import DynamoDBRateLimiter  # noqa: PLC0415
    from services.shared.http.writers import Writers  # noqa: PLC0415
    from services.shared.membership import ConsoleMemberships  # noqa: PLC0415
    from services.shared.rate_limit import WRITES  # noqa: PLC0415
    from services.webhooks.api import build  # noqa: PLC0415
    from services.webhooks.service import Webhooks  # noqa: PLC0415

    settings = ApiSettings.from_environment()
    telemetry = PowertoolsTelemetry("webhooks", settings.metrics_namespace)
    clients = Clients()
    dynamodb = clients.dynamodb()
    answer = build(
        Webhooks(
            store=WebhookStore(ConsoleTable(dynamodb, settings.webhooks_table)),
            queue=SqsMessageQueue(clients.sqs(), settings.webhook_delivery_queue),
            clock=utc_now,
            new_id=new_id,
            new_secret=new_secret,
            allow_local=settings.webhooks_allow_local,
        ),
        Writers(
            ConsoleMemberships(ConsoleTable(dynamodb, settings.console_table)),
            DynamoDBRateLimiter(dynamodb, settings.console_table, WRITES, time.time),
        ),
        allowed_origins=settings.allowed_origins.split(),
        clock=utc_now,
        telemetry=telemetry,
    )

    def invoke(event: dict[str, Any], context: object) -> dict[str, Any]:
        with telemetry.invocation(context):
            return answer(event, context)

    return invoke

"""Wires datasets to AWS, once per process; each function imports only what it needs."""

import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final

from services.datasets.s3_files import S3Files, load_of
from services.datasets.settings import ApiSettings, BucketSettings, IngestSettings
from services.datasets.store import DatasetStore
from services.shared.adapters.clients import Clients
from services.shared.adapters.rds_iam import iam_password
from services.shared.adapters.telemetry import PowertoolsTelemetry
from services.shared.database import API, Database, connector
from services.shared.wiring import utc_now

Entry = Callable[[Any, Any], dict[str, Any]]
_LAST_SECONDS: Final = 60.0
"""Before an invocation ends: a chunk takes less."""


def _database(settings: BucketSettings) -> Database:
    return Database(connector(settings.conninfo(API), iam_password(settings, API)))


def _files(settings: BucketSettings, clients: Clients) -> S3Files:
    return S3Files(clients.s3(), uploads=settings.uploads_bucket, results=settings.results_bucket)


@cache
def api() -> Entry:
    from uuid import uuid4  # noqa: PLC0415 - the other function needs none of this

    from services.datasets.api import Api, build  # noqa: PLC0415
    from services.datasets.load_messages import LoadQueue  # noqa: PLC0415
    from services.datasets.series import read_series  # noqa: PLC0415
    from services.datasets.service import Datasets  # noqa: PLC0415
    from services.shared.adapters.console_table import ConsoleTable  # noqa: PLC0415
    from services.shared.adapters.dynamodb_rate_limit import DynamoDBRateLimiter  # noqa: PLC0415
    from services.shared.http.writers import Writers  # noqa: PLC0415
    from services.shared.membership import ConsoleMemberships  # noqa: PLC0415
    from services.shared.rate_limit import WRITES  # noqa: PLC0415

    settings = ApiSettings.from_environment()
    telemetry = PowertoolsTelemetry("datasets", settings.metrics_namespace)
    clients = Clients()
    dynamodb, database, files = clients.dynamodb(), _database(settings), _files(settings, clients)
    datasets = Datasets(
        DatasetStore(database),
        files,
        send=LoadQueue(clients.sqs(), settings.ingest_queue).send,
        new_id=lambda: f"ds_{uuid4().hex[:16]}",
    )
    answer = build(
        Api(datasets, files, partial(read_series, database), utc_now),
        Writers(
            ConsoleMemberships(ConsoleTable(dynamodb, settings.console_table)),
            DynamoDBRateLimiter(dynamodb, settings.console_table, WRITES, time.time),
        ),
        allowed_origins=settings.allowed_origins.split(),
        telemetry=telemetry,
    )

    def invoke(event: dict[str, Any], context: object) -> dict[str, Any]:
        with telemetry.invocation(context):
            return answer(event, context)

    return invoke


@cache
def ingest() -> Entry:
    from services.datasets.ingest import Ingest  # noqa: PLC0415 - the other function needs none of this
    from services.datasets.load_messages import LoadMessages  # noqa: PLC0415
    from services.shared.adapters.sqs_batch import SqsPoisonQueue, SqsRedelivery  # noqa: PLC0415
    from services.shared.backoff import Deadline  # noqa: PLC0415
    from services.shared.wiring import start  # noqa: PLC0415

    settings, clients, deadline = IngestSettings.from_environment(), Clients(), Deadline(_LAST_SECONDS)
    telemetry = PowertoolsTelemetry(settings.consumer, settings.metrics_namespace)
    ingest = Ingest(
        DatasetStore(_database(settings)),
        _files(settings, clients),
        out_of_time=deadline.passed,
    )
    messages = LoadMessages(
        ingest.handle,
        load_of,
        SqsRedelivery(clients.sqs(), queue_url=settings.queue_url).postpone,
        SqsPoisonQueue(clients.sqs(), queue_url=settings.dead_letter_queue_url, consumer=settings.consumer),
        telemetry,
        consumer=settings.consumer,
    )

    def invoke(event: Any, context: object) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own
        start(deadline, context)
        with telemetry.invocation(context):
            return messages.receive(event)

    return invoke

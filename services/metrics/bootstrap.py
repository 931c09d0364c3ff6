"""Binds the metrics service to the real world, once per process."""

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from services.metrics.adapters.dynamodb_snapshots import DynamoDBSnapshots
from services.metrics.settings import CollectorSettings, ExpositionSettings
from services.shared.adapters.clients import Clients
from services.shared.adapters.telemetry import PowertoolsTelemetry


@cache
def collector() -> Callable[[object], dict[str, int | None]]:
    # What only the collector needs stays out of the exposition's cold start.
    from services.metrics.adapters.cloudwatch import CloudWatch  # noqa: PLC0415
    from services.metrics.collector import Collector  # noqa: PLC0415

    settings, clients = CollectorSettings.from_environment(), Clients()
    telemetry = PowertoolsTelemetry("collector", settings.metrics_namespace)
    service = Collector(
        settings.deployment,
        CloudWatch(clients.cloudwatch()),
        DynamoDBSnapshots(clients.dynamodb(), table=settings.metrics_table, clock=time.time),
        telemetry,
        clock=time.time,
    )

    def collect(context: object) -> dict[str, int | None]:
        with telemetry.invocation(context):
            snapshot = service.collect()
        return {"version": snapshot.version if snapshot else None}

    return collect


@cache
def exposition() -> Callable[[Mapping[str, Any], object], dict[str, Any]]:
    from services.metrics.exposition import Exposition  # noqa: PLC0415
    from services.metrics.token_auth import TokenAuth, ssm_token  # noqa: PLC0415

    settings, clients = ExpositionSettings.from_environment(), Clients()
    telemetry = PowertoolsTelemetry("exposition", settings.metrics_namespace)
    served = Exposition(
        TokenAuth(ssm_token(clients.ssm(), settings.token_parameter), clock=time.monotonic),
        DynamoDBSnapshots(clients.dynamodb(), table=settings.metrics_table, clock=time.time),
        telemetry,
        stale_seconds=settings.stale_seconds,
        clock=time.time,
    )

    def answer(event: Mapping[str, Any], context: object) -> dict[str, Any]:
        with telemetry.invocation(context):
            headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
            return served.answer(headers).for_gateway()

    return answer

"""Wires the order service to AWS, once per process."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from services.order.service import OrderService
from services.shared.events import OrderCancellationRequested, OrderPlaced, PaymentRequested
from services.shared.messages import DelayedQueue
from services.shared.wiring import Runtime, utc_now

Entry = Callable[[Any, Any], Any]


def _service(runtime: Runtime, later: DelayedQueue | None = None) -> OrderService:
    return OrderService(
        runtime.ledger,
        runtime.bus,
        runtime.telemetry,
        clock=utc_now,
        hold=runtime.settings.hold,
        later=later,
        waits=runtime.deadline.waits,
    )


@cache
def order() -> Entry:
    runtime = Runtime("order")
    return runtime.entry([OrderPlaced, OrderCancellationRequested], _service(runtime).handle)


@cache
def expiry() -> Entry:
    runtime = Runtime("order")
    return runtime.entry([PaymentRequested], _service(runtime, runtime.delayed_queue()).expire)


class _SystemClock:
    def now(self) -> datetime:
        return utc_now()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@cache
def audit() -> Callable[[Any], Mapping[str, int]]:
    # What only the audit needs stays out of the cold starts of the others.
    from services.order.audit import Audit  # noqa: PLC0415

    runtime = Runtime("order")
    service = Audit(runtime.store, runtime.bus, _service(runtime).expire, runtime.telemetry, _SystemClock())

    def run(context: Any) -> Mapping[str, int]:  # noqa: ANN401 - Lambda's own
        with runtime.invocation(context):
            return service.run()

    return run

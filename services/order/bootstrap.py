"""Wires the order service to AWS, once per process."""

from collections.abc import Callable
from functools import cache
from typing import Any

from services.order.service import OrderService
from services.shared.events import OrderCancellationRequested, OrderPlaced, PaymentRequested
from services.shared.wiring import Runtime, utc_now

Entry = Callable[[Any, Any], Any]


def _service(runtime: Runtime) -> OrderService:
    return OrderService(
        runtime.ledger,
        runtime.bus,
        runtime.telemetry,
        clock=utc_now,
        hold=runtime.settings.hold,
        waits=runtime.deadline.waits,
    )


@cache
def order() -> Entry:
    runtime = Runtime("order")
    return runtime.entry([OrderPlaced, OrderCancellationRequested], _service(runtime).handle)


@cache
def expiry() -> Entry:
    runtime = Runtime("order")
    return runtime.entry([PaymentRequested], _service(runtime).expire)

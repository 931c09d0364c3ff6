"""Wires the payment service to AWS, once per process."""

from collections.abc import Callable
from functools import cache
from typing import Any

from services.payment.gateway import PaymentGateway
from services.payment.service import PaymentService
from services.payment.simulated_gateway import SimulatedGateway
from services.shared.events import OrderCancelled, PaymentRequested, RefundRequested
from services.shared.settings import LedgerSettings
from services.shared.wiring import Runtime, utc_now


def gateway(settings: LedgerSettings) -> PaymentGateway:
    """Choose the payment gateway; bind a real one here."""
    return SimulatedGateway(
        failure_rate=settings.gateway_failure_rate, slow_seconds=settings.gateway_slow_seconds
    )


@cache
def payment() -> Callable[[Any, Any], Any]:
    runtime = Runtime("payment")
    service = PaymentService(
        runtime.ledger,
        runtime.bus,
        gateway(runtime.settings),
        runtime.telemetry,
        clock=utc_now,
        run=runtime.in_parallel,
        waits=runtime.deadline.waits,
        out_of_time=runtime.deadline.passed,
    )
    return runtime.entry([PaymentRequested, OrderCancelled, RefundRequested], service.handle)

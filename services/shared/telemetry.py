"""The port to logs and metrics, and what is counted the same way by more than one service."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from services.shared.ledger import Committed, Key, Order, Outcome, Status, Unsettled
from services.shared.log_events import LogEvent
from services.shared.metric_names import Metric, StockOperation, StockOutcome


class Telemetry(Protocol):
    def info(self, event: LogEvent, key: Key | None = None, **fields: object) -> None:
        """Log one line about one outcome."""

    def warning(self, event: LogEvent, key: Key | None = None, **fields: object) -> None:
        """Log one line about something a person may have to look at."""

    def error(self, event: LogEvent, error: BaseException) -> None:
        """Log an unexpected error, with its traceback."""

    def count(self, metric: str, value: float = 1, **labels: str) -> None: ...

    def observe(self, metric: str, seconds: float) -> None: ...

    def gauge(self, metric: str, level: float) -> None:
        """Report a level, once in an invocation."""

    def flush(self) -> None:
        """Write what was counted so far: it outlives the process from here on."""


_OPERATIONS = {
    Status.RESERVED: StockOperation.RESERVE,
    Status.CONFIRMED: StockOperation.CONFIRM,
    Status.CANCELLED: StockOperation.RELEASE,
}


def record_inventory_operation(
    telemetry: Telemetry, target: Status, outcome: Outcome, *, restocked: bool = False
) -> None:
    """Count what an order on its way to a status did to the stock, or why it could not."""
    operation = StockOperation.RESTOCK if restocked else _OPERATIONS.get(target)
    if operation is None:
        return
    match outcome:
        case Committed(order=order) if order.status is target:
            telemetry.count(Metric.INVENTORY_OPERATIONS, operation=operation, outcome=StockOutcome.DONE)
            units = sum(line.quantity for line in order.lines)
            telemetry.count(Metric.INVENTORY_UNITS, units, operation=operation)
        case Committed(order=order):
            telemetry.count(
                Metric.INVENTORY_OPERATIONS, operation=operation, outcome=order.reason or StockOutcome.REFUSED
            )
        case Unsettled():
            telemetry.count(Metric.INVENTORY_OPERATIONS, operation=operation, outcome=StockOutcome.CONTENDED)


_PLAUSIBLE = timedelta(days=7)
"""Longer than a message stays in flight with redrives in time; a publisher's clock is wrong beyond it."""


def record_settlement_time(telemetry: Telemetry, order: Order, now: datetime) -> None:
    """Observe the time from placement to settlement; an implausible placement time is counted apart.

    The publisher chooses that time: one absurd value would stay in the sum for good.
    """
    since_placed = now - order.placed_at
    if -_PLAUSIBLE <= since_placed <= _PLAUSIBLE:
        telemetry.observe(Metric.ORDER_SETTLEMENT, max(0.0, since_placed.total_seconds()))
    else:
        telemetry.count(Metric.IMPLAUSIBLE_TIMES)


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._start = clock()

    def seconds(self) -> float:
        return self._clock() - self._start

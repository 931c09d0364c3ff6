"""What operators see: one log line per outcome, exact numbers through the log, a trace per invocation.

Numbers are added up over the batch and written as embedded metrics, one document per set of labels, when
the invocation ends. Histograms are exact: each observation counts into the one bucket it falls in.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from services.shared.adapters.tracing import Tracing
from services.shared.histogram_buckets import bucket
from services.shared.ledger import Committed, Key, Outcome, Status, Unsettled
from services.shared.log_events import LogEvent
from services.shared.metric_names import Metric, StockOperation, StockOutcome

_VALUES = 100
"""An embedded metric document holds no more values of one metric."""

Labels = tuple[tuple[str, str], ...]
Counts = defaultdict[Labels, defaultdict[str, float]]
Handler = Callable[[Any, Any], Any]


class Telemetry(Protocol):
    def info(self, event: LogEvent, key: Key | None = None, **fields: object) -> None:
        """Log one line about one outcome."""

    def warning(self, event: LogEvent, key: Key | None = None, **fields: object) -> None:
        """Log one line about something a person may have to look at."""

    def error(self, event: LogEvent, error: BaseException) -> None:
        """Log an unexpected error, with its traceback."""

    def count(self, metric: str, value: float = 1, **labels: str) -> None: ...

    def observe(self, metric: str, seconds: float) -> None: ...


class PowertoolsTelemetry:
    """Telemetry over Powertools: JSON log lines, embedded metrics, X-Ray."""

    def __init__(self, service: str, namespace: str) -> None:
        # The place in the code would always be this module; UTC is what the rest of the system speaks.
        self._logger = Logger(service=service, location=None, utc=True, use_rfc3339=True)
        self._tracing = Tracing(service)
        self._namespace = namespace
        # Calls to AWS are counted by the threads that make them.
        self._lock = Lock()
        self._counts = _no_counts()
        self._values: defaultdict[str, list[float]] = defaultdict(list)

    def info(self, event: LogEvent, key: Key | None = None, **fields: object) -> None:
        self._logger.info(event.text, extra=_log_fields(event, key, fields))

    def warning(self, event: LogEvent, key: Key | None = None, **fields: object) -> None:
        self._logger.warning(event.text, extra=_log_fields(event, key, fields))

    def error(self, event: LogEvent, error: BaseException) -> None:
        self._logger.error(event.text, exc_info=error, extra=_log_fields(event, None, {}))

    def count(self, metric: str, value: float = 1, **labels: str) -> None:
        with self._lock:
            self._counts[tuple(sorted(labels.items()))][metric] += value

    def observe(self, metric: str, seconds: float) -> None:
        # To the microsecond, and the bucket with it: sums stay multiples of what they are sums of.
        rounded = round(seconds, 6)
        with self._lock:
            self._counts[(("le", bucket(rounded)),)][f"{metric}_bucket"] += 1
            self._values[metric].append(rounded)

    @contextmanager
    def invocation(self, context: object) -> Iterator[None]:
        """Bind the request to every log line inside, and write the numbers out at the end."""
        request_id = getattr(context, "aws_request_id", None)
        with (
            self._logger.append_context_keys(function_request_id=request_id),
            self._tracing.batch(),
        ):
            try:
                yield
            finally:
                self.flush()

    def flush(self) -> None:
        """Write every number since the last flush, one document per set of labels."""
        with self._lock:
            counts, self._counts = self._counts, _no_counts()
            values, self._values = self._values, defaultdict(list)
        for labels, totals in counts.items():
            self._write(MetricUnit.Count, {metric: [total] for metric, total in totals.items()}, labels)
        longest = max(map(len, values.values()), default=0)
        for start in range(0, longest, _VALUES):
            parts = {metric: seconds[start : start + _VALUES] for metric, seconds in values.items()}
            self._write(MetricUnit.Seconds, {metric: part for metric, part in parts.items() if part})

    def _write(self, unit: MetricUnit, numbers: Mapping[str, list[float]], labels: Labels = ()) -> None:
        # Handed over whole: added one by one, each value would have all before it spelled out for a debug
        # line that nobody reads. An empty service name, unlike none, keeps Powertools from adding a
        # dimension of its own: a metric has exactly one set of dimensions, or sums would count twice.
        AmazonCloudWatchEMFProvider(
            metric_set={metric: {"Unit": unit.value, "Value": values} for metric, values in numbers.items()},
            dimension_set=dict(labels),
            namespace=self._namespace,
            service="",
        ).flush_metrics()


def _no_counts() -> Counts:
    return defaultdict(lambda: defaultdict(int))


def _log_fields(event: LogEvent, key: Key | None, fields: Mapping[str, object]) -> dict[str, object]:
    order = {"order_id": key.id, "tenant_id": key.tenant_id} if key else {}
    return {"event": event.value, **order, **fields}


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


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._start = clock()

    def seconds(self) -> float:
        return self._clock() - self._start

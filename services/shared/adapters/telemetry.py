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

_VALUES = 100
"""An embedded metric document holds no more values of one metric."""

Labels = tuple[tuple[str, str], ...]
Counts = defaultdict[Labels, defaultdict[str, float]]
Handler = Callable[[Any, Any], Any]


class Telemetry(Protocol):
    def tell(self, message: str, key: Key | None = None, **fields: object) -> None:
        """Log one line about one outcome."""

    def warn(self, message: str, key: Key | None = None, **fields: object) -> None:
        """Log one line about something a person may have to look at."""

    def failed(self, message: str, error: BaseException) -> None:
        """Log an error nobody expected, with its traceback."""

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

    def tell(self, message: str, key: Key | None = None, **fields: object) -> None:
        self._logger.info(message, extra=_named(key, fields))

    def warn(self, message: str, key: Key | None = None, **fields: object) -> None:
        self._logger.warning(message, extra=_named(key, fields))

    def failed(self, message: str, error: BaseException) -> None:
        self._logger.error(message, exc_info=error)

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


def _named(key: Key | None, fields: Mapping[str, object]) -> dict[str, object]:
    return {"order_id": key.id, "tenant_id": key.tenant_id, **fields} if key else dict(fields)


_OPERATIONS = {Status.RESERVED: "reserve", Status.CONFIRMED: "confirm", Status.CANCELLED: "release"}


def measure_stock(telemetry: Telemetry, asked: Status, outcome: Outcome, *, restocked: bool = False) -> None:
    """Count what an order that asked to reach a status did to the stock, or why it could not."""
    operation = "restock" if restocked else _OPERATIONS.get(asked)
    if operation is None:
        return
    match outcome:
        case Committed(order=order) if order.status is asked:
            telemetry.count("inventory_operations_total", operation=operation, outcome="done")
            units = sum(line.quantity for line in order.lines)
            telemetry.count("inventory_units_total", units, operation=operation)
        case Committed(order=order):
            telemetry.count(
                "inventory_operations_total", operation=operation, outcome=order.reason or "refused"
            )
        case Unsettled():
            telemetry.count("inventory_operations_total", operation=operation, outcome="contended")


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._start = clock()

    def seconds(self) -> float:
        return self._clock() - self._start

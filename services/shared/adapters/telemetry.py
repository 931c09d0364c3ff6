"""Telemetry over Powertools: JSON log lines, embedded metrics (EMF), X-Ray traces.

Metrics are summed over the batch and written, one document per set of labels, when the invocation ends.
Histograms are exact: each observation counts into the one bucket it falls in.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from services.shared.adapters.tracing import Tracing
from services.shared.histogram_buckets import bucket
from services.shared.ledger import Key
from services.shared.log_events import LogEvent

_VALUES = 100
"""EMF limit: values of one metric in one document."""

Labels = tuple[tuple[str, str], ...]
Counts = defaultdict[Labels, defaultdict[str, float]]
Handler = Callable[[Any, Any], Any]


class PowertoolsTelemetry:
    def __init__(self, service: str, namespace: str) -> None:
        # No location: it would always be this module. UTC, as everywhere in the system.
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
        # Rounded before the bucket is chosen, so that buckets, sum and count agree.
        rounded = round(seconds, 6)
        with self._lock:
            self._counts[(("le", bucket(rounded)),)][f"{metric}_bucket"] += 1
            self._values[metric].append(rounded)

    def gauge(self, metric: str, level: float) -> None:
        self.count(metric, level)

    @contextmanager
    def invocation(self, context: object) -> Iterator[None]:
        """Add the request id to every log line inside, and write the metrics at the end."""
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
        """Write what was counted since the last flush, one document per set of labels."""
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
        # All values in one call: add_metric formats all earlier values for a debug line at each call. The
        # service name is empty, not None, so that Powertools adds no dimension of its own: with two sets of
        # dimensions, sums over a metric would count twice.
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

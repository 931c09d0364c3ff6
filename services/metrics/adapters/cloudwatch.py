"""Reads CloudWatch: many series per call, every page, and which series are incomplete."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from services.metrics.counters import Minute, Readings
from services.metrics.series import Series
from services.shared.adapters.clients import is_transient
from services.shared.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

QUERIES_A_CALL = 500
"""The limit of GetMetricData."""


class CloudWatchUnavailableError(TransientError):
    """CloudWatch gave no usable answer; the next collection reads the same minutes again."""


@dataclass(frozen=True, slots=True)
class Reading:
    values: Readings
    incomplete: frozenset[str]
    """Keys of series with partial data."""
    requested: int
    """Metrics requested, as CloudWatch bills them."""


class CloudWatch:
    def __init__(self, client: "CloudWatchClient", *, queries_a_call: int = QUERIES_A_CALL) -> None:
        self._client = client
        self._queries_a_call = queries_a_call

    def read(self, series: Sequence[Series], start: Minute, end: Minute, *, period: int = 1) -> Reading:
        """Return the periods of so many minutes from `start` up to `end` that CloudWatch has a value for."""
        values: dict[str, Mapping[Minute, int]] = {}
        incomplete: set[str] = set()
        for at in range(0, len(series), self._queries_a_call):
            part = series[at : at + self._queries_a_call]
            found, complete = self._read(part, start, end, period)
            values |= found
            incomplete |= {it.key for it in part} - complete
        return Reading(values, frozenset(incomplete), len(series))

    def _read(
        self, part: Sequence[Series], start: Minute, end: Minute, period: int
    ) -> tuple[dict[str, Mapping[Minute, int]], set[str]]:
        series_by_id = {f"m{index}": series for index, series in enumerate(part)}
        values: defaultdict[str, dict[Minute, int]] = defaultdict(dict)
        statuses: dict[str, str] = {}
        queries = [_query(name, series, period) for name, series in series_by_id.items()]
        for page in self._pages(queries, start, end):
            for result in page["MetricDataResults"]:
                series = series_by_id[result["Id"]]
                for timestamp, value in zip(result["Timestamps"], result["Values"], strict=True):
                    values[series.key][int(timestamp.timestamp()) // 60] = series.measure.to_units(value)
                # A series that goes on over pages is partial until its last one.
                statuses[series.key] = result["StatusCode"]
        return dict(values), {key for key, status in statuses.items() if status == "Complete"}

    def _pages(self, queries: "Sequence[MetricDataQueryTypeDef]", start: Minute, end: Minute) -> Any:  # noqa: ANN401 - a paginator's pages
        pages = self._client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=_time(start), EndTime=_time(end), ScanBy="TimestampAscending"
        )
        try:
            yield from pages
        except (ClientError, BotoCoreError) as error:
            if is_transient(error):
                raise CloudWatchUnavailableError(str(error)) from error
            raise


def _query(name: str, series: Series, period: int) -> "MetricDataQueryTypeDef":
    query = series.query
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": query.namespace,
                "MetricName": query.metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in query.dimensions],
            },
            "Period": 60 * period,
            "Stat": query.statistic,
        },
        "ReturnData": True,
    }


def _time(minute: Minute) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)

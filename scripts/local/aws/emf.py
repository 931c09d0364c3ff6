"""Parses metrics in log lines: embedded metric format, and Lambda's REPORT lines. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_cloudwatch.literals import StandardUnitType
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef

MAX_VALUES = 150
"""CloudWatch takes this many distinct values in one datum."""

_MINUTE_MS = 60_000
_REPORT = re.compile(r"^REPORT RequestId: \S+\s+Duration: (?P<duration>[0-9.]+) ms")
# What the runtime logs when a handler raises, and when it times out.
_ERROR = re.compile(r"^(Traceback \(most recent call last\):|\[ERROR\] |.*Task timed out after )")


class MalformedLineError(Exception):
    """A line in embedded metric format is invalid."""


@dataclass(frozen=True, slots=True)
class Series:
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str = "None"


@dataclass(frozen=True, slots=True)
class Observation:
    series: Series
    values: tuple[float, ...]
    timestamp_ms: int


class _Pascal(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        strict=True,
        populate_by_name=True,
        alias_generator=AliasGenerator(validation_alias=to_pascal),
    )


class _Metric(_Pascal):
    name: str = Field(min_length=1)
    unit: str = "None"


class _Directive(_Pascal):
    namespace: str = Field(min_length=1)
    dimensions: list[list[str]]
    metrics: list[_Metric]


class _Metadata(BaseModel):
    timestamp: int = Field(validation_alias="Timestamp")
    directives: list[_Directive] = Field(validation_alias="CloudWatchMetrics")


def parse_emf(line: str) -> list[Observation]:
    """Return the observations of an embedded-metric line; nothing for other lines."""
    if not line.startswith("{") or '"_aws"' not in line:
        return []
    try:
        record = json.loads(line)
        if not isinstance(record, dict) or "_aws" not in record:
            return []
        metadata = _Metadata.model_validate(record["_aws"])
    except (json.JSONDecodeError, ValidationError) as error:
        raise MalformedLineError(str(error)) from error
    return [
        Observation(
            Series(directive.namespace, metric.name, _dimensions(record, names), metric.unit),
            _values(record, metric.name),
            metadata.timestamp,
        )
        for directive in metadata.directives
        for names in directive.dimensions or [[]]
        for metric in directive.metrics
    ]


def parse_invocation(function: str, timestamp_ms: int, lines: Sequence[str]) -> list[Observation]:
    """Return the AWS/Lambda metrics of the invocations in these lines."""
    took = durations(lines)
    if not took:
        return []
    failed = any(_ERROR.match(line) for line in lines)
    return [
        lambda_metric(function, "Invocations", "Count", timestamp_ms, float(len(took))),
        lambda_metric(function, "Errors", "Count", timestamp_ms, 1.0 if failed else 0.0),
        # A throttled invocation has no report; the emulator counts it itself.
        lambda_metric(function, "Throttles", "Count", timestamp_ms, 0.0),
        lambda_metric(function, "Duration", "Milliseconds", timestamp_ms, *took),
    ]


def durations(lines: Sequence[str]) -> tuple[float, ...]:
    """Return the milliseconds of each invocation these lines report."""
    return tuple(float(match["duration"]) for line in lines if (match := _REPORT.match(line)))


def lambda_metric(function: str, name: str, unit: str, timestamp_ms: int, *values: float) -> Observation:
    series = Series("AWS/Lambda", name, (("FunctionName", function),), unit)
    return Observation(series, values, timestamp_ms)


def condense(observations: Iterable[Observation]) -> Iterator[tuple[str, MetricDatumTypeDef]]:
    """Merge observations into one datum per series and minute, CloudWatch's resolution."""
    folded: dict[tuple[Series, int], Counter[float]] = {}
    for observation in observations:
        minute = observation.timestamp_ms // _MINUTE_MS * _MINUTE_MS
        folded.setdefault((observation.series, minute), Counter()).update(observation.values)
    for (series, minute), counts in folded.items():
        values = list(counts.items())
        for start in range(0, len(values), MAX_VALUES):
            yield series.namespace, _datum(series, minute, values[start : start + MAX_VALUES])


def _datum(series: Series, minute: int, values: Sequence[tuple[float, int]]) -> MetricDatumTypeDef:
    unit = cast("StandardUnitType", series.unit)  # CloudWatch validates it
    return {
        "MetricName": series.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions],
        "Timestamp": datetime.fromtimestamp(minute / 1000, UTC),
        "Unit": unit,
        "Values": [value for value, _ in values],
        "Counts": [float(count) for _, count in values],
    }


def _dimensions(record: Mapping[str, Any], names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    missing = [name for name in names if name not in record]
    if missing:
        raise MalformedLineError(f"dimension {missing[0]!r} has no value")
    return tuple((name, str(record[name])) for name in names)


def _values(record: Mapping[str, Any], metric: str) -> tuple[float, ...]:
    raw = record.get(metric)
    values = raw if isinstance(raw, list) else [raw]
    numbers = tuple(float(it) for it in values if isinstance(it, int | float) and not isinstance(it, bool))
    if not numbers or len(numbers) != len(values):
        raise MalformedLineError(f"metric {metric!r} has no number")
    return numbers

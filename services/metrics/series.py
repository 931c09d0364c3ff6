"""A series: its Prometheus name and labels, and its CloudWatch query. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Literal

Labels = tuple[tuple[str, str], ...]
Statistic = Literal["Sum", "SampleCount", "Maximum"]


@dataclass(frozen=True, slots=True)
class Query:
    """One number for each minute."""

    namespace: str
    metric: str
    statistic: Statistic
    dimensions: Labels = ()

    def __str__(self) -> str:
        return f"{self.namespace} {self.metric} {self.statistic}"


@dataclass(frozen=True, slots=True)
class Measure:
    """Converts CloudWatch's floats to integers, which add up exactly, and back to Prometheus's unit."""

    stored_units: int
    """Whole units in one of CloudWatch's."""
    shown_units: int
    """Whole units in one of Prometheus's."""

    def to_units(self, value: float) -> int:
        return round(value * self.stored_units)

    def from_units(self, units: int) -> float:
        return units / self.shown_units


COUNT = Measure(1, 1)
SECONDS = Measure(1_000_000, 1_000_000)
MILLISECONDS = Measure(1_000, 1_000_000)  # shown as seconds
CAPACITY = Measure(1_000, 1_000)  # DynamoDB counts in halves


class Idle(Enum):
    """The value of a gauge without recent reports."""

    ZERO = "zero"
    """Empty resources are not reported."""
    ABSENT = "absent"
    """No value."""
    HELD = "held"
    """The last report holds until the next."""


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    labels: Labels
    query: Query
    measure: Measure = COUNT

    @property
    def key(self) -> str:
        """Its stable key in the ledger."""
        return f"{self.name}{{{','.join(f'{name}={value}' for name, value in self.labels)}}}"


@dataclass(frozen=True, slots=True)
class CounterFamily:
    name: str
    help: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class GaugeFamily:
    name: str
    help: str
    series: tuple[Series, ...]
    idle: Idle


@dataclass(frozen=True, slots=True)
class HistogramFamily:
    """Exact: each observation was counted into one bucket when it was made."""

    name: str
    help: str
    buckets: tuple[Series, ...]
    sum: Series
    count: Series


@dataclass(frozen=True, slots=True)
class SummaryFamily:
    name: str
    help: str
    pairs: tuple[tuple[Series, Series], ...]
    """Sum and count of each set of labels."""


Family = CounterFamily | GaugeFamily | HistogramFamily | SummaryFamily


@dataclass(frozen=True)
class Catalog:
    families: tuple[Family, ...]

    @cached_property
    def counters(self) -> tuple[Series, ...]:
        """Every counter that has to be read each time; the buckets of histograms are read on demand."""
        return tuple(self._counters())

    @cached_property
    def gauges(self) -> tuple[Series, ...]:
        return tuple(
            series for family in self.families if isinstance(family, GaugeFamily) for series in family.series
        )

    @cached_property
    def histograms(self) -> tuple[HistogramFamily, ...]:
        return tuple(family for family in self.families if isinstance(family, HistogramFamily))

    @property
    def size(self) -> int:
        return len(self.counters) + len(self.gauges) + sum(len(family.buckets) for family in self.histograms)

    def _counters(self) -> Iterator[Series]:
        for family in self.families:
            match family:
                case CounterFamily(series=series):
                    yield from series
                case SummaryFamily(pairs=pairs):
                    yield from (series for pair in pairs for series in pair)
                case HistogramFamily(sum=total, count=count):
                    yield from (total, count)
                case GaugeFamily():
                    pass

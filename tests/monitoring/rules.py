"""The repository's rules, their promtool cases and the runbooks they link to."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.shared.metric_names import Metric
from tests.monitoring.promql import metric_names

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "monitoring"
PROMETHEUS = MONITORING / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"

DECLARED_SERIES = {
    series for metric in Metric for series in (metric, metric.bucket, metric.sum, metric.observations)
}
"""The series of every declared metric, whichever type it has."""


@dataclass(frozen=True)
class Rule:
    """A recording rule or an alert."""

    name: str
    expression: str
    alert: bool
    severity: str
    annotations: dict[str, str]

    @property
    def id(self) -> str:
        return f"{self.name}-{self.severity}" if self.alert else self.name


@dataclass(frozen=True)
class Case:
    """The expectation of one promtool case for one alert at one time."""

    alert: str
    severities: frozenset[str]
    """Labels of the firing alerts; empty when the alert stays quiet."""
    series: frozenset[str]
    """Names of the input series."""


def load(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@cache
def rules() -> tuple[Rule, ...]:
    return tuple(_rules())


def _rules() -> Iterator[Rule]:
    for path in sorted(PROMETHEUS.glob("rules/*.yml")):
        for group in load(path)["groups"]:
            for rule in group["rules"]:
                yield Rule(
                    name=rule.get("alert") or rule["record"],
                    expression=rule["expr"],
                    alert="alert" in rule,
                    severity=rule.get("labels", {}).get("severity", ""),
                    annotations=rule.get("annotations", {}),
                )


@cache
def alerts() -> tuple[Rule, ...]:
    return tuple(rule for rule in rules() if rule.alert)


def case_files() -> list[Path]:
    return sorted(PROMETHEUS.glob("tests/*.yml"))


def sources(rule: Rule) -> set[str]:
    """Find the series that a rule depends on, through recording rules."""
    recorded = {one.name: one for one in rules() if not one.alert}
    names = metric_names(rule.expression)
    return {source for name in names for source in (sources(recorded[name]) if name in recorded else {name})}


@cache
def cases() -> tuple[Case, ...]:
    return tuple(
        Case(
            alert=case["alertname"],
            severities=frozenset(one["exp_labels"]["severity"] for one in case["exp_alerts"]),
            series=frozenset(one["series"].partition("{")[0] for one in test["input_series"]),
        )
        for path in case_files()
        for test in load(path)["tests"]
        for case in test["alert_rule_test"]
    )

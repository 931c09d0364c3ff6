"""Evaluates the conditions of CloudWatch alarms, as Terraform plans them, over readings of one period."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Dimensions = frozenset[tuple[str, str]]
Readings = Mapping[tuple[str, str, Dimensions], float]
"""Values of one period by namespace, metric and dimensions; a metric without data is absent."""

_FILL: Final = re.compile(r"FILL\((\w+), (\d+)\)")
_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
}


@dataclass(frozen=True)
class Alarm:
    """A planned aws_cloudwatch_metric_alarm."""

    planned: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.planned["alarm_name"])

    def is_breached(self, readings: Readings) -> bool:
        """Tell whether one period with these readings breaches the threshold."""
        value = self._value(readings)
        if value is None:
            return bool(self.planned["treat_missing_data"] == "breaching")
        comparison = _COMPARISONS[self.planned["comparison_operator"]]
        return comparison(value, self.planned["threshold"])

    def _value(self, readings: Readings) -> float | None:
        queries: Sequence[Mapping[str, Any]] = self.planned["metric_query"] or ()
        if not queries:
            return _reading(readings, self.planned)
        values = {it["id"]: _reading(readings, it["metric"][0]) for it in queries if it["metric"]}
        (expression,) = [it["expression"] for it in queries if it["return_data"]]
        return evaluate(expression, values)


def evaluate(expression: str, values: Mapping[str, float | None]) -> float | None:
    """Compute metric math of our alarms: arithmetic, comparisons, AND, IF and FILL."""

    def filled(match: re.Match[str]) -> str:
        value = values[match[1]]
        return match[2] if value is None else str(value)

    text = _FILL.sub(filled, expression)
    for name in sorted(set(re.findall(r"\b[a-z]\w*\b", text))):
        value = values[name]
        if value is None:
            return None
        text = re.sub(rf"\b{name}\b", str(value), text)
    try:
        result = eval(  # noqa: S307 -- an expression of our own Terraform
            text.replace("AND", "and"), {"__builtins__": {}, "IF": lambda test, yes, no: yes if test else no}
        )
    except ZeroDivisionError:
        return None
    return float(result)


def _reading(readings: Readings, metric: Mapping[str, Any]) -> float | None:
    dimensions = frozenset((metric["dimensions"] or {}).items())
    return readings.get((metric["namespace"], metric["metric_name"], dimensions))

"""Metric names, label names and label values are declared in metric_names.py and spelled nowhere else."""

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import get_args

import pytest

from services.shared import events
from services.shared.events import Event, OrderRejected
from services.shared.metric_names import LABEL_VALUES, REJECTIONS, Label, Metric

ROOT = Path(__file__).parents[3]
DECLARATION = ROOT / "services" / "shared" / "metric_names.py"
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for folder in ("services", "scripts", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path != DECLARATION
}
ABOUT_METRICS = ("services/metrics/", "scripts/grafana/")
"""Here a string that equals a label name or value is one; elsewhere it is often an ordinary word."""

EMITTERS = {"count", "observe", "_labelled"}
"""Functions that take labels as keyword arguments."""

_METRIC = re.compile(rf"(?<!\w)(?:{'|'.join(Metric)})(?:_bucket|_sum|_count)?(?!\w)")
_LABELS = "|".join(Label)
_PROMQL_LABEL = re.compile(
    rf'\b(?:{_LABELS})\s*(?:=~|!~|!=|=)\s*"|\{{\{{(?:{_LABELS})\}}\}}|\bby \((?:{_LABELS})\b'
)
_EVENTS = {
    event.detail_type()
    for event in vars(events).values()
    if isinstance(event, type) and issubclass(event, Event) and event is not Event
}
_LABEL_ENUMS: tuple[type[StrEnum], ...] = (Label, *LABEL_VALUES)
_WORDS = {str(value) for values in _LABEL_ENUMS for value in values} | _EVENTS


def literals(source: str, *, about_metrics: bool = False) -> Iterator[str]:
    """List the strings of a source text that spell what metric_names.py declares."""
    tree = ast.parse(source)
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                if _METRIC.search(text) or _PROMQL_LABEL.search(text) or (about_metrics and text in _WORDS):
                    yield f"line {node.lineno}: {text!r}"
            case ast.JoinedStr(values=[*parts]):
                yield from (
                    f"line {node.lineno}: {part.value!r}"
                    for part in parts
                    if isinstance(part, ast.Constant) and _starts_a_metric(str(part.value))
                )
            case ast.Call(keywords=[*keywords]) if _name(node.func) in EMITTERS:
                yield from (
                    f"line {node.lineno}: {keyword.arg}={keyword.value.value!r}"
                    for keyword in keywords
                    if isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str)
                )


def _starts_a_metric(text: str) -> bool:
    """Whether a part of an f-string ends with the start of a metric name: f"aws_sqs_messages_{state}"."""
    found = re.search(r"[a-z]+_[a-z_]*_$", text)
    return found is not None and any(metric.startswith(found[0]) for metric in Metric)


def _name(function: ast.expr) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def test_no_source_spells_a_metric_or_label_itself() -> None:
    found = {
        name: spelled
        for name, source in SOURCES.items()
        if (spelled := list(literals(source, about_metrics=name.startswith(ABOUT_METRICS))))
    }

    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        'rate("orders_total")',
        "f\"sum ({series('pulsequeue_info')})\"",
        '"order_settlement_duration_seconds_bucket"',
        "'orders_total{x}'",
        'f"aws_sqs_messages_{state}"',
        "'outcome=\"expired\"'",
        "'queue=~\".*-dlq\"'",
        '"{{function_name}}"',
        '"sum by (consumer) (x)"',
        'telemetry.count(metric, outcome="reserved")',
    ],
)
def test_a_literal_is_found_anywhere(source: str) -> None:
    assert list(literals(f"spelled = {source}"))


@pytest.mark.parametrize(
    "source", ['within(label, "expired")', '("outcome", outcome)', 'x("PaymentRequested")']
)
def test_a_label_is_found_where_metrics_are_described(source: str) -> None:
    assert list(literals(source, about_metrics=True))


@pytest.mark.parametrize(
    "source",
    ['"""Counts orders_total."""', '"aws_lambda_powertools"', "rate(Metric.ORDERS)", '{"reserved": 1}'],
)
def test_other_strings_are_left_alone(source: str) -> None:
    assert list(literals(source)) == []


def test_no_two_metrics_share_a_name() -> None:
    assert len({str(metric) for metric in Metric}) == len(Metric.__members__)


def test_rejection_reasons_are_those_of_the_event() -> None:
    assert set(map(str, REJECTIONS)) == set(get_args(OrderRejected.model_fields["reason"].annotation))

"""What is in the catalogue, and that it follows what is deployed."""

import ast
from dataclasses import replace
from pathlib import Path

from services.commands.domain import PUBLISHABLE
from services.metrics.catalog import catalog
from services.metrics.deployed_resources import DeployedFunction
from services.metrics.series import CAPACITY, MILLISECONDS, SECONDS
from services.shared import events
from services.shared.metric_names import Label, Metric
from tests.support.metrics_fakes import SMALL, series_of

SERVICES = Path(__file__).parents[3] / "services"


def test_no_two_series_share_a_key() -> None:
    assert len(series_of(SMALL)) == catalog(SMALL).size


def test_no_two_families_share_a_name() -> None:
    names = [family.name for family in catalog(SMALL).families]

    assert len(names) == len(set(names))


def test_no_series_shares_the_question_of_another() -> None:
    """Whoever sums over a metric must not meet the same observations twice."""
    questions = [series.query for series in series_of(SMALL).values()]

    assert len(questions) == len(set(questions))


def test_a_metric_of_ours_has_one_set_of_dimensions() -> None:
    names: dict[str, set[tuple[str, ...]]] = {}
    for series in series_of(SMALL).values():
        if series.query.namespace == "test-pulsequeue":
            dimensions = tuple(name for name, _ in series.query.dimensions)
            names.setdefault(series.query.metric, set()).add(dimensions)

    assert all(len(sets) == 1 for sets in names.values()), names


def test_a_new_function_has_its_series_by_existing() -> None:
    grown = replace(SMALL, functions={**SMALL.functions, "projector": DeployedFunction(512, queue=True)})

    new = series_of(grown).keys() - series_of(SMALL).keys()

    assert "aws_lambda_errors_total{function_name=test-pulsequeue-projector}" in new
    assert "aws_sqs_messages_visible{queue=test-pulsequeue-projector}" in new
    assert "aws_sqs_messages_visible{queue=test-pulsequeue-projector-dlq}" in new
    assert "poison_events_total{consumer=projector}" in new
    assert "aws_events_failed_invocations_total{rule=test-pulsequeue-projector}" in new


def test_a_function_without_a_queue_has_no_queue_series() -> None:
    keys = series_of(SMALL).keys()

    assert "aws_lambda_errors_total{function_name=test-pulsequeue-collector}" in keys
    assert not [key for key in keys if "queue=test-pulsequeue-collector" in key]


def test_the_help_of_a_family_names_where_its_numbers_come_from() -> None:
    helps = {family.name: family.help for family in catalog(SMALL).families}

    assert helps["orders_total"].endswith("CloudWatch: test-pulsequeue orders_total Sum")
    assert "AWS/Lambda Duration Sum; AWS/Lambda Duration SampleCount" in helps["aws_lambda_duration_seconds"]


def test_seconds_are_kept_in_whole_microseconds_and_capacity_in_thousandths() -> None:
    assert SECONDS.from_units(SECONDS.to_units(0.1) + SECONDS.to_units(0.2)) == 0.3
    assert MILLISECONDS.from_units(MILLISECONDS.to_units(1234.56)) == 1.23456
    assert CAPACITY.from_units(CAPACITY.to_units(0.5)) == 0.5


def test_every_event_that_a_function_publishes_is_counted() -> None:
    kinds = {name for name, value in vars(events).items() if _is_event(value)}
    made = {
        node.id
        for service in ("order", "payment", "commands")
        for path in sorted((SERVICES / service).glob("*.py"))
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        for node in ast.walk(call.func)
        if isinstance(node, ast.Name)
    }

    counted = {
        dict(series.labels)[Label.EVENT]
        for series in series_of(SMALL).values()
        if series.name == Metric.EVENTS_PUBLISHED
    }

    assert (made & kinds) | {*PUBLISHABLE} == counted


def _is_event(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, events.Event)

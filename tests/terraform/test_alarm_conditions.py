"""The evaluator of alarm conditions computes as CloudWatch does."""

import pytest

from tests.terraform.alarm_conditions import Alarm, Readings, evaluate

AGE = {
    "alarm_name": "age",
    "namespace": "AWS/SQS",
    "metric_name": "Age",
    "dimensions": {"QueueName": "order"},
    "comparison_operator": "GreaterThanThreshold",
    "threshold": 600,
    "treat_missing_data": "notBreaching",
    "metric_query": [],
}
KEY = ("AWS/SQS", "Age", frozenset({("QueueName", "order")}))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("IF(placed > 0 AND (FILL(paid, 0) + FILL(gone, 0)) == 0, 1, 0)", 0),
        ("IF(placed > 0 AND FILL(gone, 0) == 0, 1, 0)", 1),
        ("placed - FILL(gone, 0)", 3),
        ("100 * paid / placed", 200 / 3),
        ("IF(gone > 0, 1, 0)", None),
        ("100 * placed / none", None),
    ],
)
def test_an_expression_has_its_value_or_none_where_data_is_missing(
    expression: str, expected: float | None
) -> None:
    values = {"placed": 3.0, "paid": 2.0, "gone": None, "none": 0.0}

    assert evaluate(expression, values) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("changes", "readings", "breached"),
    [
        ({}, {KEY: 601.0}, True),
        ({}, {KEY: 600.0}, False),
        ({}, {}, False),
        ({"treat_missing_data": "breaching"}, {}, True),
        ({"comparison_operator": "LessThanThreshold", "threshold": 1}, {KEY: 0.0}, True),
        ({"dimensions": {"QueueName": "payment"}}, {KEY: 601.0}, False),
    ],
)
def test_a_condition_compares_its_own_metric(
    changes: dict[str, object], readings: Readings, breached: bool
) -> None:
    assert Alarm({**AGE, **changes}).is_breached(readings) is breached

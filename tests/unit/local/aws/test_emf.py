import json
from typing import Any

import pytest

from scripts.local.aws.emf import (
    MAX_VALUES,
    MalformedLineError,
    Observation,
    Series,
    condense,
    parse_emf,
    parse_invocation,
)

MINUTE_MS = 60_000
AT = 1_795_226_708_873


def emf(*directives: dict[str, Any], **values: object) -> str:
    return json.dumps({"_aws": {"Timestamp": AT, "CloudWatchMetrics": list(directives)}, **values})


def directive(metric: str, *dimensions: list[str], unit: str = "Count") -> dict[str, Any]:
    return {
        "Namespace": "local-pulsequeue",
        "Dimensions": list(dimensions),
        "Metrics": [{"Name": metric, "Unit": unit}],
    }


def test_a_line_as_powertools_writes_it_is_read() -> None:
    line = (
        '{"_aws":{"Timestamp":1795226708873,"CloudWatchMetrics":[{"Namespace":"local-pulsequeue",'
        '"Dimensions":[["operation","outcome"]],"Metrics":[{"Name":"inventory_operations_total",'
        '"Unit":"Count"}]}]},"operation":"reserve","outcome":"done","inventory_operations_total":[10.0]}'
    )

    (observation,) = parse_emf(line)

    assert observation == Observation(
        Series(
            "local-pulsequeue",
            "inventory_operations_total",
            (("operation", "reserve"), ("outcome", "done")),
            "Count",
        ),
        (10.0,),
        AT,
    )


def test_each_directive_and_each_dimension_set_is_a_series_of_its_own() -> None:
    line = emf(directive("a", ["x"], ["x", "y"]), directive("b", []), a=1, b=[2, 3.5], x="1", y=2)

    message = [(it.series.name, it.series.dimensions, it.values) for it in parse_emf(line)]

    assert message == [
        ("a", (("x", "1"),), (1.0,)),
        ("a", (("x", "1"), ("y", "2")), (1.0,)),
        ("b", (), (2.0, 3.5)),
    ]


def test_no_dimensions_at_all_is_one_series_without_any() -> None:
    assert [it.series.dimensions for it in parse_emf(emf(directive("a"), a=1))] == [()]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "START RequestId: 1 Version: $LATEST",
        '{"level":"INFO","message":"order reserved"}',
        '{"message":"quotes \\"_aws\\" only"}',
        '["_aws"]',
    ],
)
def test_other_lines_say_nothing(line: str) -> None:
    assert parse_emf(line) == []


@pytest.mark.parametrize(
    "line",
    [
        '{"_aws": {"Timestamp": 1, ',
        '{"_aws": null}',
        '{"_aws": {"Timestamp": "noon", "CloudWatchMetrics": []}}',
        emf(directive("a", ["x"]), a=1),
        emf(directive("a")),
        emf(directive("a"), a="many"),
        emf(directive("a"), a=True),
        emf(directive("a"), a=[]),
        emf(directive("a"), a=[1, None]),
    ],
)
def test_a_line_that_claims_metrics_and_has_none_is_an_error(line: str) -> None:
    with pytest.raises(MalformedLineError):
        parse_emf(line)


def test_equal_values_of_a_minute_are_told_once_with_their_count() -> None:
    series = Series("n", "m", (("x", "1"),), "Count")
    minute = AT // MINUTE_MS * MINUTE_MS

    ((namespace, datum),) = condense(
        [Observation(series, (1.0, 1.0, 2.0), minute), Observation(series, (1.0,), minute + 59_999)]
    )

    assert namespace == "n"
    assert datum["Values"] == [1.0, 2.0]
    assert datum["Counts"] == [3.0, 1.0]
    assert datum["Dimensions"] == [{"Name": "x", "Value": "1"}]


def test_minutes_and_series_stay_apart() -> None:
    one, other = Series("n", "m", ()), Series("n", "m", (("x", "1"),))

    data = list(
        condense(
            [
                Observation(one, (1.0,), 0),
                Observation(one, (1.0,), MINUTE_MS),
                Observation(other, (1.0,), 0),
            ]
        )
    )

    assert len(data) == 3


def test_more_values_than_a_datum_holds_become_several() -> None:
    values = tuple(float(number) for number in range(MAX_VALUES + 1))

    data = [datum for _, datum in condense([Observation(Series("n", "m", ()), values, 0)])]

    assert [len(datum["Values"]) for datum in data] == [MAX_VALUES, 1]


REPORT = "REPORT RequestId: 1-2\tDuration: 12.5 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB"


def samples_of(*lines: str) -> dict[str, tuple[float, ...]]:
    return {it.series.name: it.values for it in parse_invocation("f", AT, lines)}


def test_a_report_is_an_invocation_with_its_duration() -> None:
    assert samples_of("START RequestId: 1-2", REPORT) == {
        "Invocations": (1.0,),
        "Errors": (0.0,),
        "Throttles": (0.0,),
        "Duration": (12.5,),
    }


@pytest.mark.parametrize(
    "line",
    ["Traceback (most recent call last):", "Task timed out after 1.00 seconds", "[ERROR] ValueError: x"],
)
def test_a_traceback_or_a_time_out_makes_it_an_error(line: str) -> None:
    assert samples_of(line, REPORT)["Errors"] == (1.0,)


def test_an_error_that_was_logged_and_dealt_with_is_none() -> None:
    assert samples_of('{"level":"ERROR","exception":"Traceback (most recent call last):"}', REPORT)[
        "Errors"
    ] == (0.0,)


def test_lines_without_a_report_say_nothing() -> None:
    assert samples_of("hello") == {}

"""Numbers through the log: exact, and never counted twice."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.shared.adapters.telemetry import PowertoolsTelemetry
from services.shared.log_events import LogEvent
from tests.support.builders import a_key


@pytest.fixture
def telemetry() -> PowertoolsTelemetry:
    return PowertoolsTelemetry("order", "test-pulsequeue")


class Log:
    """What was printed since it was last asked."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def documents(self) -> list[dict[str, Any]]:
        return [line for line in self._lines() if "_aws" in line]

    def messages(self) -> list[dict[str, Any]]:
        return [line for line in self._lines() if "_aws" not in line]

    def _lines(self) -> Iterator[dict[str, Any]]:
        return map(json.loads, self._capsys.readouterr().out.splitlines())


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Log:
    return Log(capsys)


def samples(documents: list[dict[str, Any]]) -> dict[tuple[str, frozenset[tuple[str, str]]], list[float]]:
    """Every value of every metric and label set, the way CloudWatch would read it."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], list[float]] = {}
    for document in documents:
        (directive,) = document["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "test-pulsequeue"
        (dimensions,) = directive["Dimensions"]
        labels = frozenset((name, document[name]) for name in dimensions)
        for metric in directive["Metrics"]:
            assert len(document[metric["Name"]]) <= 100
            found.setdefault((metric["Name"], labels), []).extend(document[metric["Name"]])
    return found


def labelled(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


# --- documents ----------------------------------------------------------------------------------------


def test_counts_are_added_up_over_the_batch(telemetry: PowertoolsTelemetry, log: Log) -> None:
    telemetry.count("orders_total", outcome="reserved")
    telemetry.count("orders_total", 2, outcome="reserved")
    telemetry.count("orders_total", outcome="rejected")

    telemetry.flush()

    assert samples(log.documents()) == {
        ("orders_total", labelled(outcome="reserved")): [3],
        ("orders_total", labelled(outcome="rejected")): [1],
    }


def test_metrics_with_the_same_labels_share_a_document(telemetry: PowertoolsTelemetry, log: Log) -> None:
    telemetry.count("orders_total", outcome="reserved")
    telemetry.count("payments_total", outcome="reserved")

    telemetry.flush()

    assert len(log.documents()) == 1


def test_the_order_of_labels_makes_no_difference(telemetry: PowertoolsTelemetry, log: Log) -> None:
    telemetry.count("inventory_operations_total", operation="reserve", outcome="done")
    telemetry.count("inventory_operations_total", outcome="done", operation="reserve")

    telemetry.flush()

    assert list(samples(log.documents()).values()) == [[2]]


def test_an_observation_counts_into_one_bucket_and_keeps_its_value(
    telemetry: PowertoolsTelemetry, log: Log
) -> None:
    telemetry.observe("order_processing_duration_seconds", 0.03)
    telemetry.observe("order_processing_duration_seconds", 0.04)
    telemetry.observe("order_processing_duration_seconds", 99.0)

    telemetry.flush()

    assert samples(log.documents()) == {
        ("order_processing_duration_seconds_bucket", labelled(le="0.05")): [2],
        ("order_processing_duration_seconds_bucket", labelled(le="+Inf")): [1],
        ("order_processing_duration_seconds", labelled()): [0.03, 0.04, 99.0],
    }


def test_parts_of_a_unit_are_added_up_too(telemetry: PowertoolsTelemetry, log: Log) -> None:
    telemetry.count("dynamodb_capacity_units_total", 0.5, table="orders", kind="read")
    telemetry.count("dynamodb_capacity_units_total", 2, table="orders", kind="read")

    telemetry.flush()

    assert samples(log.documents()) == {
        ("dynamodb_capacity_units_total", labelled(table="orders", kind="read")): [2.5]
    }


def test_an_observation_is_told_to_the_microsecond_and_its_bucket_agrees(
    telemetry: PowertoolsTelemetry, log: Log
) -> None:
    telemetry.observe("order_processing_duration_seconds", 0.0100000004)
    telemetry.observe("order_processing_duration_seconds", 0.1234567)

    telemetry.flush()

    assert samples(log.documents()) == {
        ("order_processing_duration_seconds_bucket", labelled(le="0.01")): [1],
        ("order_processing_duration_seconds_bucket", labelled(le="0.25")): [1],
        ("order_processing_duration_seconds", labelled()): [0.01, 0.123457],
    }


class _Interrupted(float):
    """A number that lets other threads go first while it is being added."""

    def __radd__(self, other: float) -> float:
        time.sleep(0)
        return other + float(self)


def test_what_many_threads_count_is_all_told_though_it_is_written_out_meanwhile(
    telemetry: PowertoolsTelemetry, log: Log
) -> None:
    def work(_: int) -> None:
        for _ in range(100):
            telemetry.count("calls_total", _Interrupted(1), table="orders")
            telemetry.observe("call_duration_seconds", 0.03)

    with ThreadPoolExecutor(8) as pool:
        working = [pool.submit(work, n) for n in range(8)]
        while not all(one.done() for one in working):
            telemetry.flush()
    telemetry.flush()

    found = samples(log.documents())
    assert sum(found["calls_total", labelled(table="orders")]) == 800
    assert sum(found["call_duration_seconds_bucket", labelled(le="0.05")]) == 800
    assert len(found["call_duration_seconds", labelled()]) == 800


@pytest.mark.parametrize("many", [99, 100, 101, 200, 250])
def test_every_observation_is_kept_however_many_there_are(
    telemetry: PowertoolsTelemetry, log: Log, many: int
) -> None:
    for n in range(many):
        telemetry.observe("order_processing_duration_seconds", n / 1_000)
        telemetry.observe("payment_processing_duration_seconds", n / 100)

    telemetry.flush()

    found = samples(log.documents())
    assert found["order_processing_duration_seconds", labelled()] == [n / 1_000 for n in range(many)]
    assert found["payment_processing_duration_seconds", labelled()] == [n / 100 for n in range(many)]
    assert sum(sum(values) for (name, _), values in found.items() if name.endswith("_bucket")) == 2 * many


def test_the_service_is_no_dimension_even_when_the_environment_names_one(
    monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "somebody")
    telemetry = PowertoolsTelemetry("order", "test-pulsequeue")
    telemetry.count("orders_total", outcome="reserved")
    telemetry.observe("order_processing_duration_seconds", 0.03)

    telemetry.flush()

    assert all("service" not in document for document in log.documents())


def test_nothing_is_written_when_nothing_happened(telemetry: PowertoolsTelemetry, log: Log) -> None:
    with telemetry.invocation(None):
        pass

    assert log.documents() == []


def test_what_was_written_is_not_written_again(telemetry: PowertoolsTelemetry, log: Log) -> None:
    telemetry.count("orders_total", outcome="reserved")
    telemetry.observe("order_processing_duration_seconds", 0.03)
    telemetry.flush()
    log.documents()

    telemetry.flush()

    assert log.documents() == []


def test_the_numbers_of_an_invocation_that_fails_are_written_too(
    telemetry: PowertoolsTelemetry, log: Log
) -> None:
    def fail() -> None:
        with telemetry.invocation(None):
            telemetry.count("orders_total", outcome="reserved")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert samples(log.documents()) == {("orders_total", labelled(outcome="reserved")): [1]}


# --- lines --------------------------------------------------------------------------------------------


# Powertools keeps one logger per service for ever, with the output it first had: so each test has its own.


def test_a_line_names_its_order_and_its_facts(log: Log) -> None:
    telemetry = PowertoolsTelemetry("facts", "test-pulsequeue")

    telemetry.info(LogEvent.ORDER_RESERVED, a_key("order-1"), amount_minor=1_000)

    (line,) = log.messages()
    assert (line["level"], line["event"]) == ("INFO", "order.reserved")
    assert (line["order_id"], line["tenant_id"], line["amount_minor"]) == ("order-1", "default", 1_000)


def test_an_unforeseen_error_is_told_with_its_traceback(log: Log) -> None:
    telemetry = PowertoolsTelemetry("errors", "test-pulsequeue")

    telemetry.error(LogEvent.BATCH_FAILED, ZeroDivisionError("oops"))

    (line,) = log.messages()
    assert (line["level"], line["event"]) == ("ERROR", "batch.failed")
    assert line["exception_name"] == "ZeroDivisionError"

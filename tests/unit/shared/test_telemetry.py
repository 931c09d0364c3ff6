"""What is counted of stock operations, and the stopwatch."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.shared.ledger import Committed, Found, Status, Unsettled
from services.shared.telemetry import Stopwatch, record_inventory_operation, record_settlement_time
from tests.support.builders import reserved
from tests.support.fakes import START, RecordingTelemetry


def labelled(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


THREE = reserved("order-1", {"a": 2, "b": 1})


def test_a_reservation_counts_its_operation_and_its_units() -> None:
    telemetry = RecordingTelemetry()

    record_inventory_operation(telemetry, Status.RESERVED, Committed(THREE))

    assert telemetry.counted("inventory_operations_total", operation="reserve", outcome="done") == 1
    assert telemetry.counted("inventory_units_total", operation="reserve") == 3


def test_a_rejection_counts_its_reason_and_no_units() -> None:
    telemetry = RecordingTelemetry()
    rejected = replace(THREE, status=Status.REJECTED, reason="out_of_stock")

    record_inventory_operation(telemetry, Status.RESERVED, Committed(rejected))

    assert dict(telemetry.counts) == {
        ("inventory_operations_total", labelled(operation="reserve", outcome="out_of_stock")): 1
    }


def test_contention_is_counted_as_what_it_is() -> None:
    telemetry = RecordingTelemetry()

    record_inventory_operation(telemetry, Status.RESERVED, Unsettled("contention"))

    assert dict(telemetry.counts) == {
        ("inventory_operations_total", labelled(operation="reserve", outcome="contended")): 1
    }


def test_an_order_found_done_moved_no_stock() -> None:
    telemetry = RecordingTelemetry()

    record_inventory_operation(telemetry, Status.RESERVED, Found(THREE))

    assert telemetry.counts == {}


@pytest.mark.parametrize(("restocked", "operations"), [(True, {"restock"}), (False, set())])
def test_a_refund_moves_stock_only_when_the_goods_came_back(restocked: bool, operations: set[str]) -> None:
    telemetry = RecordingTelemetry()
    refunded = replace(THREE, status=Status.REFUNDED)

    record_inventory_operation(telemetry, Status.REFUNDED, Committed(refunded), restocked=restocked)

    assert {dict(labels)["operation"] for _, labels in telemetry.counts} == operations


def test_a_stopwatch_tells_the_time_since_it_was_made() -> None:
    times = iter([10.0, 12.5])

    assert Stopwatch(lambda: next(times)).seconds() == 2.5


@pytest.mark.parametrize(
    ("placed_at", "seconds"),
    [
        (START, 0.0),
        (START - timedelta(seconds=3), 3.0),
        (START + timedelta(seconds=3), 0.0),
        (START - timedelta(days=7), 604_800.0),
    ],
)
def test_the_time_to_settlement_is_observed(placed_at: datetime, seconds: float) -> None:
    telemetry = RecordingTelemetry()

    record_settlement_time(telemetry, replace(THREE, placed_at=placed_at), START)

    assert telemetry.observations == [("order_settlement_duration_seconds", seconds)]
    assert telemetry.counted("order_placed_implausible_total") == 0


@pytest.mark.parametrize(
    "placed_at", [datetime(1, 1, 1, tzinfo=UTC), START - timedelta(days=8), START + timedelta(days=8)]
)
def test_an_implausible_time_is_counted_apart_and_stays_out_of_the_sum(placed_at: datetime) -> None:
    telemetry = RecordingTelemetry()

    record_settlement_time(telemetry, replace(THREE, placed_at=placed_at), START)

    assert telemetry.observations == []
    assert telemetry.counted("order_placed_implausible_total") == 1

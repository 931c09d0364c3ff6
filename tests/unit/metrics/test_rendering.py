"""What a scraper reads: checked by the client library's own parsers, and for what they let pass."""

import gzip
import json
import zlib
from collections import Counter as Tallied
from collections.abc import Iterator
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Sample

from services.metrics.catalog import catalog
from services.metrics.counters import Counter, Ledger
from services.metrics.rendering import IDLE_MINUTES, Rendering
from services.metrics.snapshot import Format, Snapshot, Tally
from tests.support.metrics_fakes import SMALL

NOW = 1_760_000_070
MINUTE = NOW // 60


def page(ledger: Ledger, form: Format = Format.TEXT) -> str:
    snapshot = Snapshot(7, NOW, ledger, Tally(3, 450, 1))
    return gzip.decompress(Rendering(SMALL, catalog(SMALL), snapshot, 0.25).pages()[form]).decode()


def lines(text: str, name: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))]


FULL = (
    Ledger(watermark=MINUTE - 60)
    .counting(
        {
            "orders_total{outcome=reserved}": {MINUTE: 5, MINUTE - 1: 2},
            "order_settlement_duration_seconds_sum{}": {MINUTE: 3_500_000},
            "order_settlement_duration_seconds_count{}": {MINUTE: 4},
            "order_settlement_duration_seconds_bucket{le=0.5}": {MINUTE: 3},
            "order_settlement_duration_seconds_bucket{le=5}": {MINUTE: 1},
            "aws_lambda_duration_seconds_sum{function_name=test-pulsequeue-order}": {MINUTE: 1_234_560},
            "aws_lambda_duration_seconds_count{function_name=test-pulsequeue-order}": {MINUTE: 9},
        }
    )
    .gauging({"aws_sqs_messages_visible{queue=test-pulsequeue-order}": {MINUTE: 12}})
)


def test_known_label_sets_start_at_zero() -> None:
    assert lines(page(Ledger(watermark=MINUTE - 60)), "orders_total") == [
        f'orders_total{{outcome="{outcome}"}} 0.0'
        for outcome in ("reserved", "rejected", "duplicate", "conflicted", "cancelled", "expired")
    ]


def test_a_counter_shows_its_closed_and_open_minutes() -> None:
    assert 'orders_total{outcome="reserved"} 7.0' in page(FULL)


def test_a_histogram_is_cumulative_and_ends_with_its_count() -> None:
    rendered = lines(page(FULL), "order_settlement_duration_seconds_bucket")

    assert [line.split()[-1] for line in rendered] == ["0.0"] * 5 + ["3.0"] * 3 + ["4.0"] * 3
    assert rendered[5].startswith('order_settlement_duration_seconds_bucket{le="0.5"}')
    assert rendered[-1].startswith('order_settlement_duration_seconds_bucket{le="+Inf"}')
    assert "order_settlement_duration_seconds_count 4.0" in page(FULL)
    assert "order_settlement_duration_seconds_sum 3.5" in page(FULL)


def test_milliseconds_of_cloudwatch_are_shown_as_seconds() -> None:
    assert 'aws_lambda_duration_seconds_sum{function_name="test-pulsequeue-order"} 1.23456' in page(FULL)


def test_a_queue_nobody_reports_on_is_empty() -> None:
    key = "aws_sqs_messages_visible{queue=test-pulsequeue-order}"
    old = Ledger(watermark=0).gauging({key: {MINUTE - IDLE_MINUTES: 12}})

    assert 'aws_sqs_messages_visible{queue="test-pulsequeue-order"} 12.0' in page(FULL)
    assert 'aws_sqs_messages_visible{queue="test-pulsequeue-order"} 0.0' in page(old)


def test_an_idle_function_has_no_longest_run() -> None:
    key = "aws_lambda_duration_maximum_seconds{function_name=test-pulsequeue-order}"
    fresh = Ledger(watermark=0).gauging({key: {MINUTE: 1_500_000}})
    old = Ledger(watermark=0).gauging({key: {MINUTE - IDLE_MINUTES: 1_500_000}})

    assert lines(page(fresh), "aws_lambda_duration_maximum_seconds") == [
        'aws_lambda_duration_maximum_seconds{function_name="test-pulsequeue-order"} 1.5'
    ]
    assert lines(page(old), "aws_lambda_duration_maximum_seconds") == []


def test_the_last_audit_stands_until_the_next() -> None:
    old = Ledger(watermark=0).gauging({"audit_reserved_drift_units{}": {MINUTE - 100_000: 2}})

    assert lines(page(old), "audit_reserved_drift_units") == ["audit_reserved_drift_units 2.0"]
    assert lines(page(FULL), "audit_reserved_drift_units") == []


@pytest.mark.parametrize("ledger", [Ledger(watermark=MINUTE - 60), FULL])
def test_both_formats_say_the_same(ledger: Ledger) -> None:
    text = {(s.name, frozenset(s.labels.items())): s.value for s in text_samples(page(ledger))}
    open_metrics = {
        (s.name, frozenset(s.labels.items())): s.value
        for family in parse_openmetrics(page(ledger, Format.OPENMETRICS))  # type: ignore[no-untyped-call]
        for s in family.samples
    }

    assert text == open_metrics


@pytest.mark.parametrize("form", list(Format))
def test_no_sample_is_shown_twice(form: Format) -> None:
    """Neither parser minds; Prometheus does."""
    samples = [line.rsplit(" ", 1)[0] for line in page(FULL, form).splitlines() if not line.startswith("#")]

    assert [sample for sample, times in Tallied(samples).items() if times > 1] == []


@pytest.mark.parametrize("form", list(Format))
def test_every_family_has_one_type_one_help_and_its_samples_together(form: Format) -> None:
    kinds = Tallied(
        tuple(line.split()[1:3])
        for line in page(FULL, form).splitlines()
        if line.startswith("# ") and " " in line
    )

    assert {times for head, times in kinds.items() if head != ("EOF",)} == {1}


def test_no_sample_carries_a_timestamp() -> None:
    assert all(sample.timestamp is None for sample in text_samples(page(FULL)))


def test_the_numbers_about_the_numbers_are_there() -> None:
    text = page(FULL)

    assert "pulsequeue_metrics_watermark_timestamp_seconds 1.75999644e+09" in text
    assert 'pulsequeue_info{environment="test",region="us-east-1"} 1.0' in text
    assert "pulsequeue_metrics_requested_total 450.0" in text
    assert (
        'pulsequeue_function_memory_bytes{function_name="test-pulsequeue-collector"} 5.36870912e+08' in text
    )


def test_the_same_snapshot_gives_the_same_bytes() -> None:
    snapshot = Snapshot(7, NOW, FULL, Tally())

    first, second = (Rendering(SMALL, catalog(SMALL), snapshot, 0.25).pages() for _ in range(2))

    assert first == second


@pytest.mark.parametrize("ledger", [FULL, FULL.closed(MINUTE), FULL.closed(MINUTE + 2000)])
def test_a_snapshot_is_decoded_as_it_was_encoded(ledger: Ledger) -> None:
    known = replace(ledger.knowing(["payments_total{outcome=failed}"]), pending=frozenset({"orders_total{}"}))
    snapshot = Snapshot(7, NOW, known, Tally(3, 450, 1))

    assert Snapshot.decoded(snapshot.encoded()) == snapshot


def test_a_snapshot_without_kept_hours_is_still_read() -> None:
    document = {
        "version": 7,
        "collectedAt": NOW,
        "watermark": MINUTE - 60,
        "tally": [3, 450, 1],
        "counters": {"orders_total{outcome=reserved}": [40, 59, 2, 60, 5]},
        "gauges": {},
    }

    ledger = Snapshot.decoded(zlib.compress(json.dumps(document).encode())).ledger

    assert ledger.counter("orders_total{outcome=reserved}") == Counter(
        40, {MINUTE - 1: 2, MINUTE: 5}, since=MINUTE - 60
    )


def text_samples(text: str) -> Iterator[Sample]:
    for family in parse_text(text):
        yield from family.samples

"""`pulsequeue metrics`: one parsed scrape, and its errors."""

import pytest

from scripts.common.errors import ToolError
from scripts.local.aws.emulator import free_port
from scripts.ops.metrics_page import Address, fetch, samples
from tests.monitoring.exposition import TOKEN, serving

PAGE = """\
# TYPE waited_seconds histogram
waited_seconds_bucket{le="0.5"} 1
waited_seconds_bucket{le="+Inf"} 2
waited_seconds_count 2
waited_seconds_sum 3.5
# TYPE orders_total counter
orders_total{outcome="reserved"} 7
"""


def test_the_page_is_read_with_the_token() -> None:
    with serving() as url:
        assert 'orders_total{outcome="reserved"} 7' in fetch(Address(url, TOKEN))


def test_a_refusal_is_reported_with_its_status() -> None:
    with serving() as url, pytest.raises(ToolError, match="answered 401"):
        fetch(Address(url, "guessed"))


def test_an_unreachable_endpoint_is_reported_with_its_address() -> None:
    url = f"http://127.0.0.1:{free_port()}/metrics"

    with pytest.raises(ToolError, match=f"{url} does not answer"):
        fetch(Address(url, TOKEN))


def test_buckets_are_shown_to_those_who_ask() -> None:
    assert [it.name for it in samples(PAGE)] == ["waited_seconds_count", "waited_seconds_sum", "orders_total"]
    assert [it.labels["le"] for it in samples(PAGE, "waited_seconds_bucket")] == ["0.5", "+Inf"]


def test_a_name_chooses() -> None:
    (sample,) = samples(PAGE, "orders")

    assert (sample.name, sample.labels, sample.value) == ("orders_total", {"outcome": "reserved"}, 7)

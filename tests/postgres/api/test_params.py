"""Invalid parameters are rejected before any query runs; the response says what to correct."""

from collections.abc import Mapping

import pytest

from tests.postgres.api.client import ApiClient, out_of_reach

UNDERSTOOD = 503
"""With valid parameters, the unreachable database is the next error."""


@pytest.fixture
def client() -> ApiClient:
    return ApiClient(out_of_reach())


ORDERS, MRR, CHURN = "/api/orders", "/api/metrics/mrr", "/api/metrics/churn"
COHORTS, SUMMARY = "/api/metrics/cohorts", "/api/metrics/summary"
REGIONS, PRODUCTS, LAST_MONTH = "/api/pipeline/by-region", "/api/pipeline/by-product", "/api/sales/last-month"


@pytest.mark.parametrize(
    ("path", "query", "parameter"),
    [
        *(
            (ORDERS, {"limit": limit}, "limit")
            for limit in ("0", "201", "10000", "x", "", "-1", "1.0", "1_0", " 1")
        ),
        *((PRODUCTS, {"limit": limit}, "limit") for limit in ("0", "201", "\u0663")),
        *((ORDERS, {"status": status}, "status") for status in ("", "confirmed", "LOST")),
        *((ORDERS, {"customer": name}, "customer") for name in ("", " ann", "a#b", "a\x00b", "a" * 129)),
        *(
            (path, {"month": month}, "month")
            for path in (MRR, CHURN)
            for month in (
                "2026-13",
                "2026-1",
                "2026-00",
                "2026-01-01",
                "",
                "2026-02",
                "9999-01",
                "\u0662026-01",
            )
        ),
        *(
            (path, {name: day}, name)
            for path in (ORDERS, SUMMARY, REGIONS, PRODUCTS)
            for name in ("from", "to")
            for day in ("2026-02-30", "2026-2-3", "20260203", "2026-02-03T00:00:00Z", "1", "now", "")
        ),
        *((path, {"from": "2026-01-02", "to": "2026-01-02"}, "to") for path in (ORDERS, SUMMARY, REGIONS)),
        *((path, {"from": "2026-01-02", "to": "2026-01-01"}, "to") for path in (ORDERS, PRODUCTS)),
        (SUMMARY, {"from": "2027-01-01"}, "to"),
        *(
            (path, {"from": "2025-01-01", "to": "2026-01-03"}, "from")
            for path in (SUMMARY, REGIONS, PRODUCTS)
        ),
        (COHORTS, {"from": "2022-01", "to": "2025-02"}, "from"),
        (COHORTS, {"from": "2026-01", "to": "2026-01"}, "to"),
        (COHORTS, {"basis": "week"}, "basis"),
        (LAST_MONTH, {"from": "2026-01-01"}, "from"),
        ("/api/orders/o-1", {"orderId": "o-2"}, "orderId"),
        ("/api/orders/o%231", {}, "orderId"),
        (f"/api/orders/{'o' * 129}", {}, "orderId"),
        ("/api/openapi.json", {"x": "1"}, "x"),
        (MRR, {"month": "2" * 257}, "month"),
        (ORDERS, {"cursor": "2" * 1025}, "cursor"),
    ],
)
def test_a_bad_parameter_is_named_with_what_is_wrong(
    client: ApiClient, path: str, query: Mapping[str, str], parameter: str
) -> None:
    answer = client.ask(path, query)

    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert list(answer.errors) == [parameter]
    assert answer.body["status"] == 422


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (ORDERS, {"limit": "200", "status": "PLACED", "customer": "ann b", "from": "1999-01-01"}),
        (ORDERS, {"from": "1900-01-01", "to": "2999-12-31"}),
        (MRR, {"month": "2026-01"}),
        (CHURN, {"month": "1900-01"}),
        (COHORTS, {"from": "2022-01", "to": "2025-01", "basis": "subscription"}),
        (COHORTS, {"to": "1900-01"}),
        (SUMMARY, {"from": "2024-12-31", "to": "2026-01-01"}),
        (SUMMARY, {"to": "1900-01-01"}),
        (REGIONS, {"from": "2026-01-31"}),
        (PRODUCTS, {"to": "2024-02-29", "limit": "1"}),
    ],
)
def test_what_can_be_meant_is_understood(client: ApiClient, path: str, query: Mapping[str, str]) -> None:
    assert client.ask(path, query).status == UNDERSTOOD


def test_an_unknown_parameter_is_answered_with_the_known_ones(client: ApiClient) -> None:
    answer = client.ask(SUMMARY, {"form": "2026-01-01"})

    assert answer.errors == {"form": "is unknown; this route takes: from, to"}


def test_a_parameter_given_twice_is_refused_even_with_the_same_value(client: ApiClient) -> None:
    answer = client.ask(ORDERS, [("status", "PLACED"), ("status", "PLACED")])

    assert answer.errors == {"status": "must be given once"}


def test_a_value_that_is_too_long_is_refused_for_its_length(client: ApiClient) -> None:
    answer = client.ask(MRR, {"month": "2" * 257})

    assert answer.errors == {"month": "must have at most 256 characters"}


def test_every_fault_is_told_at_once(client: ApiClient) -> None:
    answer = client.ask(ORDERS, {"limit": "x", "status": "LOST"})

    assert set(answer.errors) == {"limit", "status"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/",
        "/api/orders/",
        "/api/metrics",
        "/api/metrics/mrr/",
        "/API/orders",
        "/api/orders\n",
    ],
)
def test_what_is_not_there_is_told_as_a_problem(client: ApiClient, path: str) -> None:
    answer = client.ask(path)

    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "/api/openapi.json" in answer.body["detail"]


@pytest.mark.parametrize("path", [ORDERS, "/api/orders/o-1", LAST_MONTH, "/api/openapi.json"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "TRACE", ""])
def test_nothing_can_be_written(client: ApiClient, path: str, method: str) -> None:
    answer = client.ask(path, method=method)

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, OPTIONS"


def test_a_problem_names_the_request_and_repeats_none_of_it(client: ApiClient) -> None:
    answer = client.ask(MRR, {"month": "<script>alert(1)</script>"})

    assert answer.body["instance"] == "urn:pulsequeue:request:request-1"
    assert answer.body["type"] == "urn:pulsequeue:problem:bad-parameters"
    assert "script" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"

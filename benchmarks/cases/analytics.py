"""Measures response times of the analytics API, and what keyset pages and rollups save."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date
from functools import partial

from benchmarks.cases import analytics_report
from benchmarks.fixtures import raw_queries as raw
from benchmarks.fixtures.api_client import ApiClient, Request, cursor
from benchmarks.fixtures.postgres import (
    DATA_SET_END,
    TENANT,
    BenchmarkDatabase,
    DatabaseSession,
    create_database,
    demo_data,
    postgres_server,
)
from benchmarks.harness.report import Report
from benchmarks.harness.statistics import Scale, alternate
from scripts.local.postgres import Postgres
from services.analytics.model.date_ranges import Months
from services.analytics.queries import cohorts, mrr
from services.analytics.queries.params import CohortsQuery, Position
from services.shared.database import API, Connection

_LIMIT = 100
_TODAY = DATA_SET_END.date()
_MONTH = date(2026, 5, 1)
_TWO_YEARS = Months(date(2024, 7, 1), date(2026, 7, 1))
_FULL = ((10_000, 1_000), (100_000, 100_000), (1_000_000, 100_000))
_QUICK = ((1_000, 100), (5_000, 500))


@dataclass(frozen=True)
class _SizeFixture:
    """One database with an API client."""

    create_database: BenchmarkDatabase
    session: DatabaseSession
    api: ApiClient

    @property
    def orders(self) -> int:
        return self.create_database.loaded.orders


def run(scale: Scale) -> Report:
    sizes = _QUICK if scale is Scale.QUICK else _FULL
    with postgres_server() as server, ExitStack() as exits:
        fixture = [_size_fixture(server, exits, *size) for size in sizes]
        responses = _response_times(fixture, scale.pick(10, 200))
        pages = [_pages(it, scale.pick(10, 300)) for it in fixture]
        comparisons = [_compare_rollups(it, scale.pick(3, 15)) for it in fixture]
    return analytics_report.report(
        scale,
        [
            analytics_report.Size(it.orders, it.create_database.loaded.events, it.orders // _LIMIT, *those)
            for it, *those in zip(fixture, responses, pages, comparisons, strict=True)
        ],
    )


def _size_fixture(server: Postgres, exits: ExitStack, orders: int, customers: int) -> _SizeFixture:
    database = create_database(server, f"orders_{orders}", demo_data(orders, customers))
    connection = exits.enter_context(closing(database.connect(API)))
    # The timeout of the API must not cut a measurement short.
    connection.execute("SET statement_timeout = '2min'")
    session = DatabaseSession(connection)
    return _SizeFixture(database, session, ApiClient(session))


def _requests(fixture: _SizeFixture) -> dict[str, Request]:
    newest = fixture.api.data(Request("/api/orders", "limit=1"))["orders"][0]
    tag = fixture.api.get(_SUMMARY)["headers"]["etag"]
    return {
        "orders": Request("/api/orders"),
        "orders, refunded": Request("/api/orders", "status=REFUNDED"),
        "orders, of a customer": Request("/api/orders", f"customer={newest['customerId']}"),
        "one order": Request(f"/api/orders/{newest['orderId']}"),
        "MRR": Request("/api/metrics/mrr", f"month={_MONTH:%Y-%m}"),
        "churn": Request("/api/metrics/churn", f"month={_MONTH:%Y-%m}"),
        "cohorts, by order": Request("/api/metrics/cohorts", "from=2024-07&to=2026-07"),
        "cohorts, by subscription": Request(
            "/api/metrics/cohorts", "basis=subscription&from=2024-07&to=2026-07"
        ),
        "summary": _SUMMARY,
        "summary, of a year": Request("/api/metrics/summary", "from=2025-06-20&to=2026-06-20"),
        _UNCHANGED: Request(_SUMMARY.path, _SUMMARY.query, {"if-none-match": tag}),
        "by region": Request("/api/pipeline/by-region"),
        "by product": Request("/api/pipeline/by-product"),
        "last month": Request("/api/sales/last-month"),
    }


_SUMMARY = Request("/api/metrics/summary")
_UNCHANGED = "summary, unchanged (304)"


def _response_times(fixture: Sequence[_SizeFixture], times: int) -> list[dict[str, list[float]]]:
    """Measure every request at every size, all in turns."""

    def get(api: ApiClient, name: str, request: Request) -> float:
        return _milliseconds(partial(api.get, request, 304 if name == _UNCHANGED else 200))

    requests = [_requests(it) for it in fixture]
    series = alternate(
        {
            _series_name(name, it): partial(get, it.api, name, those[name])
            for name in requests[0]
            for it, those in zip(fixture, requests, strict=True)
        },
        times,
    )
    return [{name: series[_series_name(name, it)] for name in requests[0]} for it in fixture]


def _series_name(request: str, fixture: _SizeFixture) -> str:
    return f"{request}, {fixture.orders} orders"


def _pages(fixture: _SizeFixture, times: int) -> dict[str, list[float]]:
    """Measure the first and the last full page in turns, by cursor and by OFFSET."""
    offset = (fixture.orders // _LIMIT - 1) * _LIMIT
    with fixture.session.database.transaction(TENANT) as connection:
        end = Position(*raw.last_before(connection, TENANT, offset))
        there = [row[0] for row in raw.orders(connection, TENANT, _LIMIT, offset)]
    first = Request("/api/orders", f"limit={_LIMIT}")
    deep = Request("/api/orders", f"limit={_LIMIT}&cursor={cursor(end)}")
    if [order["orderId"] for order in fixture.api.data(deep)["orders"]] != there:
        raise RuntimeError("the cursor and the OFFSET return different pages")
    pages = alternate(
        {
            analytics_report.FIRST: partial(_milliseconds, partial(fixture.api.get, first)),
            analytics_report.DEEP: partial(_milliseconds, partial(fixture.api.get, deep)),
        },
        times,
    )

    def skip(connection: Connection, over: int) -> object:
        return raw.orders(connection, TENANT, _LIMIT, over)

    # Fewer repetitions: one takes as long as hundreds of the others.
    skipping = {
        analytics_report.FIRST_BY_OFFSET: _in_transaction(fixture, lambda connection: skip(connection, 0)),
        analytics_report.DEEP_BY_OFFSET: _in_transaction(
            fixture, lambda connection: skip(connection, offset)
        ),
    }
    return pages | alternate(skipping, max(3, times // 20))


def _compare_rollups(fixture: _SizeFixture, times: int) -> dict[str, list[float]]:
    """Measure queries with and without rollups in turns, after checking that results are equal."""
    query = CohortsQuery("order", _TWO_YEARS)
    with fixture.session.database.transaction(TENANT) as connection:
        by_rollup = raw.as_movements(mrr.revenue_month(connection, TENANT, _MONTH))
        from_tables = raw.movements(connection, TENANT, _MONTH)
        cells = raw.cohorts(connection, TENANT, _TWO_YEARS)
        from_rollups = cohorts.cohorts(connection, TENANT, query, _TODAY)
    active = {(it.month, month): active for it in from_rollups for month, active in it.active if active}
    if by_rollup != from_tables or active != cells:
        raise RuntimeError("rollups and raw tables return different results")
    return alternate(
        {
            analytics_report.MRR: _in_transaction(fixture, lambda it: mrr.revenue_month(it, TENANT, _MONTH)),
            analytics_report.RAW_MRR: _in_transaction(fixture, lambda it: raw.movements(it, TENANT, _MONTH)),
            analytics_report.COHORTS: _in_transaction(
                fixture, lambda it: cohorts.cohorts(it, TENANT, query, _TODAY)
            ),
            analytics_report.RAW_COHORTS: _in_transaction(
                fixture, lambda it: raw.cohorts(it, TENANT, _TWO_YEARS)
            ),
        },
        times,
    )


def _in_transaction(fixture: _SizeFixture, work: Callable[[Connection], object]) -> Callable[[], float]:
    def measure() -> float:
        started = time.perf_counter()
        with fixture.session.database.transaction(TENANT) as connection:
            work(connection)
        return (time.perf_counter() - started) * 1_000

    return measure


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1_000

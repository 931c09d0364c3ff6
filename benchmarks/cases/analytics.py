"""How long the analytics API takes to answer, and what keyset pages and rollups are worth."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date
from functools import partial

from benchmarks.cases import analytics_report as told
from benchmarks.fixtures import raw_queries as raw
from benchmarks.fixtures.api_client import Question, Reader, cursor
from benchmarks.fixtures.postgres import TENANT, UNTIL, Shop, Way, past, served, shop
from benchmarks.harness.report import Report
from benchmarks.harness.statistics import Scale, alternate
from scripts.local.postgres import Postgres
from services.analytics.db.database import Connection
from services.analytics.model.date_ranges import Months
from services.analytics.queries import cohorts, mrr
from services.analytics.queries.params import CohortsQuery, Position
from services.analytics.settings import API

_LIMIT = 100
_TODAY = UNTIL.date()
_MONTH = date(2026, 5, 1)
_TWO_YEARS = Months(date(2024, 7, 1), date(2026, 7, 1))
_FULL = ((10_000, 1_000), (100_000, 100_000), (1_000_000, 100_000))
_QUICK = ((1_000, 100), (5_000, 500))


@dataclass(frozen=True)
class _Asked:
    """One size, with somebody who asks."""

    shop: Shop
    way: Way
    reader: Reader

    @property
    def orders(self) -> int:
        return self.shop.laid.orders


def run(scale: Scale) -> Report:
    sizes = _QUICK if scale is Scale.QUICK else _FULL
    with served() as server, ExitStack() as closings:
        asked = [_asked(server, closings, *size) for size in sizes]
        answers = _answers(asked, scale.pick(10, 200))
        pages = [_pages(it, scale.pick(10, 300)) for it in asked]
        ways = [_both_ways(it, scale.pick(3, 15)) for it in asked]
    return told.report(
        scale,
        [
            told.Size(it.orders, it.shop.laid.events, it.orders // _LIMIT, *those)
            for it, *those in zip(asked, answers, pages, ways, strict=True)
        ],
    )


def _asked(server: Postgres, closings: ExitStack, orders: int, customers: int) -> _Asked:
    made = shop(server, f"orders_{orders}", past(orders, customers))
    connection = closings.enter_context(closing(made.connect(API)))
    # The API would break off what we want to know the length of.
    connection.execute("SET statement_timeout = '2min'")
    way = Way(connection)
    return _Asked(made, way, Reader(way))


def _questions(asked: _Asked) -> dict[str, Question]:
    newest = asked.reader.data(Question("/api/orders", "limit=1"))["orders"][0]
    tag = asked.reader.ask(_SUMMARY)["headers"]["etag"]
    return {
        "orders": Question("/api/orders"),
        "orders, refunded": Question("/api/orders", "status=REFUNDED"),
        "orders, of a customer": Question("/api/orders", f"customer={newest['customerId']}"),
        "one order": Question(f"/api/orders/{newest['orderId']}"),
        "MRR": Question("/api/metrics/mrr", f"month={_MONTH:%Y-%m}"),
        "churn": Question("/api/metrics/churn", f"month={_MONTH:%Y-%m}"),
        "cohorts, by order": Question("/api/metrics/cohorts", "from=2024-07&to=2026-07"),
        "cohorts, by subscription": Question(
            "/api/metrics/cohorts", "basis=subscription&from=2024-07&to=2026-07"
        ),
        "summary": _SUMMARY,
        "summary, of a year": Question("/api/metrics/summary", "from=2025-06-20&to=2026-06-20"),
        _UNCHANGED: Question(_SUMMARY.path, _SUMMARY.query, {"if-none-match": tag}),
        "by region": Question("/api/pipeline/by-region"),
        "by product": Question("/api/pipeline/by-product"),
        "last month": Question("/api/sales/last-month"),
    }


_SUMMARY = Question("/api/metrics/summary")
_UNCHANGED = "summary, unchanged (304)"


def _answers(asked: Sequence[_Asked], times: int) -> list[dict[str, list[float]]]:
    """Measure every question at every size, all of them in turns."""

    def ask(reader: Reader, name: str, question: Question) -> float:
        return _milliseconds(partial(reader.ask, question, 304 if name == _UNCHANGED else 200))

    questions = [_questions(it) for it in asked]
    series = alternate(
        {
            _named(name, it): partial(ask, it.reader, name, those[name])
            for name in questions[0]
            for it, those in zip(asked, questions, strict=True)
        },
        times,
    )
    return [{name: series[_named(name, it)] for name in questions[0]} for it in asked]


def _named(question: str, asked: _Asked) -> str:
    return f"{question}, {asked.orders} orders"


def _pages(asked: _Asked, times: int) -> dict[str, list[float]]:
    """Measure the first page, and the last that is full, in turns; and the last as OFFSET would find it."""
    offset = (asked.orders // _LIMIT - 1) * _LIMIT
    with asked.way.database.transaction(TENANT) as connection:
        end = Position(*raw.last_before(connection, TENANT, offset))
        there = [row[0] for row in raw.orders(connection, TENANT, _LIMIT, offset)]
    first = Question("/api/orders", f"limit={_LIMIT}")
    deep = Question("/api/orders", f"limit={_LIMIT}&cursor={cursor(end)}")
    if [order["orderId"] for order in asked.reader.data(deep)["orders"]] != there:
        raise RuntimeError("the cursor leads to another page")
    pages = alternate(
        {
            told.FIRST: partial(_milliseconds, partial(asked.reader.ask, first)),
            told.DEEP: partial(_milliseconds, partial(asked.reader.ask, deep)),
        },
        times,
    )

    def skip(connection: Connection, over: int) -> object:
        return raw.orders(connection, TENANT, _LIMIT, over)

    # Fewer of these: one takes as long as hundreds of the others.
    skipping = {
        told.FIRST_BY_OFFSET: _in_transaction(asked, lambda connection: skip(connection, 0)),
        told.DEEP_BY_OFFSET: _in_transaction(asked, lambda connection: skip(connection, offset)),
    }
    return pages | alternate(skipping, max(3, times // 20))


def _both_ways(asked: _Asked, times: int) -> dict[str, list[float]]:
    """Measure what rollups answer, and the same answer without them, in turns."""
    query = CohortsQuery("order", _TWO_YEARS)
    with asked.way.database.transaction(TENANT) as connection:
        by_rollup = raw.alike(mrr.revenue_month(connection, TENANT, _MONTH))
        without = raw.movements(connection, TENANT, _MONTH)
        cells = raw.cohorts(connection, TENANT, _TWO_YEARS)
        rolled = cohorts.cohorts(connection, TENANT, query, _TODAY)
    active = {(it.month, month): active for it in rolled for month, active in it.active if active}
    if by_rollup != without or active != cells:
        raise RuntimeError("rollups and tables tell different stories")
    return alternate(
        {
            told.MRR: _in_transaction(asked, lambda it: mrr.revenue_month(it, TENANT, _MONTH)),
            told.RAW_MRR: _in_transaction(asked, lambda it: raw.movements(it, TENANT, _MONTH)),
            told.COHORTS: _in_transaction(asked, lambda it: cohorts.cohorts(it, TENANT, query, _TODAY)),
            told.RAW_COHORTS: _in_transaction(asked, lambda it: raw.cohorts(it, TENANT, _TWO_YEARS)),
        },
        times,
    )


def _in_transaction(asked: _Asked, work: Callable[[Connection], object]) -> Callable[[], float]:
    def measure() -> float:
        started = time.perf_counter()
        with asked.way.database.transaction(TENANT) as connection:
            work(connection)
        return (time.perf_counter() - started) * 1_000

    return measure


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1_000

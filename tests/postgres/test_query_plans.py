"""Query plans: every read uses an index, and the last page costs what the first does.

The plans themselves are kept in plans/. PULSEQUEUE_KEEP_PLANS=1 writes them, for a look at what changed.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from scripts.demo_data import bulk_loader
from scripts.demo_data.generator import DemoData, SubjectKind
from scripts.local.postgres import Postgres
from services.analytics.api.app import build
from services.analytics.projector.service import Projector
from services.shared.database import API, OWNER, PROJECTOR, Database
from services.shared.messages import Delivery
from tests.postgres.conftest import Analytics, make_copy
from tests.postgres.query_plans import Node, Plans, explaining
from tests.support.fakes import RecordingTelemetry

SNAPSHOTS: Final = Path(__file__).parent / "plans"
NOW: Final = datetime(2026, 6, 20, 12, tzinfo=UTC)
PAST: Final = DemoData(orders=20_000, customers=20_000, months=12, seed=1, tenant="acme", until=NOW)
LARGE: Final = {
    *("orders", "order_items", "payments", "fulfillment", "event_inbox", "customer_month", "product_daily"),
    *("mrr_movements", "subscriptions", "subscription_periods"),
}
SORTING: Final = {"Sort", "Incremental Sort"}

# One process fills the database for all of these tests.
pytestmark = pytest.mark.xdist_group("plans")

QUESTIONS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "orders": ("/api/orders", {}),
    "orders-by-status": ("/api/orders", {"status": "REFUNDED"}),
    "orders-of-customer": ("/api/orders", {"customer": "customer-000042"}),
    "orders-of-time": ("/api/orders", {"from": "2026-01-01", "to": "2026-03-01"}),
    "orders-by-status-of-time": ("/api/orders", {"status": "CANCELLED", "from": "2026-01-01"}),
    "order": ("/api/orders/{order}", {}),
    "mrr": ("/api/metrics/mrr", {"month": "2026-03"}),
    "churn": ("/api/metrics/churn", {"month": "2026-03"}),
    "mrr-history": ("/api/metrics/mrr/history", {}),
    "churn-history": ("/api/metrics/churn/history", {"from": "2025-09", "to": "2026-03"}),
    "mrr-movements": ("/api/metrics/mrr/movements", {"month": "2026-03"}),
    "mrr-movements-of-kind": ("/api/metrics/mrr/movements", {"month": "2026-03", "kind": "new"}),
    "mrr-movements-by-exchange": ("/api/metrics/mrr/movements", {"month": "2026-03", "kind": "exchange"}),
    "indicators": ("/api/metrics/indicators", {}),
    "revenue-cohorts-by-order": ("/api/metrics/cohorts/revenue", {}),
    "revenue-cohorts-by-subscription": ("/api/metrics/cohorts/revenue", {"basis": "subscription"}),
    "cohorts-by-order": ("/api/metrics/cohorts", {}),
    "cohorts-by-subscription": ("/api/metrics/cohorts", {"basis": "subscription"}),
    "inventory": ("/api/inventory", {}),
    "summary": ("/api/metrics/summary", {}),
    "by-region": ("/api/pipeline/by-region", {}),
    "by-product": ("/api/pipeline/by-product", {}),
    "sales-history": ("/api/sales/history", {"from": "2025-07-01", "to": "2026-06-01", "interval": "month"}),
    "sales-history-of-channel": ("/api/sales/history", {"channel": "web"}),
    "sales-by-channel": ("/api/sales/by-channel", {}),
    "sales-by-product": ("/api/sales/by-product", {}),
    "sales-by-product-of-a-year": (
        "/api/sales/by-product",
        {"from": "2025-07-10", "to": "2026-06-20", "sort": "revenue"},
    ),
    "last-month": ("/api/sales/last-month", {}),
}
PAGES: Final = [name for name in QUESTIONS if name.startswith("orders")]


@dataclass(frozen=True)
class Explained:
    """A database with a past in it, whose statements can be seen through."""

    analytics: Analytics
    newest: str

    def ask(self, name: str, **more: str) -> tuple[dict[str, Any], list[Node]]:
        """Send a request; return the response and the query plans used."""
        path, query = QUESTIONS[name]
        plans = Plans(run=True)
        with self._database(API, plans) as database:
            answer = build(
                database,
                cursor_keys=lambda: "sealed",
                unprojected=lambda _: None,
                read_stock=lambda _: {},
                find_membership=lambda _tenant, _user: None,
                allowed_origins=(),
                clock=lambda: NOW,
                telemetry=RecordingTelemetry(),
            )(_event(path.format(order=self.newest), {**query, **more}), None)
        assert answer["statusCode"] == 200, answer["body"]
        return json.loads(answer["body"]), plans.recorded

    def project(self, deliveries: list[Delivery]) -> list[Node]:
        plans = Plans()
        with self._database(PROJECTOR, plans) as database:
            assert not Projector(database, RecordingTelemetry()).handle(deliveries)
        return plans.recorded

    @contextmanager
    def _database(self, user: str, plans: Plans) -> Iterator[Database]:
        with closing(self.analytics.connect(user)) as connection:
            connection.cursor_factory = explaining(plans)
            yield Database(lambda: connection)


@pytest.fixture(scope="module")
def explained(server: Postgres) -> Explained:
    made = Analytics(server, make_copy(server, "plans"))
    bulk_loader.load(PAST, server.dsn(made.name, OWNER), workers=1, progress=lambda _message: None)
    [[newest]] = made.rows("SELECT order_id FROM orders ORDER BY placed_at DESC LIMIT 1")
    return Explained(made, newest)


def _event(path: str, query: Mapping[str, str]) -> dict[str, Any]:
    claims = {"sub": "anna", "custom:tenant_id": "acme", "custom:role": "admin", "token_use": "id"}
    return {
        "rawPath": path,
        "rawQueryString": urlencode(query),
        "requestContext": {
            "stage": "$default",
            "requestId": "r1",
            "http": {"method": "GET"},
            "authorizer": {"jwt": {"claims": {**claims, "exp": str(NOW.timestamp() + 60)}}},
        },
    }


def _events_to_project() -> list[Delivery]:
    """Something new about orders and subscriptions that are there, and some that are not."""
    known, new = (
        replace(PAST, until=until, months=months, orders=PAST.orders + more)
        for until, months, more in ((NOW, 12, 0), (NOW + timedelta(days=20), 1, 1))
    )
    batch: list[Delivery] = []
    for past in (known, new):
        for about, most in (
            (SubjectKind.ORDERS, 120),
            (SubjectKind.CUSTOMERS, 20),
            (SubjectKind.PRODUCTS, 5),
        ):
            events = past.events_of_kind(about)
            batch += [
                Delivery(f"{len(batch)}-{n}", event) for n, event in zip(range(most), events, strict=False)
            ]
    return batch


def _read_whole(nodes: list[Node]) -> set[str | None]:
    """Name the large tables of which a plan reads everything."""
    return {node.table for top in nodes for node in top.walk() if node.kind == "Seq Scan"} & LARGE


def _of_orders(nodes: list[Node]) -> Node:
    [found] = [node for top in nodes for node in top.walk() if node.table == "orders"]
    return found


def _compare(name: str, nodes: list[Node]) -> None:
    shapes = "\n".join(node.shape() for node in nodes)
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("PULSEQUEUE_KEEP_PLANS"):
        path.write_text(shapes, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == shapes


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_reads_a_large_table_whole(explained: Explained, name: str) -> None:
    _, nodes = explained.ask(name)

    assert not _read_whole(nodes)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_answered_as_it_was(explained: Explained, name: str) -> None:
    _, nodes = explained.ask(name)

    _compare(name, nodes)


@pytest.mark.parametrize("name", PAGES)
def test_pages_come_sorted_out_of_their_index(explained: Explained, name: str) -> None:
    _, nodes = explained.ask(name)

    assert _of_orders(nodes).kind == "Index Scan"
    assert not SORTING & {node.kind for top in nodes for node in top.walk() if _over(top, "orders")}


def _over(top: Node, table: str) -> bool:
    return any(node.table == table for node in top.walk())


def test_a_page_at_depth_reads_no_more_rows_than_the_first(explained: Explained) -> None:
    answer, first = explained.ask("orders", limit="100")
    pages = 1
    while pages < 100:
        answer, deep = explained.ask("orders", limit="100", cursor=answer["page"]["nextCursor"])
        pages += 1

    assert _of_orders(first).rows == _of_orders(deep).rows == 101
    assert _of_orders(first).dropped == _of_orders(deep).dropped == 0
    assert _of_orders(first).index == _of_orders(deep).index == "orders_newest"


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("mrr-movements", "mrr_movements_by_month"),
        ("mrr-movements-of-kind", "mrr_movements_by_month"),
        ("mrr-movements-by-exchange", "mrr_movements_by_exchange"),
    ],
)
def test_who_moved_comes_sorted_out_of_an_index(explained: Explained, name: str, index: str) -> None:
    _, nodes = explained.ask(name, limit="5")

    [scan] = [node for top in nodes for node in top.walk() if node.table == "mrr_movements"]
    assert (scan.kind, scan.index, scan.dropped) == ("Index Scan", index, 0)
    assert not SORTING & {node.kind for top in nodes for node in top.walk() if _over(top, "mrr_movements")}


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("orders-by-status", "orders_by_status"),
        ("orders-of-customer", "orders_by_customer"),
        ("orders-of-time", "orders_newest"),
        ("orders-by-status-of-time", "orders_by_status"),
    ],
)
def test_a_filter_throws_away_nothing_that_it_read(explained: Explained, name: str, index: str) -> None:
    _, nodes = explained.ask(name)

    assert _of_orders(nodes).index == index
    assert _of_orders(nodes).dropped == 0


def test_a_batch_is_projected_without_reading_a_large_table_whole(explained: Explained) -> None:
    nodes = explained.project(_events_to_project())

    assert len(nodes) > 10
    assert not _read_whole(nodes)
    _compare("projector", nodes)

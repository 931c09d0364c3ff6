"""Files of orders and subscriptions become rows: whole chunks, once, and gone again without a trace."""

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from scripts.common.errors import ToolError
from scripts.demo_data.generator import DemoData, SubjectKind
from scripts.ops.imports import sending
from scripts.ops.imports.plan import Plan
from scripts.ops.replay import rebuild
from services.analytics.admin import migrator, reset
from services.analytics.admin.commands import AdminCommands
from services.analytics.db.tables import ROLLUPS
from services.analytics.projector.service import Projector
from services.shared.database import OWNER
from services.shared.events import Event, OrderEvent, SubscriptionCancelled, SubscriptionTerms
from services.shared.messages import Delivery
from tests.postgres.api.client import ApiClient
from tests.postgres.conftest import Analytics
from tests.postgres.events import NOON, TENANT, Contract, Shop, messages
from tests.support.fakes import RecordingTelemetry
from tests.support.imports import environment, plan_of
from tests.support.ops_context import MemoryOpsContext

HEADER = "Order ID,Customer,Order Date,SKU,Qty,Line Total,Currency,Country,Source,Status"
ORDERS = [
    HEADER,
    "o-1,ann,2025-11-03,cup,2,10.00,USD,eu,web,paid",
    "o-1,ann,2025-11-03,jug,1,3.50,USD,eu,web,paid",
    "o-1,ann,2025-11-03,cup,-1,-5.00,USD,eu,web,paid",
    "o-2,bob,2025-12-05,pot,3,10.00,USD,us,shop,paid",
    "o-3,bob,2025-12-06,cup,1,5.00,USD,us,shop,cancelled",
    "o-4,ann,2026-01-07,jug,1,3.50,USD,eu,web,refunded",
    "r-5,ann,2026-01-08,pot,-1,-3.34,USD,eu,web,paid",
    "o-6,eve,2026-01-09,cup,1,5.25,USD,eu,web,paid",
]
TABLES = tuple(table for table in reset.DERIVED_TABLES if table != "event_inbox")

Rows = dict[str, list[tuple[Any, ...]]]


class Commands:
    """The database's commands; they can be made to fail as an invocation that is killed."""

    def __init__(self, analytics: Analytics) -> None:
        def administrator() -> psycopg.Connection[tuple[Any, ...]]:
            return psycopg.connect(analytics.server.dsn(analytics.name), autocommit=True)

        self.telemetry = RecordingTelemetry()
        owner = analytics.database(OWNER)
        self._run = AdminCommands(owner, administrator, self.telemetry, migrator.read()).run
        self.environment = environment(self.run)
        self.left = 1_000
        """Invocations until one is killed."""
        self.killed_after_commit = False

    def run(self, request: Any) -> Any:  # noqa: ANN401 - JSON
        self.left -= 1
        if self.left == 0 and not self.killed_after_commit:
            raise KeyboardInterrupt
        answer = self._run(request)
        if self.left == 0:
            raise KeyboardInterrupt
        return answer

    def send(self, plan: Plan) -> sending.Sent:
        return sending.send(self.environment, plan, lambda _: None)

    def remove(self, plan: Plan) -> int:
        return sending.remove(self.environment, plan.tenant_id, plan.import_id, lambda _: None)


@pytest.fixture
def commands(analytics: Analytics) -> Commands:
    return Commands(analytics)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.csv"


def _rows(analytics: Analytics, tables: tuple[str, ...] = TABLES, without: tuple[str, ...] = ()) -> Rows:
    """Read tables whole, but for when rows were written."""
    columns = analytics.rows(
        "SELECT table_name, string_agg(format('%%I', column_name), ', ' ORDER BY ordinal_position)"
        " FROM information_schema.columns WHERE table_name = ANY(%s)"
        " AND NOT column_name = ANY(%s) GROUP BY table_name",
        list(tables),
        ["created_at", "updated_at", *without],
    )
    return {table: analytics.rows(f"SELECT {its} FROM {table} ORDER BY {its}") for table, its in columns}


def _with_inbox(analytics: Analytics) -> Rows:
    return _rows(analytics, reset.DERIVED_TABLES)


def _small_chunks(plan: Plan) -> Plan:
    plan.events_at_once = 2
    return plan


def _project(analytics: Analytics, events: list[Event]) -> None:
    projector = Projector(analytics.projector, RecordingTelemetry())
    for start in range(0, len(events), 100):
        assert not projector.handle(
            [Delivery(str(n), it) for n, it in enumerate(events[start : start + 100])]
        )


def test_imported_orders_and_returns_are_counted_to_the_cent(
    analytics: Analytics, commands: Commands, file: Path
) -> None:
    commands.send(plan_of(file, ORDERS))

    assert analytics.rows("SELECT order_id, status, amount_minor, units FROM orders ORDER BY 1") == [
        ("o-1", "CONFIRMED", 1_350, 3),
        ("o-2", "CONFIRMED", 1_000, 3),
        ("o-3", "CANCELLED", 500, 1),
        ("o-4", "REFUNDED", 350, 1),
        ("o-6", "CONFIRMED", 525, 1),
        ("r-5", "REFUNDED", 0, 0),
    ]
    sales = (
        "sum(orders), sum(confirmed), sum(cancelled), sum(refunded), sum(revenue_minor), sum(refunded_minor)"
    )
    by_region = analytics.rows(f"SELECT {sales} FROM sales_daily")
    assert by_region == [(5, 4, 1, 1, 3_225, 1_184)]
    assert analytics.rows(f"SELECT {sales} FROM channel_daily") == by_region
    assert analytics.rows(
        "SELECT sku, sum(units), sum(revenue_minor), sum(refunded_minor) FROM product_month"
        " GROUP BY 1 ORDER BY 1"
    ) == [("cup", 3, 1_525, 500), ("jug", 2, 700, 350), ("pot", 3, 1_000, 334)]
    assert analytics.rows(
        "SELECT order_id, sku, quantity, returned FROM order_items WHERE returned > 0 ORDER BY 1"
    ) == [
        ("o-1", "cup", 2, 1),
        ("o-4", "jug", 1, 1),
        ("r-5", "pot", 0, 1),
    ]
    # Neither sent nor to be sent; and nothing of the file is in the log.
    assert analytics.rows("SELECT 1 FROM fulfillment") == []
    assert "bob" not in str(commands.telemetry.__dict__)


def test_the_api_answers_from_an_import_right_away(
    analytics: Analytics, commands: Commands, file: Path, tmp_path: Path
) -> None:
    commands.send(plan_of(file, ORDERS))
    plans = [
        "id,customer,plan,interval,amount,currency,started at,ended at",
        "s-1,ann,basic,monthly,10.00,USD,2025-11-01,",
        "s-2,bob,pro,yearly,240.00,USD,2025-12-15,2026-02-01",
    ]
    commands.send(plan_of(tmp_path / "plans.csv", plans, "subscriptions"))
    api = ApiClient(analytics.api)

    mrr = api.ask("/api/metrics/mrr", {"month": "2025-12"}).data
    cohorts = api.ask("/api/metrics/cohorts", {"from": "2025-11", "to": "2026-02"}).data
    order = api.ask("/api/orders/o-1").data

    assert (mrr["opening"]["amount"]["amountMinor"], mrr["new"]["amount"]["amountMinor"]) == (1_000, 2_000)
    assert [(it["month"], it["customers"]) for it in cohorts["cohorts"]] == [
        ("2025-11", 1),
        ("2025-12", 1),
        ("2026-01", 1),
    ]
    assert order["payment"]["refunded"]["amountMinor"] == 500
    assert [it["event"] for it in order["timeline"]] == ["OrderImported"]


@pytest.mark.parametrize("after_commit", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("killed_at", [1, 2, 3, 4])
def test_an_import_that_was_killed_goes_on_and_no_row_is_there_twice_or_lost(
    analytics: Analytics, commands: Commands, file: Path, killed_at: int, after_commit: bool
) -> None:
    plan = _small_chunks(plan_of(file, ORDERS))
    commands.send(plan)
    whole = _rows(analytics)
    commands.remove(plan)
    assert analytics.rows("SELECT 1 FROM event_inbox") == []
    commands.left, commands.killed_after_commit = killed_at, after_commit
    with pytest.raises(KeyboardInterrupt):
        commands.send(plan)

    sent = commands.send(plan)

    chunks = killed_at - 1 if after_commit else max(0, killed_at - 2)
    assert (sent.events, sent.present) == (6 - 2 * chunks, 2 * chunks)
    again = _rows(analytics)
    # When it began is all that differs.
    checkpoints = again.pop("projection_checkpoints")
    assert [row[:3] for row in checkpoints] == [row[:3] for row in whole.pop("projection_checkpoints")]
    assert again == whole
    assert commands.send(plan).events == 0


def test_a_chunk_that_fails_leaves_nothing_of_itself(
    analytics: Analytics, commands: Commands, file: Path
) -> None:
    rows = ["id,customer,plan,interval,amount,currency,started at", "s-1,ann,basic,month,10,USD,2026-01-01"]
    plan = plan_of(file, [*rows, "s-2,bob,basic,month,10,CHF,2026-01-01"], "subscriptions")

    with pytest.raises(ToolError, match="no exchange rate from CHF to USD for 2026-01-01; add one with"):
        commands.send(plan)

    assert analytics.rows("SELECT 1 FROM event_inbox") == analytics.rows("SELECT 1 FROM import_chunks") == []
    with closing(analytics.connect()) as owner:
        owner.execute("INSERT INTO fx_rates VALUES (%s, 'CHF', '2020-01-01', 1.1)", [TENANT])
    assert commands.send(plan).events == 2


def test_removing_an_import_restores_every_row_and_sum(
    analytics: Analytics, commands: Commands, file: Path, tmp_path: Path
) -> None:
    live = [
        *Shop("o-2", customer="bob").sold(),
        *Shop("o-7").sold(),
        Contract("ann").started("2026-01-10", 700),
    ]
    Projector(analytics.projector, RecordingTelemetry()).handle(messages(live))
    earlier = plan_of(tmp_path / "earlier.csv", [HEADER, "o-1,ann,2025-11-03,cup,1,7.00,USD,eu,web,pending"])
    commands.send(earlier)
    before = _with_inbox(analytics)
    plan = _small_chunks(plan_of(file, ORDERS))
    plans = ["id,customer,plan,interval,amount,currency,started at", "s-1,ann,pro,month,99.99,USD,2025-12-01"]
    plans += ["s-3,joe,pro,month,99.99,USD,2025-12-01"]
    terms = plan_of(tmp_path / "plans.csv", plans, "subscriptions")

    commands.send(plan)
    commands.send(terms)
    # An order of our own keeps its own events; of two files the newer counts.
    assert analytics.rows(
        "SELECT amount_minor, channel FROM orders WHERE order_id <= 'o-2' ORDER BY order_id"
    ) == [
        (1_350, "web"),
        (1_000, None),
    ]
    commands.left, commands.killed_after_commit = 2, True
    with pytest.raises(KeyboardInterrupt):
        commands.remove(plan)
    with pytest.raises(ToolError, match="is being removed; finish with"):
        commands.send(plan)
    commands.remove(plan)
    commands.remove(terms)

    assert _with_inbox(analytics) == before
    with pytest.raises(ToolError, match="has no import"):
        commands.remove(plan)


def test_an_order_that_gets_events_of_its_own_is_no_longer_the_file_s(
    analytics: Analytics, commands: Commands, file: Path
) -> None:
    plan = plan_of(file, ORDERS)
    commands.send(plan)

    Projector(analytics.projector, RecordingTelemetry()).handle(messages([Shop("o-1").placed(NOON)]))

    assert analytics.rows("SELECT status, amount_minor FROM orders WHERE order_id = 'o-1'") == [
        ("PLACED", None)
    ]
    assert analytics.rows("SELECT 1 FROM payments WHERE order_id = 'o-1'") == []
    commands.remove(plan)
    assert analytics.rows("SELECT order_id, status FROM orders") == [("o-1", "PLACED")]
    assert analytics.rows("SELECT sum(orders), sum(revenue_minor) FROM sales_daily") == [(1, 0)]


def test_a_rebuild_reads_imports_again(
    analytics: Analytics, commands: Commands, file: Path, tmp_path: Path
) -> None:
    commands.send(_small_chunks(plan_of(file, ORDERS)))
    plans = ["id,customer,plan,interval,amount,currency,started at", "s-1,ann,pro,month,99.99,USD,2025-12-01"]
    commands.send(plan_of(tmp_path / "plans.csv", plans, "subscriptions"))
    before = _with_inbox(analytics)
    ops = MemoryOpsContext()
    ops.archive.add("OrderPlaced")
    coverage = rebuild.coverage(ops, commands.environment)
    ops.time.advance(timedelta(hours=1))

    rebuild.rebuild(ops, commands.environment, rebuild.Rebuild(coverage))

    assert (coverage.recorded, coverage.imported, coverage.missing) == (0, 7, 0)
    assert _with_inbox(analytics) == before
    [orders] = [it for it in sending.imports(commands.environment, TENANT) if it["kind"] == "orders"]
    assert orders["state"] == "complete"


def test_an_import_is_listed_with_how_far_it_is(analytics: Analytics, commands: Commands, file: Path) -> None:
    plan = _small_chunks(plan_of(file, ORDERS))
    commands.left = 4
    with pytest.raises(KeyboardInterrupt):
        commands.send(plan)

    [part] = sending.imports(commands.environment, TENANT)
    commands.send(plan)
    [whole] = sending.imports(commands.environment, TENANT)
    with closing(analytics.connect()) as owner:
        reset.empty(owner)
    [emptied] = sending.imports(commands.environment, TENANT)

    assert [it["state"] for it in (part, whole, emptied)] == ["2 of 3 chunks", "complete", "rebuilding"]
    assert (whole["importId"], whole["fileName"], whole["records"]) == (plan.import_id, "history.csv", 8)
    assert sending.imports(commands.environment, "globex") == []


# --- the generator's own output


DEMO = DemoData(
    orders=400,
    customers=60,
    months=9,
    seed=5,
    tenant=TENANT,
    until=datetime(2026, 11, 21, 15, 30, tzinfo=UTC),
)


def _csv(header: tuple[str, ...], rows: Iterator[tuple[Any, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _rates(analytics: Analytics) -> None:
    with closing(analytics.connect()) as owner:
        owner.execute("INSERT INTO tenants (tenant_id, reporting_currency) VALUES (%s, 'USD')", [TENANT])
        with owner.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO fx_rates (tenant_id, currency, valid_from, rate) VALUES (%s, %s, %s, %s)",
                [(it.tenant_id, it.currency, it.valid_from, it.rate) for it in DEMO.rates()],
            )


def test_the_generator_s_orders_give_the_same_sums_from_a_file_as_from_events(
    analytics: Analytics, commands: Commands, file: Path
) -> None:
    _project(analytics, list(DEMO.events_of_kind(SubjectKind.ORDERS)))
    # A rejected order has no price, and a file could not tell one.
    priced = {row[0] for row in analytics.rows("SELECT order_id FROM orders WHERE currency IS NOT NULL")}
    with closing(analytics.connect()) as owner:
        reset.empty(owner)
    orders = [it for it in DEMO.events_of_kind(SubjectKind.ORDERS) if isinstance(it, OrderEvent)]
    _project(analytics, [it for it in orders if it.order_id in priced])
    lines = analytics.rows("""
        SELECT order_id, customer_id, placed_at, sku, quantity, i.total_minor / 100.0, currency, region,
          channel, status FROM orders JOIN order_items i USING (tenant_id, order_id) ORDER BY 1, 4
    """)
    known_by_both = tuple(table.name for table in ROLLUPS)
    events = _rows(analytics, known_by_both)
    items = _rows(analytics, ("order_items",), ("returned", "returned_minor"))
    with closing(analytics.connect()) as owner:
        reset.empty(owner)

    header = (
        "order",
        "customer",
        "placed_at",
        "sku",
        "quantity",
        "total",
        "currency",
        "region",
        "channel",
        "status",
    )
    plan = plan_of(file, _csv(header, iter(lines)))
    commands.send(plan)

    assert plan.rejects == []
    assert {table for table, rows in events.items() if rows} >= {
        "sales_daily",
        "cohort_revenue",
        "customer_month",
    }
    assert _rows(analytics, known_by_both) == events
    assert _rows(analytics, ("order_items",), ("returned", "returned_minor")) == items


def test_the_generator_s_subscriptions_give_the_same_rows_from_a_file_as_from_events(
    analytics: Analytics, commands: Commands, file: Path
) -> None:
    _rates(analytics)
    events = list(DEMO.events_of_kind(SubjectKind.CUSTOMERS))
    _project(analytics, events)
    tables = (
        "subscriptions",
        "subscription_periods",
        "mrr_movements",
        "mrr_month",
        "cohort_month",
        "cohort_revenue",
    )
    from_events = _rows(analytics, tables, ("reason",))
    with closing(analytics.connect()) as owner:
        reset.empty(owner)

    ends = {it.subscription_id: it.effective for it in events if isinstance(it, SubscriptionCancelled)}
    terms = [it for it in events if isinstance(it, SubscriptionTerms)]
    last = {it.subscription_id: it for it in sorted(terms, key=lambda it: it.effective)}
    header = ("subscription", "customer", "plan", "interval", "amount", "currency", "started_at", "ended_at")
    plan = plan_of(
        file,
        _csv(
            header,
            (
                (
                    *(it.subscription_id, it.customer_id, it.plan, it.interval),
                    *(f"{it.amount_minor / 100:.2f}", it.currency, it.effective.isoformat()),
                    ends[it.subscription_id].isoformat()
                    if last[it.subscription_id] is it and it.subscription_id in ends
                    else "",
                )
                for it in terms
            ),
        ),
        "subscriptions",
    )
    commands.send(plan)

    assert plan.rejects == []
    assert len(from_events["mrr_movements"]) > 20
    assert _rows(analytics, tables, ("reason",)) == from_events

"""A batch of events becomes rows and sums in one transaction, or nothing at all."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from threading import Event as Signal
from typing import Any

import psycopg
import pytest

from services.analytics.admin import reset
from services.analytics.projector.event_inbox import UnknownEventError
from services.analytics.projector.service import Projector
from services.shared.adapters.sqs_batch import Inbox
from services.shared.database import PROJECTOR, Database
from services.shared.errors import StoreUnavailableError
from services.shared.events import CATALOGUE, Event
from services.shared.log_events import LogEvent
from tests.postgres.conftest import Analytics
from tests.postgres.events import NOON, TENANT, Contract, Shop, adjusted, at, messages
from tests.support.builders import envelope, sqs_event
from tests.support.fakes import RecordingTelemetry

JAN = date(2026, 1, 1)
FEB = date(2026, 2, 1)
MAR = date(2026, 3, 1)

_SECONDS = 20.0


class CountingConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that counts the statements it executes."""

    executed = 0

    def execute(self, *arguments: Any, **options: Any) -> psycopg.Cursor[tuple[Any, ...]]:  # noqa: ANN401 - as its own
        self.executed += 1
        return super().execute(*arguments, **options)


class PausingConnection(psycopg.Connection[tuple[Any, ...]]):
    """Stops before the last statement of a batch, with all its locks held, until it may go on."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - as its own
        super().__init__(*arguments, **options)
        self.paused, self.go_on = Signal(), Signal()

    def execute(self, *arguments: Any, **options: Any) -> psycopg.Cursor[tuple[Any, ...]]:  # noqa: ANN401 - as its own
        if "projection_checkpoints" in str(arguments[0]):
            self.paused.set()
            self.go_on.wait(_SECONDS)
        return super().execute(*arguments, **options)


class NoPoisonQueue:
    """For tests in which nothing is poison."""

    def send(self, poison: Sequence[object]) -> list[str]:
        raise AssertionError(f"{len(poison)} messages could not be read")


@pytest.fixture
def telemetry() -> RecordingTelemetry:
    return RecordingTelemetry()


@pytest.fixture
def projector(analytics: Analytics, telemetry: RecordingTelemetry) -> Projector:
    return Projector(analytics.projector, telemetry)


def statuses(analytics: Analytics) -> list[tuple[str, str]]:
    return analytics.rows("SELECT order_id, status FROM orders ORDER BY 1")


def test_an_order_moves_on_with_each_of_its_events_and_the_sums_with_it(
    analytics: Analytics, projector: Projector
) -> None:
    shop, sums = (
        Shop(),
        "SELECT currency, orders, confirmed, cancelled, units, revenue_minor FROM sales_daily",
    )

    projector.handle(messages([shop.placed()]))
    placed = analytics.rows(sums)
    projector.handle(messages([shop.requested()]))
    requested = analytics.rows(sums)
    projector.handle(messages([shop.confirmed(), shop.processed()]))
    confirmed = analytics.rows(sums)

    assert placed == [("XXX", 1, 0, 0, 0, 0)]
    assert requested == [("USD", 1, 0, 0, 0, 0)]
    assert confirmed == [("USD", 1, 1, 0, 2, 1_000)]
    assert statuses(analytics) == [("order-1", "CONFIRMED")]


def test_an_event_that_comes_again_has_no_second_effect(
    analytics: Analytics, projector: Projector, telemetry: RecordingTelemetry
) -> None:
    confirmed = Shop().confirmed()

    projector.handle(messages([confirmed, confirmed]))
    retry = projector.handle(messages([confirmed]))

    assert retry == ()
    assert analytics.rows("SELECT confirmed, revenue_minor FROM sales_daily") == [(1, 1_000)]
    assert analytics.rows("SELECT events FROM projection_checkpoints") == [(1,)]
    assert [fields for _, _, fields in telemetry.lines] == [
        {"events": 2, "new": 1, "refused": 0},
        {"events": 1, "new": 0, "refused": 0},
    ]


def test_events_of_different_orders_may_have_the_same_id(analytics: Analytics, projector: Projector) -> None:
    projector.handle(messages([Shop(name).confirmed(event_id="evt-1") for name in ("one", "other")]))

    assert statuses(analytics) == [("one", "CONFIRMED"), ("other", "CONFIRMED")]


def test_a_customer_whose_order_turns_out_to_be_another_s_leaves_no_trace(
    analytics: Analytics, projector: Projector
) -> None:
    first, better = Shop(customer="ann").confirmed(at("2026-01-05")), Shop(customer="bob").confirmed(NOON)
    known = "SELECT customer_id, orders FROM customer_month"

    projector.handle(messages([better]))
    before = analytics.rows(known)
    projector.handle(messages([first.model_copy(update={"event_id": "earlier"})]))

    assert before == [("bob", 1)]
    assert analytics.rows(known) == [("ann", 1)]
    assert analytics.rows("SELECT cohort, month, entered, left_off FROM cohort_month ORDER BY 2") == [
        (JAN, JAN, 1, 0),
        (JAN, FEB, 0, 1),
    ]


def test_an_earlier_order_moves_its_customer_to_an_earlier_cohort(
    analytics: Analytics, projector: Projector
) -> None:
    projector.handle(messages([Shop("later").confirmed(at("2026-03-10"))]))

    projector.handle(messages([Shop("earlier").confirmed(at("2026-02-10"))]))

    assert analytics.rows("SELECT cohort, month, entered, left_off FROM cohort_month ORDER BY 2") == [
        (FEB, FEB, 1, 0),
        (FEB, date(2026, 4, 1), 0, 1),
    ]


def test_two_orders_of_a_customer_that_are_projected_at_once_know_of_each_other(
    analytics: Analytics, projector: Projector, telemetry: RecordingTelemetry
) -> None:
    projector.handle(messages([adjusted()]))  # a tenant that nobody has to wait for
    slow = PausingConnection.connect(
        analytics.server.dsn(analytics.name, PROJECTOR), autocommit=True, prepare_threshold=None
    )
    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    january = messages([Shop("one").confirmed(at("2026-01-10"))])
    february = messages([Shop("other").confirmed(at("2026-02-10"))])

    with closing(slow), ThreadPoolExecutor(2) as pool:
        first = pool.submit(Projector(Database(lambda: slow), telemetry).handle, january)
        assert slow.paused.wait(_SECONDS)
        second = pool.submit(projector.handle, february)
        deadline = time.monotonic() + _SECONDS
        while not (second.done() or analytics.rows(waiting)):
            assert time.monotonic() < deadline
        slow.go_on.set()
        assert (first.result(), second.result()) == ((), ())

    assert analytics.rows("SELECT cohort, month, entered, left_off FROM cohort_month ORDER BY 2") == [
        (JAN, JAN, 1, 0),
        (JAN, MAR, 0, 1),
    ]


def test_items_that_are_no_more_are_removed(analytics: Analytics, projector: Projector) -> None:
    projector.handle(messages([Shop(lines=[("cup", 1, 500), ("mug", 1, 500)]).placed()]))

    projector.handle(messages([Shop(lines=[("cup", 2, 500), ("pot", 1, 900)]).confirmed()]))

    assert analytics.rows("SELECT sku, quantity, unit_price_minor FROM order_items ORDER BY 1") == [
        ("cup", 2, 500),
        ("pot", 1, 900),
    ]
    assert analytics.rows("SELECT sku, units FROM product_daily ORDER BY 1") == [("cup", 2), ("pot", 1)]


def test_a_product_is_as_the_newest_adjustment_tells_whenever_it_comes(
    analytics: Analytics, projector: Projector
) -> None:
    moment = NOON.replace(microsecond=123_456)
    newest = adjusted("cup", moment + timedelta(hours=1), stock=3)
    twin = adjusted("cup", moment + timedelta(hours=1), stock=4, event_id="zzz")

    projector.handle(messages([newest, adjusted("cup", moment, stock=9)]))
    after_two = analytics.rows("SELECT sku, stock FROM products")
    projector.handle(messages([adjusted("cup", moment + timedelta(minutes=5), stock=8)]))
    projector.handle(messages([twin]))

    assert after_two == [("cup", 3)]
    assert analytics.rows("SELECT sku, stock, told_by FROM products") == [("cup", 4, "zzz")]


def test_a_subscription_makes_its_rows_and_movements_and_unmakes_them(
    analytics: Analytics, projector: Projector
) -> None:
    contract = Contract()
    started, cancelled = contract.started("2026-01-10", 1_000), contract.cancelled("2026-01-20")
    moved = "SELECT month, movement, customers, annual_minor FROM mrr_month"

    projector.handle(messages([started]))
    before = analytics.rows(moved)
    projector.handle(messages([cancelled]))

    assert before == [(JAN, "new", 1, 12_000)]
    assert analytics.rows(moved) == []
    assert analytics.rows("SELECT * FROM mrr_movements") == []
    assert analytics.rows("SELECT * FROM cohort_month") == []
    assert analytics.rows("SELECT starts_at, ends_at FROM subscription_periods") == [
        (at("2026-01-10"), at("2026-01-20"))
    ]
    assert analytics.rows("SELECT subscription_id, ended_at, version FROM subscriptions") == [
        ("sub-1", at("2026-01-20"), 2)
    ]


def test_terms_without_an_exchange_rate_come_again_alone_until_there_is_one(
    analytics: Analytics, projector: Projector, telemetry: RecordingTelemetry
) -> None:
    contract = Contract()
    dollars = contract.started("2026-01-10", 1_000)
    euros = contract.changed("2026-02-10", 1_000, currency="EUR")

    retry = projector.handle(messages([dollars, euros, Shop().placed(), euros]))
    counted = analytics.rows("SELECT count(*) FROM event_inbox")
    with closing(analytics.connect()) as owner:
        owner.execute(
            "INSERT INTO fx_rates (tenant_id, currency, valid_from, rate) VALUES (%s, 'EUR', %s, 2)",
            [TENANT, FEB],
        )
    later = projector.handle(messages([euros]))

    assert sorted(retry) == ["m1", "m3"]
    assert counted == [(2,)]
    refusals = [fields for line, _, fields in telemetry.lines if line is LogEvent.SUBSCRIPTION_REFUSED]
    assert [(it["reason"], it["event_id"]) for it in refusals] == [("no_exchange_rate", "sub-1-2")]
    assert later == ()
    assert analytics.rows("SELECT month, movement, annual_minor FROM mrr_month ORDER BY 1") == [
        (JAN, "new", 12_000),
        (FEB, "expansion", 12_000),
    ]


def test_the_rate_is_that_of_the_day_and_there_is_none_before_the_first(
    analytics: Analytics, projector: Projector
) -> None:
    with closing(analytics.connect()) as owner:
        for rate, day in ((2, "2026-01-10"), (3, "2026-02-10")):
            owner.execute(
                "INSERT INTO fx_rates (tenant_id, currency, valid_from, rate) VALUES (%s, 'EUR', %s, %s)",
                [TENANT, day, rate],
            )
    days = ("2026-01-09", "2026-01-10", "2026-02-09", "2026-02-10", "2026-05-01")

    retry = projector.handle(
        messages([Contract(day, customer=day).started(day, 100, currency="EUR") for day in days])
    )

    assert retry == {"m0"}
    assert analytics.rows("SELECT subscription_id, annual_minor FROM subscription_periods ORDER BY 1") == [
        ("2026-01-10", 2_400),
        ("2026-02-09", 2_400),
        ("2026-02-10", 3_600),
        ("2026-05-01", 3_600),
    ]


def test_an_end_of_terms_needs_no_exchange_rate(analytics: Analytics, projector: Projector) -> None:
    retry = projector.handle(messages([Contract().cancelled("2026-01-10")]))

    assert retry == ()
    assert analytics.rows("SELECT count(*) FROM event_inbox") == [(1,)]


def test_a_rate_that_was_put_right_leaves_the_sums_the_sums_of_the_rows(
    analytics: Analytics, projector: Projector
) -> None:
    contract = Contract()
    with closing(analytics.connect()) as owner:
        owner.execute(
            "INSERT INTO fx_rates (tenant_id, currency, valid_from, rate) VALUES (%s, 'EUR', %s, 2)",
            [TENANT, JAN],
        )
        projector.handle(messages([contract.started("2026-01-10", 1_000, currency="EUR")]))
        owner.execute("UPDATE fx_rates SET rate = 3")

    projector.handle(messages([contract.cancelled("2026-03-10")]))

    moved = "SELECT month, movement, {} FROM {} ORDER BY 1"
    expected = [(JAN, "new", 36_000), (date(2026, 3, 1), "churn", 36_000)]
    assert analytics.rows(moved.format("annual_minor", "mrr_movements")) == expected
    assert analytics.rows(moved.format("annual_minor", "mrr_month")) == expected


def test_a_number_that_the_database_cannot_hold_fails_its_own_message_alone(
    analytics: Analytics, telemetry: RecordingTelemetry
) -> None:
    inbox = Inbox(
        "projector", CATALOGUE, Projector(analytics.projector, telemetry).handle, NoPoisonQueue(), telemetry
    )
    events: list[Event] = [
        Shop("small").confirmed(),
        Shop("huge").confirmed(amount_minor=10**20),
        Shop("other").placed(),
    ]

    answer = inbox.receive(
        sqs_event(*(envelope(event.model_dump(mode="json"), event.detail_type()) for event in events))
    )

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert statuses(analytics) == [("other", "PLACED"), ("small", "CONFIRMED")]
    assert analytics.rows("SELECT events FROM projection_checkpoints") == [(2,)]


def test_amounts_may_add_up_to_more_than_any_of_them_can_be(
    analytics: Analytics, projector: Projector
) -> None:
    largest = 2**63 - 1

    for order in ("one", "another"):
        projector.handle(messages([Shop(order).confirmed(amount_minor=largest)]))

    assert analytics.rows("SELECT revenue_minor FROM sales_daily") == [(2 * largest,)]


def test_a_batch_that_fails_leaves_nothing_behind(analytics: Analytics, projector: Projector) -> None:
    with pytest.raises(psycopg.DataError):
        projector.handle(messages([Shop("fine").placed(), Shop("huge").confirmed(amount_minor=10**20)]))

    for table in ("tenants", *reset.DERIVED_TABLES):
        assert analytics.rows(f"SELECT * FROM {table}") == []


def test_while_the_database_cannot_be_reached_the_batch_has_to_wait(telemetry: RecordingTelemetry) -> None:
    nowhere = Database(lambda: psycopg.connect("host=127.0.0.1 port=1", autocommit=True))

    with pytest.raises(StoreUnavailableError):
        Projector(nowhere, telemetry).handle(messages([Shop().placed()]))


def test_an_event_that_this_release_does_not_know_stops_its_subject(
    analytics: Analytics, projector: Projector
) -> None:
    projector.handle(messages([Shop().placed()]))
    with closing(analytics.connect()) as owner:
        owner.execute("UPDATE event_inbox SET event = 'OrderPraised'")

    with pytest.raises(UnknownEventError):
        projector.handle(messages([Shop().confirmed()]))


def test_what_follows_from_an_event_is_the_same_when_it_is_read_back(
    analytics: Analytics, projector: Projector
) -> None:
    shop = Shop()
    fine = NOON.replace(microsecond=123_999)

    projector.handle(messages([shop.placed(fine), adjusted("cup", fine)]))
    at_once = analytics.rows("SELECT placed_at FROM orders")
    projector.handle(messages([shop.requested()]))

    assert analytics.rows("SELECT placed_at FROM orders") == at_once
    assert analytics.rows("SELECT occurred_at FROM event_inbox WHERE event = 'OrderPlaced'") == at_once
    assert analytics.rows("SELECT told_at FROM products") == at_once


def test_tenants_are_kept_apart_and_begin_with_the_defaults(
    analytics: Analytics, projector: Projector
) -> None:
    projector.handle(messages([Shop(tenant=name).confirmed() for name in ("globex", "acme")]))

    assert analytics.rows("SELECT tenant_id, orders FROM sales_daily ORDER BY 1") == [
        ("acme", 1),
        ("globex", 1),
    ]
    assert analytics.rows("SELECT DISTINCT tenant_id FROM role_metric_visibility ORDER BY 1") == [
        ("acme",),
        ("globex",),
    ]


def test_the_checkpoint_tells_how_many_events_and_the_latest_of_them(
    analytics: Analytics, projector: Projector
) -> None:
    projector.handle(messages([Shop().placed(at("2026-03-01")), adjusted("cup", at("2026-02-01"))]))
    projector.handle(messages([Shop().requested(at("2026-01-01"))]))

    assert analytics.rows(
        "SELECT tenant_id, projection, events, last_event_at FROM projection_checkpoints"
    ) == [(TENANT, "analytics", 3, at("2026-03-01"))]


def test_nothing_to_do_asks_the_database_nothing(telemetry: RecordingTelemetry) -> None:
    def connect() -> psycopg.Connection[tuple[Any, ...]]:
        raise AssertionError("nobody has to be asked")

    assert Projector(Database(connect), telemetry).handle([]) == ()


def test_a_large_batch_takes_as_many_statements_as_a_small_one(
    analytics: Analytics, telemetry: RecordingTelemetry
) -> None:
    connection = CountingConnection.connect(
        analytics.server.dsn(analytics.name, PROJECTOR), autocommit=True, prepare_threshold=None
    )
    projector = Projector(Database(lambda: connection), telemetry)

    def statements(first: int, count: int) -> int:
        """Move so many orders, subscriptions and products on, each of which is known already."""
        numbers = range(first, first + count)
        shops = [Shop(f"order-{n}", customer=f"customer-{first}-{n % 7}") for n in numbers]
        contracts = [Contract(f"sub-{n}", customer=f"customer-{first}-{n % 7}") for n in numbers]
        known: list[Event] = [shop.placed() for shop in shops]
        known += [contract.started("2026-01-10", 1_000) for contract in contracts]
        projector.handle(messages(known))
        events: list[Event] = [event for shop in shops for event in shop.sold()]
        events += [contract.cancelled("2026-02-10") for contract in contracts]
        events += [adjusted(f"sku-{n}") for n in numbers]
        connection.executed = 0
        assert projector.handle(messages(events)) == ()
        return connection.executed

    with closing(connection):
        few, many = statements(0, 1), statements(1, 60)

    assert 10 < many == few < 40


def test_a_read_side_that_was_emptied_keeps_what_no_event_tells(
    analytics: Analytics, projector: Projector
) -> None:
    projector.handle(messages([*Shop().sold(), Contract().started("2026-01-10", 1_000), adjusted()]))
    with closing(analytics.connect()) as owner:
        owner.execute(
            "INSERT INTO fx_rates (tenant_id, currency, valid_from, rate) VALUES (%s, 'EUR', %s, 2)",
            [TENANT, JAN],
        )

        reset.empty(owner)

    emptied = {table: len(analytics.rows(f"SELECT 1 FROM {table}")) for table in reset.DERIVED_TABLES}
    assert emptied == dict.fromkeys(reset.DERIVED_TABLES, 0)
    for table in ("tenants", "role_metric_visibility", "governance_rules", "fx_rates"):
        assert analytics.rows(f"SELECT 1 FROM {table} LIMIT 1") == [(1,)]


def test_every_table_either_follows_from_events_or_is_brought_in_by_people(analytics: Analytics) -> None:
    tables = analytics.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition"
    )

    untouched = {name for (name,) in tables} - set(reset.DERIVED_TABLES)

    assert untouched == {
        *("tenants", "users", "role_metric_visibility", "governance_rules", "fx_rates"),
        *("marketing_campaigns", "audit_logs", "audit_heads", "schema_migrations"),
        *("datasets", "dataset_loads", "dataset_points", "dataset_hours"),
        *("imports", "import_chunks"),
    }

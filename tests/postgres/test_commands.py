"""What operators may have done to a database that only functions reach."""

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from typing import Any

import psycopg
import pytest

from scripts.local.postgres import Postgres
from services.analytics.admin import commands as admin_commands
from services.analytics.admin import migrator
from services.analytics.admin.commands import AdminCommands, MixedCurrencyError, UnknownCommandError
from services.analytics.projector.service import Projector
from services.shared.database import OWNER
from tests.postgres.conftest import Analytics
from tests.postgres.events import TENANT, Contract, messages
from tests.support.fakes import RecordingTelemetry

ALL = migrator.read()
_numbers = count(1)


@pytest.fixture
def bare(server: Postgres) -> Iterator[Analytics]:
    """A database as a server comes with it: there is nothing in it yet."""
    made = Analytics(server, f"bare_{next(_numbers)}")
    with closing(psycopg.connect(server.dsn(), autocommit=True)) as administrator:
        administrator.execute(f"CREATE DATABASE {made.name}".encode())
    yield made
    for database in made.opened:
        database.close()


def _commands(analytics: Analytics) -> AdminCommands:
    def administrator() -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(analytics.server.dsn(analytics.name), autocommit=True)

    return AdminCommands(analytics.database(OWNER), administrator, RecordingTelemetry(), ALL)


def test_a_bare_database_is_given_its_roles_and_its_schema(bare: Analytics) -> None:
    commands = _commands(bare)

    before = commands.run({"action": "status"})
    done = commands.run({"action": "migrate"})
    after = commands.run({"action": "status"})

    assert {it["state"] for it in before["migrations"]} == {"pending"}
    assert [it["version"] for it in done["applied"]] == [it.version for it in ALL]
    assert {it["state"] for it in after["migrations"]} == {"applied"}
    assert after["tenants"] == []


def test_migrating_again_does_nothing(analytics: Analytics) -> None:
    assert _commands(analytics).run({"action": "migrate"}) == {"applied": []}


def test_a_tenant_s_currency_can_be_chosen_before_and_after_its_first_event(analytics: Analytics) -> None:
    commands = _commands(analytics)

    commands.run({"action": "setCurrency", "tenantId": "acme", "currency": "EUR"})
    commands.run({"action": "setCurrency", "tenantId": "acme", "currency": "GBP"})

    assert analytics.rows("SELECT tenant_id, reporting_currency FROM tenants") == [("acme", "GBP")]
    [tenant] = commands.run({"action": "status"})["tenants"]
    numbers = {"events": 0, "imported": 0}
    assert tenant == {"tenantId": "acme", "currency": "GBP", **numbers, "lastEventAt": None}


_A_PERIOD = """
INSERT INTO subscription_periods (tenant_id, customer_id, subscription_id, starts_at, plan, billing_interval,
                                  amount_minor, currency, annual_minor)
VALUES ('acme', 'ann', 'sub-1', '2026-01-05', 'team', 'month', 100, 'USD', 1200)
"""


def test_what_was_added_up_in_one_currency_is_not_told_in_another(analytics: Analytics) -> None:
    commands, chosen = _commands(analytics), {"action": "setCurrency", "tenantId": "acme", "currency": "EUR"}
    commands.run({**chosen, "currency": "USD"})
    with closing(analytics.connect()) as owner:
        owner.execute(_A_PERIOD)

    with pytest.raises(MixedCurrencyError, match="acme has recurring revenue in USD"):
        commands.run(chosen)
    unchanged = commands.run({**chosen, "currency": "USD"})

    assert unchanged == {"changed": True}
    assert analytics.rows("SELECT reporting_currency FROM tenants") == [("USD",)]


def test_the_currency_changes_with_a_rebuild(analytics: Analytics) -> None:
    commands = _commands(analytics)
    commands.run({"action": "setCurrency", "tenantId": "acme", "currency": "USD"})
    with closing(analytics.connect()) as owner:
        owner.execute(_A_PERIOD)

    commands.run({"action": "empty", "currencies": {"acme": "EUR"}})

    assert analytics.rows("SELECT reporting_currency FROM tenants") == [("EUR",)]
    assert analytics.rows("SELECT 1 FROM subscription_periods") == []


def test_a_rate_holds_from_a_day_on_and_can_be_put_right(analytics: Analytics) -> None:
    commands, rate = _commands(analytics), {"action": "setRate", "tenantId": "acme", "currency": "EUR"}

    commands.run({**rate, "validFrom": "2026-01-01", "rate": "1.05"})
    commands.run({**rate, "validFrom": "2026-02-01", "rate": "1.07"})
    commands.run({**rate, "validFrom": "2026-02-01", "rate": "1.0825"})

    rates = analytics.rows("SELECT currency, valid_from::text, rate::text FROM fx_rates ORDER BY 2")
    assert rates == [("EUR", "2026-01-01", "1.0500000000"), ("EUR", "2026-02-01", "1.0825000000")]


def test_customers_are_brought_up_to_date_with_a_corrected_rate(analytics: Analytics) -> None:
    commands, rate = _commands(analytics), {"action": "setRate", "tenantId": TENANT, "currency": "EUR"}
    projector = Projector(analytics.projector, RecordingTelemetry())
    first = commands.run({**rate, "validFrom": "2026-01-01", "rate": "2"})
    ann, bob, eve = (Contract(name, customer=name) for name in ("ann", "bob", "eve"))
    events = [
        ann.started("2026-01-10", 100, currency="EUR"),
        bob.started("2026-02-10", 100, currency="EUR"),
        eve.started("2026-02-10", 100),
    ]
    assert projector.handle(messages(events)) == ()
    version = analytics.rows("SELECT updated_at FROM projection_checkpoints")

    second = commands.run({**rate, "validFrom": "2026-02-01", "rate": "3"})

    assert (first, second) == ({"changed": True, "customers": 0}, {"changed": True, "customers": 1})
    moved = "SELECT customer_id, annual_minor FROM mrr_movements ORDER BY 1"
    assert analytics.rows(moved) == [("ann", 2_400), ("bob", 3_600), ("eve", 1_200)]
    assert analytics.rows("SELECT month::text, annual_minor FROM mrr_month ORDER BY 1") == [
        ("2026-01-01", 2_400),
        ("2026-02-01", 4_800),
    ]
    assert analytics.rows("SELECT updated_at FROM projection_checkpoints") > version


def test_any_number_of_customers_is_brought_up_to_date(
    analytics: Analytics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_commands, "_AT_ONCE", 2)
    commands, rate = _commands(analytics), {"action": "setRate", "tenantId": TENANT, "currency": "EUR"}
    commands.run({**rate, "validFrom": "2026-01-01", "rate": "2"})
    contracts = [Contract(f"sub-{n}", customer=f"customer-{n}") for n in range(5)]
    events = [contract.started("2026-01-10", 100, currency="EUR") for contract in contracts]
    Projector(analytics.projector, RecordingTelemetry()).handle(messages(events))

    result = commands.run({**rate, "validFrom": "2026-01-01", "rate": "3"})

    assert result == {"changed": True, "customers": 5}
    assert analytics.rows("SELECT annual_minor, customers FROM mrr_month") == [(18_000, 5)]


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        ({"action": "drop"}, "action"),
        ({}, "discriminator"),
        ("migrate", "dictionary"),
        ({"action": "status", "more": 1}, "more"),
        ({"action": "setCurrency", "tenantId": "acme", "currency": "euro"}, "currency"),
        (
            {"action": "setRate", "tenantId": "a", "currency": "EUR", "validFrom": "2026-13-01", "rate": 1},
            "validFrom",
        ),
        (
            {"action": "setRate", "tenantId": "a", "currency": "EUR", "validFrom": "86400", "rate": 1},
            "a day such as 2026-01-31",
        ),
        (
            {"action": "setRate", "tenantId": "a", "currency": "EUR", "validFrom": "2026-01-01", "rate": 0},
            "rate",
        ),
    ],
)
def test_what_it_does_not_know_it_refuses_by_name(
    analytics: Analytics, request_: object, complaint: str
) -> None:
    with pytest.raises(UnknownCommandError, match=complaint):
        _commands(analytics).run(request_)

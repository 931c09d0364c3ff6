"""Recurring revenue, month by month, against hand-computed cases."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest

from services.analytics.db.tables import MovementRow
from services.analytics.model.mrr import NoExchangeRateError, RateKey, Rates, customer_rows, rate_keys
from services.shared.events import SubscriptionEvent
from tests.postgres.events import Contract, Interval, at

USD = Rates("USD")

JAN, FEB, MAR, APR, MAY = (date(2026, month, 1) for month in range(1, 6))


def moved(*events: SubscriptionEvent, rates: Rates = USD) -> list[tuple[date, str, Decimal | int]]:
    """Return the movements, in minor units per year."""
    rows = customer_rows(events, rates).movements
    return [(row.month, row.movement, row.annual_minor) for row in rows]


def test_a_first_subscription_is_new_and_its_end_is_churn() -> None:
    contract = Contract()

    found = moved(contract.started("2026-01-15", 1_000), contract.cancelled("2026-03-10"))

    assert found == [(JAN, "new", 12_000), (MAR, "churn", 12_000)]


def test_better_terms_are_expansion_and_worse_ones_contraction() -> None:
    contract = Contract()

    found = moved(
        contract.started("2026-01-15", 1_000),
        contract.changed("2026-02-15", 1_500),
        contract.changed("2026-03-15", 700),
    )

    assert found == [(JAN, "new", 12_000), (FEB, "expansion", 6_000), (MAR, "contraction", 9_600)]


def test_what_starts_and_ends_within_one_month_is_no_movement() -> None:
    contract = Contract()

    rows = customer_rows([contract.started("2026-01-05", 1_000), contract.cancelled("2026-01-25")], USD)

    assert rows.movements == ()
    assert [(row.starts_at, row.ends_at) for row in rows.periods] == [(at("2026-01-05"), at("2026-01-25"))]


def test_terms_changed_up_and_down_within_one_month_count_as_they_are_at_its_end() -> None:
    contract = Contract()

    found = moved(
        contract.started("2026-01-05", 1_000),
        contract.changed("2026-02-05", 5_000),
        contract.changed("2026-02-25", 1_000),
        contract.changed("2026-03-05", 9_000),
        contract.changed("2026-03-06", 800),
    )

    assert found == [(JAN, "new", 12_000), (MAR, "contraction", 2_400)]


def test_of_two_subscriptions_the_first_to_end_is_contraction_and_the_last_is_churn() -> None:
    one, other = Contract("one"), Contract("other")

    found = moved(
        one.started("2026-01-10", 1_000),
        other.started("2026-02-10", 300),
        one.cancelled("2026-03-10"),
        other.cancelled("2026-04-10"),
    )

    assert found == [
        (JAN, "new", 12_000),
        (FEB, "expansion", 3_600),
        (MAR, "contraction", 12_000),
        (APR, "churn", 3_600),
    ]


def test_one_subscription_that_takes_over_from_another_is_no_movement() -> None:
    one, other = Contract("one"), Contract("other")

    found = moved(
        one.started("2026-01-10", 1_000), one.cancelled("2026-02-10"), other.started("2026-02-20", 1_000)
    )

    assert found == [(JAN, "new", 12_000)]


def test_a_pause_is_churn_and_who_returns_is_reactivated() -> None:
    contract = Contract()

    found = moved(
        contract.started("2026-01-10", 1_000),
        contract.changed("2026-02-10", 0),
        contract.changed("2026-04-10", 1_200),
    )

    assert found == [(JAN, "new", 12_000), (FEB, "churn", 12_000), (APR, "reactivation", 14_400)]


def test_a_trial_is_worth_nothing_until_it_is_paid_for() -> None:
    contract = Contract()

    found = moved(contract.started("2026-01-10", 0), contract.changed("2026-03-10", 1_000))

    assert found == [(MAR, "new", 12_000)]


def test_a_cancelled_subscription_that_starts_again_is_reactivated_and_tells_of_its_new_life() -> None:
    contract = Contract()
    events = [
        contract.started("2026-01-10", 1_000),
        contract.cancelled("2026-02-10", reason="too dear"),
        contract.started("2026-04-10", 500),
    ]

    [row] = customer_rows(events, USD).subscriptions

    assert moved(*events) == [(JAN, "new", 12_000), (FEB, "churn", 12_000), (APR, "reactivation", 6_000)]
    assert (row.started_at, row.ended_at, row.reason, row.amount_minor, row.version) == (
        at("2026-04-10"),
        None,
        None,
        500,
        3,
    )


def test_what_ended_tells_when_and_why() -> None:
    contract = Contract()

    [row] = customer_rows(
        [contract.started("2026-01-10", 1_000), contract.cancelled("2026-02-10", reason="too dear")], USD
    ).subscriptions

    assert (row.started_at, row.ended_at, row.reason) == (at("2026-01-10"), at("2026-02-10"), "too dear")


def test_twelve_years_of_ten_dollars_sum_up_exactly() -> None:
    contracts = [Contract(f"sub-{number}") for number in range(12)]

    found = moved(*(it.started("2026-01-10", 1_000, "year") for it in contracts))

    # A month of one of them is 83.33... cents; of all of them it is exactly 10.00.
    assert found == [(JAN, "new", 12_000)]
    assert found[0][2] / 12 == 1_000


def test_from_a_year_to_its_twelfth_a_month_is_no_movement() -> None:
    contract = Contract()

    found = moved(contract.started("2026-01-10", 12_000, "year"), contract.changed("2026-02-10", 1_000))

    assert found == [(JAN, "new", 12_000)]


def test_other_currencies_count_at_the_rate_of_the_day_on_which_their_terms_began() -> None:
    contract = Contract()
    rates = Rates("USD", {"EUR": [(date(2026, 1, 1), Decimal("1.1")), (FEB, Decimal("1.2"))]})

    found = moved(contract.started("2026-01-31", 1_000, currency="EUR"), rates=rates)
    later = moved(contract.started("2026-02-01", 1_000, currency="EUR"), rates=rates)

    assert found == [(JAN, "new", Decimal(13_200))]
    assert later == [(FEB, "new", Decimal(14_400))]


def test_a_rate_that_changes_moves_nothing_until_terms_do() -> None:
    contract = Contract()
    rates = Rates("USD", {"EUR": [(JAN, Decimal("1.1")), (FEB, Decimal("1.2"))]})

    found = moved(
        contract.started("2026-01-10", 1_000, currency="EUR"),
        contract.changed("2026-03-10", 2_000, currency="EUR"),
        rates=rates,
    )

    assert found == [(JAN, "new", Decimal(13_200)), (MAR, "expansion", Decimal(14_400))]


@pytest.mark.parametrize("day", ["2026-01-31", "2025-12-01"])
def test_terms_in_a_currency_without_a_rate_on_their_day_cannot_be_counted(day: str) -> None:
    rates = Rates("USD", {"EUR": [(FEB, Decimal("1.2"))]})

    with pytest.raises(NoExchangeRateError):
        customer_rows([Contract().started(day, 1_000, currency="EUR")], rates)


def test_amounts_of_any_size_at_rates_of_ten_digits_are_exact() -> None:
    rates = Rates("USD", {"EUR": [(JAN, Decimal("1.0000000001"))]})

    found = moved(Contract().started("2026-01-10", 2**63 - 1, currency="EUR"), rates=rates)

    assert found == [(JAN, "new", Decimal("110680464453325356128.2257309684"))]


def test_what_must_be_known_are_the_currencies_of_terms_on_the_days_they_began() -> None:
    contract = Contract()
    events = [
        contract.started("2026-01-10", 1_000, currency="EUR"),
        contract.changed("2026-02-01", 1_000, effective_at=at("2026-03-01")),
        contract.cancelled("2026-04-01"),
    ]

    assert rate_keys(events) == {RateKey("EUR", date(2026, 1, 10)), RateKey("USD", MAR)}


def test_terms_hold_from_when_they_take_effect_and_not_from_when_they_are_told() -> None:
    contract = Contract()

    found = moved(
        contract.started("2026-03-10", 1_000, effective_at=at("2026-01-10")),
        contract.cancelled("2026-01-20", effective_at=at("2026-04-10")),
    )

    assert found == [(JAN, "new", 12_000), (APR, "churn", 12_000)]


def test_a_month_ends_at_midnight_utc() -> None:
    one, other = Contract("one"), Contract("other")
    midnight = at("2026-02-01", "00:00")

    rows = [
        # In force in the very last moment of January, and not in that of February.
        *moved(one.started("2026-01-10", 1_000), one.cancelled("2026-02-01", effective_at=midnight)),
        *moved(other.started("2026-02-01", 1_000, effective_at=midnight)),
    ]

    assert rows == [(JAN, "new", 12_000), (FEB, "churn", 12_000), (FEB, "new", 12_000)]


def test_in_whatever_order_events_come_the_rows_are_the_same() -> None:
    one, other = Contract("one"), Contract("other")
    events = [
        one.started("2026-01-10", 1_000),
        one.changed("2026-02-10", 0),
        one.cancelled("2026-03-10"),
        other.started("2026-02-10", 2_000),
        one.started("2026-05-10", 100),
    ]

    rows = {customer_rows(arrived, USD) for arrived in permutations(events)}

    assert len(rows) == 1


def test_an_end_before_the_start_ends_nothing() -> None:
    contract = Contract()

    rows = customer_rows([contract.cancelled("2026-01-10"), contract.started("2026-02-10", 1_000)], USD)

    assert [row.movement for row in rows.movements] == ["new"]
    assert rows.subscriptions[0].ended_at is None


def test_an_end_of_which_no_start_was_heard_makes_no_row() -> None:
    assert customer_rows([Contract().cancelled("2026-01-10")], USD) == ((), (), ())


def test_a_change_of_which_no_start_was_heard_counts_as_one() -> None:
    assert moved(Contract().changed("2026-01-10", 1_000)) == [(JAN, "new", 12_000)]


def test_a_change_agreed_on_for_after_the_end_brings_nothing_back_but_stays_known() -> None:
    contract = Contract()
    end, change = contract.cancelled("2026-02-10"), contract.changed("2026-03-10", 900)

    assert moved(contract.started("2026-01-10", 1_000), end, change) == [
        (JAN, "new", 12_000),
        (FEB, "churn", 12_000),
    ]
    alone = customer_rows([end, change], USD)
    assert (alone.periods, alone.movements) == ((), ())
    assert [(row.amount_minor, row.ended_at) for row in alone.subscriptions] == [(900, at("2026-02-10"))]


def test_a_second_end_does_not_move_the_first() -> None:
    contract = Contract()

    rows = customer_rows(
        [
            contract.started("2026-01-10", 1_000),
            contract.cancelled("2026-02-10"),
            contract.cancelled("2026-04-10"),
        ],
        USD,
    )

    assert rows.subscriptions[0].ended_at == at("2026-02-10")
    assert [row.month for row in rows.movements] == [JAN, FEB]


def test_of_what_takes_effect_at_once_the_later_told_wins_then_ends_over_changes_over_starts() -> None:
    contract = Contract()
    now = at("2026-01-10")
    # Numbered the other way round, so that it is not by their ids that they win.
    end = contract.cancelled("2026-01-10")
    change = contract.changed("2026-01-10", 200)
    start = contract.started("2026-01-10", 100)
    later_start = contract.started("2026-01-11", 300, effective_at=now)
    twin = contract.changed("2026-01-10", 400)

    assert moved(change, start) == [(JAN, "new", 2_400)]
    assert moved(end, change, start) == []
    assert moved(later_start, end, change, start) == [(JAN, "new", 3_600)]
    assert moved(twin, change) == [(JAN, "new", 4_800)]
    assert [row.starts_at for row in customer_rows([change, start, twin], USD).periods] == [now]


def test_a_renewal_at_the_instant_of_the_end_is_expansion_or_nothing() -> None:
    # Times of whole seconds, one id: nothing but the kind of the event tells the end from the start.
    for amount, expected in ((1_000, []), (1_500, [(FEB, "expansion", 6_000)])):
        contract = Contract()
        first = contract.started("2026-01-10", 1_000)
        events = [first, contract.started("2026-02-10", amount), contract.cancelled("2026-02-10")]

        for arrived in permutations(events):
            assert moved(*arrived) == [(JAN, "new", 12_000), *expected]
        assert customer_rows(events, USD).subscriptions[0].ended_at is None


def test_a_start_that_is_cancelled_at_its_own_instant_never_was() -> None:
    contract = Contract()

    assert moved(contract.cancelled("2026-01-10"), contract.started("2026-01-10", 1_000)) == []


def split(movements: Iterable[MovementRow]) -> list[tuple[object, ...]]:
    return [(row.month, row.movement, row.annual_minor, row.exchange_minor) for row in movements]


EURO = Rates("USD", {"EUR": [(JAN, Decimal("1.1")), (FEB, Decimal("1.2")), (MAR, Decimal("0.9"))]})


def test_a_plan_renamed_at_an_unchanged_price_is_no_movement_whatever_the_exchange_rate() -> None:
    contract = Contract()
    events = [
        contract.started("2026-01-10", 1_000, currency="EUR", plan="old"),
        contract.changed("2026-02-10", 1_000, currency="EUR", plan="new"),
    ]

    rows = customer_rows(events, EURO)

    assert [(row.month, row.movement) for row in rows.movements] == [(JAN, "new")]
    worth: list[tuple[object, ...]] = [(row.plan, row.annual_minor) for row in rows.periods]
    assert worth == [("old", 13_200), ("new", 13_200)]


def test_a_change_is_split_into_price_in_its_own_currency_and_exchange() -> None:
    contract = Contract()

    rows = customer_rows(
        [
            contract.started("2026-01-10", 1_000, currency="EUR"),
            contract.changed("2026-02-10", 1_500, currency="EUR"),
            contract.changed("2026-03-10", 18_000, "year", currency="EUR"),
            contract.cancelled("2026-04-10"),
        ],
        EURO,
    ).movements

    assert split(rows) == [
        (JAN, "new", 13_200, 0),
        # 500 a month more at 1.2; 1,000 a month from 1.1 to 1.2.
        (FEB, "expansion", 7_200, 1_200),
        # The same 18,000 a year, from 1.2 to 0.9.
        (MAR, "exchange", 0, -5_400),
        (APR, "churn", 16_200, 0),
    ]


def test_a_change_of_currency_is_a_change_of_price() -> None:
    contract = Contract()

    rows = customer_rows(
        [
            contract.started("2026-01-10", 1_000, currency="EUR"),
            contract.changed("2026-02-10", 1_000, currency="USD"),
        ],
        EURO,
    ).movements

    assert split(rows) == [
        (JAN, "new", 13_200, 0),
        (FEB, "contraction", 1_200, 0),
    ]


@pytest.mark.parametrize(
    ("interval", "annual"), [("week", 52_000), ("month", 12_000), ("quarter", 4_000), ("year", 1_000)]
)
def test_a_year_has_52_weeks_12_months_and_4_quarters(interval: Interval, annual: int) -> None:
    assert moved(Contract().started("2026-01-10", 1_000, interval)) == [(JAN, "new", annual)]

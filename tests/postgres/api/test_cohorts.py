"""Cohorts: customers by first month, and how many are still active."""

from typing import Any

import pytest

from tests.postgres.api.client import ApiClient, cohort, insert, rule
from tests.postgres.conftest import Analytics


def table(data: Any) -> dict[str, list[int | None]]:  # noqa: ANN401 - a JSON tree
    return {
        one["month"]: [one["customers"], *(cell["active"] for cell in one["months"])]
        for one in data["cohorts"]
    }


@pytest.fixture
def season(analytics: Analytics, client: ApiClient) -> ApiClient:
    """Ten began in November, of whom four paused in December; three began in January."""
    insert(
        analytics,
        "cohort_month",
        cohort("2025-11", "2025-11", entered=10),
        cohort("2025-11", "2025-12", left_off=4),
        cohort("2025-11", "2026-01", entered=2, left_off=1),
        cohort("2025-11", "2026-02", left_off=7),
        cohort("2026-01", "2026-01", entered=3),
        cohort("2026-01", "2026-02", left_off=3),
        cohort("2025-12", "2025-12", entered=1, basis="subscription"),
    )
    return client


def test_customers_are_active_when_more_entered_than_left_so_far(season: ApiClient) -> None:
    values = season.ask("/api/metrics/cohorts").data

    assert table(values) == {"2025-11": [10, 10, 6, 7], "2026-01": [3, 3]}
    assert [cell["retention"] for cell in values["cohorts"][0]["months"]] == [1, 0.6, 0.7]
    assert (values["basis"], values["from"], values["to"]) == ("order", "2025-02", "2026-02")


def test_the_other_basis_counts_other_customers(season: ApiClient) -> None:
    assert table(season.ask("/api/metrics/cohorts", {"basis": "subscription"}).data) == {"2025-12": [1, 1, 1]}


def test_a_range_of_months_ends_before_its_last(season: ApiClient) -> None:
    values = season.ask("/api/metrics/cohorts", {"from": "2025-11", "to": "2026-01"}).data

    assert table(values) == {"2025-11": [10, 10, 6]}


def test_months_that_have_not_begun_are_not_told(season: ApiClient) -> None:
    values = season.ask("/api/metrics/cohorts", {"from": "2026-01", "to": "2026-12"}).data

    assert table(values) == {"2026-01": [3, 3]}


@pytest.mark.parametrize("smallest", [7, 6.5])
def test_groups_smaller_than_the_rule_allows_are_withheld(
    analytics: Analytics, season: ApiClient, smallest: float
) -> None:
    insert(analytics, "governance_rules", rule("cohorts", "smallest_group", smallest))

    answer = season.ask("/api/metrics/cohorts")

    assert table(answer.data) == {"2025-11": [10, 10, None, 7], "2026-01": [None, None]}
    assert answer.data["cohorts"][0]["months"][1]["retention"] is None
    assert answer.body["meta"]["withheld"] == "groups of fewer than 7 customers"


def test_nothing_is_withheld_without_a_rule(season: ApiClient) -> None:
    assert season.ask("/api/metrics/cohorts").body["meta"]["withheld"] is None

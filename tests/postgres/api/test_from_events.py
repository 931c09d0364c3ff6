"""From events through the projector to API responses."""

import pytest

from services.analytics.projector.service import Projector
from services.shared.events import Event
from tests.postgres.api.client import ApiClient, claims
from tests.postgres.conftest import Analytics
from tests.postgres.events import Contract, Shop, adjusted, at, messages
from tests.support.fakes import RecordingTelemetry


def history() -> list[Event]:
    """Four orders of two customers, and a year of one subscription that is paid more for in January."""
    first, second, third, fourth = (
        Shop(f"o-{number}", customer=customer)
        for number, customer in enumerate(["ann", "ann", "bob", "bob"], 1)
    )
    contract = Contract()
    return [
        *first.sold(at("2025-12-15")),
        *second.sold(at("2026-01-20")),
        second.refunded(at("2026-01-21")),
        third.placed(at("2026-01-20", "13:00"), region="eu"),
        third.rejected(at("2026-01-20", "13:00")),
        *fourth.sold(at("2026-01-30")),
        adjusted(name="A cup"),
        contract.started("2025-11-05", 12_000, "year"),
        contract.changed("2026-01-10", 1_500),
    ]


@pytest.fixture
def shop(analytics: Analytics) -> ApiClient:
    """The API of a database that received all events, in reverse order."""
    projector = Projector(analytics.projector, RecordingTelemetry())
    assert not projector.handle(messages(reversed(history())))
    return ApiClient(analytics.api)


def test_orders_are_told_as_they_became(shop: ApiClient) -> None:
    values = shop.ask("/api/orders").data["orders"]

    assert [(one["orderId"], one["status"], one["region"]) for one in values] == [
        ("o-4", "CONFIRMED", None),
        ("o-3", "REJECTED", "eu"),
        ("o-2", "REFUNDED", None),
        ("o-1", "CONFIRMED", None),
    ]


def test_an_order_is_told_with_everything_heard_of_it(shop: ApiClient) -> None:
    values = shop.ask("/api/orders/o-2").data

    assert values["items"] == [
        {
            "sku": "cup",
            "quantity": 2,
            "unitPrice": {"amountMinor": 500, "currency": "USD"},
            "total": {"amountMinor": 1_000, "currency": "USD"},
        }
    ]
    assert (values["payment"]["status"], values["payment"]["chargeId"]) == ("REFUNDED", "ch-1")
    assert values["payment"]["refunded"] == {"amountMinor": 1_000, "currency": "USD"}
    assert {entry["event"] for entry in values["timeline"]} == {
        "OrderPlaced",
        "PaymentRequested",
        "PaymentProcessed",
        "OrderConfirmed",
        "RefundProcessed",
    }
    assert values["timeline"][-1]["event"] == "RefundProcessed"


def test_nothing_of_an_order_names_its_customer_to_whoever_may_not_know(shop: ApiClient) -> None:
    answer = shop.ask("/api/orders/o-2", by=claims(role="viewer"))

    assert len(answer.data["timeline"]) == 5
    assert '"ann"' not in answer.text


def test_recurring_revenue_grew_by_what_is_paid_more(shop: ApiClient) -> None:
    values = shop.ask("/api/metrics/mrr").data
    churned = shop.ask("/api/metrics/churn").data

    assert [values[name]["amount"]["amountMinor"] for name in ("opening", "expansion", "closing")] == [
        1_000,
        500,
        1_500,
    ]
    assert (churned["logoChurn"], churned["netRevenueRetention"]) == (0, 1.5)


def test_cohorts_hold_whoever_bought_again(shop: ApiClient) -> None:
    values = shop.ask("/api/metrics/cohorts").data["cohorts"]

    assert [
        (one["month"], one["customers"], [cell["active"] for cell in one["months"]]) for one in values
    ] == [
        ("2025-12", 1, [1, 1]),
        ("2026-01", 1, [1]),
    ]


def test_sales_are_told_alike_wherever_they_are_told(shop: ApiClient) -> None:
    january = {"from": "2026-01-01", "to": "2026-02-01"}
    summary = shop.ask("/api/metrics/summary", january).data["current"]
    regions = shop.ask("/api/pipeline/by-region", january).data["regions"]
    products = shop.ask("/api/pipeline/by-product", january).data["products"]
    days = shop.ask("/api/sales/last-month").data["days"]

    net = {"amountMinor": 1_000, "currency": "USD"}
    assert (summary["orders"], summary["confirmed"], summary["refunded"], summary["units"]) == (3, 2, 1, 4)
    assert (summary["takings"][0]["net"], summary["successRate"]) == (net, 0.666667)
    assert sum(one["orders"] for one in regions) == sum(one["orders"] for one in days) == 3
    assert [one["region"] for one in regions] == [None, "eu"]
    assert [(one["sku"], one["name"], one["takings"][0]["net"]) for one in products] == [
        ("cup", "A cup", net)
    ]


def test_answers_say_up_to_which_event_they_go(shop: ApiClient) -> None:
    assert shop.ask("/api/metrics/mrr").body["meta"]["asOf"] == "2026-01-31T12:00:00.000Z"


def test_an_answer_that_was_kept_is_good_until_the_next_event(analytics: Analytics, shop: ApiClient) -> None:
    conditional = {"if-none-match": shop.ask("/api/metrics/summary").headers["etag"]}
    before = shop.ask("/api/metrics/summary", headers=conditional).status

    Projector(analytics.projector, RecordingTelemetry()).handle(messages([Shop("o-5").placed()]))

    assert (before, shop.ask("/api/metrics/summary", headers=conditional).status) == (304, 200)

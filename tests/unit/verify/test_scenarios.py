"""The orders that a verification places, and what is expected of them."""

import json

import pytest

from scripts.verify.scenarios import Scenarios
from scripts.verify.suite import SCENARIOS
from services.shared.events import OrderPlaced
from services.shared.ledger import Status


@pytest.fixture
def scenarios() -> Scenarios:
    return Scenarios.of("r42", json.loads(SCENARIOS.read_text()))


def test_the_run_is_marked_in_every_id_and_sku(scenarios: Scenarios) -> None:
    for it in scenarios.all:
        assert "r42" in it.order_id
        assert "r42" in it.detail["customerId"]
        assert all("r42" in sku for sku in it.quantities)
    assert len({it.order_id for it in scenarios.all}) == len(scenarios.all)


def test_success_and_failure_are_what_publishers_send(scenarios: Scenarios) -> None:
    published = json.loads(SCENARIOS.read_text())
    by_name = {it.name: it.detail for it in scenarios.all}

    for name in ("success", "failure"):
        assert by_name[name].keys() == published[name].keys()
        assert by_name[name]["orderId"].startswith(published[name]["orderId"])
        assert [item["quantity"] for item in by_name[name]["items"]] == [
            item["quantity"] for item in published[name]["items"]
        ]


def test_all_orders_but_the_malformed_one_validate(scenarios: Scenarios) -> None:
    def readable(detail: object) -> bool:
        given = {"eventId": "e", "occurredAt": "2026-01-31T12:00:00Z"}
        try:
            OrderPlaced.model_validate({**given, **detail})  # type: ignore[dict-item]
        except ValueError:
            return False
        return True

    assert {it.name: readable(it.detail) for it in scenarios.all} == {
        it.name: it.status is not None for it in scenarios.all
    }
    assert [it.name for it in scenarios.malformed] == ["malformed"]


def test_confirmed_orders_reduce_the_stock_and_others_do_not(scenarios: Scenarios) -> None:
    (key,) = scenarios.skus

    assert scenarios.left(key.id) == 10 - 2 - 1  # the success takes two, the duplicate one, once


def test_expected_counter_increases_follow_from_the_scenarios(scenarios: Scenarios) -> None:
    increases = scenarios.counter_increases(["order", "projector"])

    spelled = {f"{name}{dict(labels)}": by for (name, labels), by in increases.items()}
    assert spelled["orders_total{'outcome': 'reserved'}"] == 3
    assert spelled["orders_total{'outcome': 'rejected'}"] == 1
    assert spelled["orders_total{'outcome': 'duplicate'}"] == 1
    assert spelled["payments_total{'outcome': 'succeeded'}"] == 2
    assert spelled["payments_total{'outcome': 'failed'}"] == 1
    assert spelled["poison_events_total{'consumer': 'projector'}"] == 1
    assert spelled["events_published_total{'event': 'OrderConfirmed'}"] == 2


def test_the_final_status_of_a_scenario_is_among_its_events(scenarios: Scenarios) -> None:
    final_events = {
        Status.CONFIRMED: "OrderConfirmed",
        Status.CANCELLED: "OrderCancelled",
        Status.REJECTED: "OrderRejected",
    }
    for it in scenarios.readable:
        assert it.status is not None
        assert final_events[it.status] in it.events

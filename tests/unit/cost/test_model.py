"""A bill is quantity times price; a limit is a quota over what an order uses."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.cost import prices, quotas
from scripts.cost.bill import CostDriver
from scripts.cost.limits import hot_sku, limits
from scripts.cost.measurements import BATCHES, MIXES, OUTCOMES, Figures, name
from scripts.cost.model import ASSUMED, Model, OrderMix
from scripts.cost.pipeline_costs import monthly
from scripts.cost.scale_page import PAGE, with_current_tables
from scripts.environment.topology import Topology

TOPOLOGY = Topology.load()
SCHEDULED = {
    f"{mix}.{figure}": 0.0
    for mix in ("collection", "scrape")
    for figure in ("writeUnits", "readUnits", "cpuMs", "stages", "logBytes")
}


def figures(**each: float) -> Figures:
    """Figures that are the same for every order and batch."""
    medians = {
        name(outcome, mix, batch, figure.replace("__", ".")): value
        for outcome in OUTCOMES
        for mix in MIXES
        for batch in BATCHES
        for figure, value in {"skuWrites": 2.0, **each}.items()
    }
    return Figures(medians | SCHEDULED, "2026-11-21")


def measured() -> Model:
    return Model(Figures.load(), TOPOLOGY)


def test_a_bill_agrees_with_one_computed_by_hand() -> None:
    model = Model(
        figures(
            events=4, eventBytes=1024, messages=3, writeUnits__orders=4, writeUnits__inventory=2, readUnits=2
        ),
        TOPOLOGY,
        batch=99,
    )

    bill = monthly(model, 1_000_000)

    ours = {(line.service, line.name): line.dollars for line in bill.lines}
    assert ours["EventBridge", "events"] == pytest.approx(4.00)
    assert ours["EventBridge", "archived"] == pytest.approx(1_000_000 * 1024 / 2**30 * 0.10)
    assert ours["SQS", "send, receive, delete"] == pytest.approx(3 * 1.2 * 0.40)
    assert ours["DynamoDB", "orders: writes"] == pytest.approx(2.50)
    assert ours["DynamoDB", "inventory: writes"] == pytest.approx(1.25)
    assert ours["DynamoDB", "orders: reads"] == pytest.approx(0.25)
    assert ours["Scheduler", "collections"] == pytest.approx(0.0438)


def test_lambda_is_billed_for_processor_time_and_for_waiting() -> None:
    model = Model(
        figures(order__cpuMs=10, order__stages=2, order__invocations=1, events=1), TOPOLOGY, batch=1
    )

    bill = monthly(model, 1_000_000)

    (busy,) = (line for line in bill.lines if line.name == "order: GB-s")
    assert TOPOLOGY.function("order").memory_mb == 1024
    assert busy.quantity == pytest.approx(1_000_000 * (10 * 1769 / 1024 + 2 * 25) / 1000)


def test_a_batch_of_payments_waits_for_its_charges_sixteen_at_a_time() -> None:
    model = Model(figures(events=1), TOPOLOGY)

    assert model.busy_seconds("payment", 1) == pytest.approx(0.2)
    assert model.busy_seconds("payment", 16) * 16 == pytest.approx(0.2)
    assert model.busy_seconds("payment", 17) * 17 == pytest.approx(0.4)


def test_without_orders_the_bill_has_fixed_costs_only() -> None:
    bill = monthly(measured(), 0)

    assert bill.total == bill.sum(driver=CostDriver.FIXED) > 0
    assert bill.per_million() == 0


def test_fixed_costs_are_the_same_at_any_volume() -> None:
    totals = {monthly(measured(), 10.0**power).sum(driver=CostDriver.FIXED) for power in range(12)}

    assert len(totals) == 1


@pytest.mark.parametrize("batch", [None, 1, 7, 99])
@pytest.mark.parametrize("skus", [1, 3, 20])
def test_more_orders_never_cost_less(batch: float | None, skus: int) -> None:
    model = replace(measured(), batch=batch, mix=OrderMix(skus=skus, declined=0.1))
    volumes = [1.3**step for step in range(120)]

    totals = [monthly(model, volume).total for volume in volumes]

    assert all(less <= more for less, more in pairwise(totals))


def test_orders_that_are_rejected_cost_less_but_not_nothing() -> None:
    sold_out = replace(measured(), mix=OrderMix(rejected=1.0), batch=10)

    rejected, settled = monthly(sold_out, 1e6), monthly(replace(measured(), batch=10), 1e6)

    assert 0 < rejected.per_million() < settled.per_million()
    assert any(line.name == "orders: writes" and line.dollars > 0 for line in rejected.lines)


def test_fuller_batches_cost_less() -> None:
    costs = [monthly(replace(measured(), batch=batch), 1e6).per_million() for batch in (1, 5, 10, 50, 99)]

    assert costs == sorted(costs, reverse=True)


def test_orders_of_more_skus_cost_more() -> None:
    costs = [monthly(replace(measured(), mix=OrderMix(skus=skus)), 1e6).total for skus in (1, 2, 3, 10, 30)]

    assert costs == sorted(costs)


def test_a_figure_is_interpolated_between_batch_sizes() -> None:
    measured_at = {name("confirmed", "spread", size, "calls"): 2 + 6 / size for size in BATCHES}
    known = {**figures(events=1).medians, **measured_at}

    at_four = Figures(known, "").per_order("confirmed", "calls", batch=4, skus=1)

    assert at_four == pytest.approx(2 + 6 / 4)


def test_the_maximum_rate_is_the_quota_over_what_an_order_uses() -> None:
    model = Model(figures(events=4, writeUnits__orders=5), TOPOLOGY)

    found = {limit.name: limit for limit in limits(model)}

    assert found["EventBridge: events put"].max_rate == quotas.PUT_EVENTS.value / 4
    assert found["DynamoDB: writes to orders"].max_rate == quotas.TABLE_WRITES.value / 5
    assert found["DynamoDB: writes to orders"].headroom(4_000) == 2


def test_the_first_limit_reached_comes_first() -> None:
    found = limits(measured())

    assert found[0].max_rate == min(limit.max_rate for limit in found)


def test_a_hot_item_is_limited_by_write_units_and_by_contention() -> None:
    model = Model(figures(events=1), TOPOLOGY, assumed=replace(ASSUMED, round_trip_ms=10))

    hot = hot_sku(model, orders_per_transaction=99)

    assert hot.by_capacity == 500 * 99 / 2
    assert hot.by_contention == 100 * 99 / 2


@pytest.mark.parametrize(
    ("skus", "declined", "message"),
    [(0, 0.0, "--items must be 1 to 90, not 0"), (1, 1.5, "from 0 to 1, not 1.5")],
)
def test_an_invalid_order_mix_is_refused(skus: int, declined: float, message: str) -> None:
    with pytest.raises(ToolError, match=message):
        OrderMix(skus=skus, declined=declined)


def test_missing_figures_name_the_command_that_measures_them(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="make bench NAME=per-order"):
        Figures.load(tmp_path / "none.json")


@pytest.mark.parametrize("content", ["{", "[]", '{"medians": {"a": {"b": "c"}}, "when": ""}'])
def test_malformed_figures_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "figures.json"
    path.write_text(content)

    with pytest.raises(ToolError, match="is not a result of the benchmark"):
        Figures.load(path)


def test_figures_of_which_a_scenario_is_missing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({"medians": {"confirmed/hot/1": {"events": 4}}, "when": "now"}))

    with pytest.raises(ToolError, match="has no confirmed/hot/10/events"):
        Figures.load(path)


def test_every_price_names_its_source() -> None:
    known = [price for price in vars(prices).values() if isinstance(price, prices.Price)]

    assert len(known) > 10
    assert all(price.each > 0 and price.checked for price in known)


def test_a_price_is_shown_with_all_its_digits_and_at_least_two() -> None:
    assert prices.DYNAMODB_WRITE_UNIT.label() == "$0.625 per 1,000,000 write units"
    assert prices.EVENTBRIDGE_EVENT.label() == "$1.00 per 1,000,000 events"
    assert prices.LAMBDA_GB_SECOND.label() == "$0.0000133334 per GB-second"


def test_the_tables_of_the_page_are_those_of_the_model() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert with_current_tables(text, measured()) == text, "docs/scale.md is outdated; run `make scale`"


def test_every_table_of_the_page_has_a_slot() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert text.count("written by `make scale` -->") == text.count("<!-- end -->") == 6

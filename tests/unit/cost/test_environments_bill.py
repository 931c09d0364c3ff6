"""The bill of an environment follows from its size."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import pytest

from scripts.common.errors import ToolError
from scripts.cost import cost_page, fixed_costs, prices, read_side
from scripts.cost.bill import CostDriver
from scripts.cost.environments import ColdStarts, EnvironmentSize, environment_size
from scripts.cost.measurements import Figures
from scripts.cost.model import Model
from scripts.cost.pipeline_costs import Deployed, monthly
from scripts.cost.prices import HOURS_A_MONTH
from scripts.cost.read_side import ProjectionTimes
from scripts.environment.topology import Topology

TOPOLOGY = Topology.load()
MODEL = Model(Figures.load(), TOPOLOGY)
PROJECTION_TIMES = ProjectionTimes.load()
ENVIRONMENTS = ("dev", "prod")
DEV, PROD = map(environment_size, ENVIRONMENTS)


def total(size: EnvironmentSize, orders: float = 0) -> float:
    return monthly(MODEL, orders, Deployed(size, PROJECTION_TIMES)).total


def amounts(size: EnvironmentSize, orders: float = 0) -> Mapping[tuple[str, str], float]:
    bill = monthly(MODEL, orders, Deployed(size, PROJECTION_TIMES))
    return {(line.service, line.name): line.dollars for line in bill.lines}


def test_prod_without_orders_agrees_with_a_bill_computed_by_hand() -> None:
    bill = amounts(PROD)

    assert bill["Aurora", "capacity, at the minimum"] == pytest.approx(2 * 1 * 730 * 0.12)
    assert bill["RDS Proxy", "capacity of the proxy"] == pytest.approx(8 * 730 * 0.015)
    assert bill["Network", "interface endpoints"] == pytest.approx(3 * 3 * 730 * 0.01)
    assert bill["Network", "NAT gateways"] == 0
    assert bill["KMS", "keys"] == pytest.approx(4 * 1.00)
    assert bill["WAF", "web ACLs"] + bill["WAF", "rules"] == pytest.approx(5 + 4 * 1.00)
    assert bill["Secrets Manager", "secrets"] == pytest.approx(1 * 0.40)
    # Four windows of ten metrics each; three alarms of the database, two of its proxy, one of them over two.
    # Errors and throttles of 21 functions; age, deliveries and rule of five queues; age of three without.
    # Then the API and the pipeline.
    metrics = (4 * 10 + 3 + 3) + 21 * 2 + 5 * (1 + 1 + 2) + 3 + (2 + 1) + (7 + 2)
    assert bill["CloudWatch", "metrics of other alarms"] == pytest.approx(metrics * 0.10)
    assert bill["CloudWatch", "composite alarms"] == pytest.approx(2 * 0.50)
    # The collector every minute and Prometheus every half.
    assert bill["X-Ray", "collections and scrapes"] == pytest.approx(3 * 43_800 * 5 / 1e6)


def test_dev_has_one_small_instance_two_zones_and_no_proxy() -> None:
    bill = amounts(DEV)

    assert bill["Aurora", "capacity, at the minimum"] == 0
    assert bill["Network", "interface endpoints"] == pytest.approx(3 * 2 * 730 * 0.01)
    assert not any(service == "RDS Proxy" for service, _ in bill)


def test_monitoring_brings_a_task_a_load_balancer_and_a_nat_gateway_in_each_zone() -> None:
    bill = amounts(environment_size("prod", monitoring=True))

    assert bill["Fargate", "processor"] == pytest.approx(0.5 * 730 * 0.03238)
    assert bill["Fargate", "memory"] == pytest.approx(2 * 730 * 0.00356)
    assert bill["Fargate", "disk"] == pytest.approx(20 * 730 * 0.000111)
    assert bill["Load balancer", "hours"] == pytest.approx(730 * 0.0225)
    assert bill["Network", "NAT gateways"] == pytest.approx(3 * 730 * 0.045)
    assert bill["Network", "public addresses"] == pytest.approx(3 * 730 * 0.005)
    assert bill["Secrets Manager", "secrets"] == pytest.approx(2 * 0.40)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_costs_more_than_its_pipeline(name: str) -> None:
    for orders in (0, 1e6, 1e8):
        assert total(environment_size(name), orders) > monthly(MODEL, orders).total


@pytest.mark.parametrize("monitoring", [False, True])
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_more_orders_never_cost_an_environment_less(name: str, monitoring: bool) -> None:
    size = environment_size(name, monitoring=monitoring)

    totals = [total(size, 1.3**step) for step in range(100)]

    assert all(less <= more for less, more in pairwise(totals))


def test_without_orders_an_environment_has_fixed_costs_only() -> None:
    bill = monthly(MODEL, 0, Deployed(environment_size("prod", monitoring=True), PROJECTION_TIMES))

    assert bill.total == pytest.approx(bill.sum(driver=CostDriver.FIXED))


def test_without_a_database_nothing_of_the_read_side_is_billed() -> None:
    size = replace(DEV, database=None)

    bill = amounts(size, 1e6)

    assert not any("projector" in line or "analytics" in line for _, line in bill)
    assert not {"Aurora", "Cognito"} & {service for service, _ in bill}
    assert bill["CloudWatch", "alarms on dead-letter queues"] == pytest.approx(6 * 0.10)


@pytest.mark.parametrize("name", ["staging", "local", "", "../dev"])
def test_an_environment_without_a_bill_is_refused(name: str) -> None:
    with pytest.raises(ToolError, match="choose one of dev, prod"):
        environment_size(name)


def test_more_capacity_zones_and_a_proxy_cost_more() -> None:
    assert DEV.database is not None
    larger = replace(DEV, zones=3, database=replace(DEV.database, min_acu=1.5, proxy=True))

    bill = amounts(larger)

    assert bill["Aurora", "capacity, at the minimum"] == pytest.approx(1.5 * 730 * 0.12)
    assert bill["Network", "interface endpoints"] == pytest.approx(3 * 3 * 730 * 0.01)
    assert bill["RDS Proxy", "capacity of the proxy"] == pytest.approx(8 * 730 * 0.015)


def test_one_endpoint_less_costs_less() -> None:
    fewer = replace(PROD, resources={**PROD.resources, "aws_vpc_endpoint": 2})

    assert amounts(fewer)["Network", "interface endpoints"] == pytest.approx(2 * 3 * 730 * 0.01)


def test_avoiding_cold_starts_is_billed_by_the_memory_of_the_function() -> None:
    settings = {"analytics": ColdStarts(provisioned=2), "expiry": ColdStarts(snapshot=True)}

    bill = amounts(replace(DEV, cold_starts=settings))

    month = 730 * 3600
    assert bill["Lambda", "analytics: provisioned concurrency"] == pytest.approx(2 * 1 * month * 0.0000033334)
    assert bill["Lambda", "expiry: snapshot"] == pytest.approx(0.5 * month * 0.0000015046)


def test_an_environment_without_traces_has_no_bill_for_them() -> None:
    services = {service for service, _ in amounts(DEV)}

    untraced = {service for service, _ in amounts(replace(DEV, traced=False))}

    assert services - untraced == {"X-Ray"}


@pytest.mark.parametrize(("name", "orders"), [("dev", 0.3e6), ("prod", 3e6)])
@pytest.mark.parametrize("monitoring", [False, True])
def test_the_usual_bill_stays_below_the_first_budget_alert(
    name: str, monitoring: bool, orders: float
) -> None:
    size = environment_size(name, monitoring=monitoring)

    assert total(size, orders) < 0.8 * size.monthly_usd


# --- the page -------------------------------------------------------------------------------------------


def test_the_tables_of_the_page_are_those_of_the_bill() -> None:
    text = cost_page.PAGE.read_text(encoding="utf-8")

    assert cost_page.with_current_tables(text, MODEL) == text, "docs/cost.md is outdated; run `make scale`"


@pytest.mark.parametrize(
    "statement",
    [
        f"costs ${HOURS_A_MONTH * prices.AURORA_CAPACITY.each:.2f} a month per instance",
        f"{read_side.CPU_OF_AN_ACU} processors per ACU × {read_side.BUSY_AT_MOST} utilisation",
        f"assumes {read_side.PAGES_READ} such reads per event",
        f"takes {read_side.BYTES_PER_ORDER:,} bytes in the database",
        f"{read_side.ROUND_TRIP_MS:.0f} ms, {read_side.STATEMENTS} per batch",
        f"{fixed_costs.USERS} users, {fixed_costs.API_REQUESTS:,} requests a month",
    ],
)
def test_the_text_of_the_page_agrees_with_the_constants_of_the_bill(statement: str) -> None:
    assert statement in " ".join(cost_page.PAGE.read_text(encoding="utf-8").split())


def test_every_table_of_the_page_has_a_slot() -> None:
    text = cost_page.PAGE.read_text(encoding="utf-8")

    assert text.count("written by `make scale` -->") == text.count("<!-- end -->") == 7


def test_the_collector_that_runs_half_as_often_costs_half() -> None:
    rarer = TOPOLOGY.scheduled["collector"].model_copy(update={"schedule": "rate(2 minutes)"})
    topology = TOPOLOGY.model_copy(update={"functions": {**TOPOLOGY.functions, "collector": rarer}})

    requested = [
        next(it.quantity for it in monthly(model, 0).lines if it.name == "series read at each collection")
        for model in (MODEL, replace(MODEL, topology=topology))
    ]

    assert requested[1] == requested[0] / 2

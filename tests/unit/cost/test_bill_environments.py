"""An environment's bill follows infra/: what it makes is counted there, and a change there moves the bill."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.cost import cost_page, fixed_costs, prices, read_side
from scripts.cost.bill import Deployed, monthly
from scripts.cost.environment import Environment
from scripts.cost.inventory import INFRA, Inventory
from scripts.cost.lines import Nature
from scripts.cost.measurements import Figures
from scripts.cost.model import Model
from scripts.cost.prices import HOURS_A_MONTH
from scripts.cost.read_side import Projected
from scripts.environment.topology import Topology

TOPOLOGY = Topology.load()
AS_IT_IS = Inventory(TOPOLOGY)
MODEL = Model(Figures.load(), TOPOLOGY)
PROJECTED = Projected.load()
ENVIRONMENTS = ("dev", "prod")


@pytest.fixture
def infra(tmp_path: Path) -> Path:
    copy = tmp_path / "infra"
    shutil.copytree(INFRA, copy, ignore=shutil.ignore_patterns(".terraform*"))
    return copy


def change(file: Path, was: str, now: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(was) == 1, f"{file} does not say {was!r} once"
    file.write_text(text.replace(was, now), encoding="utf-8")


def total(its: Environment, orders: float = 0) -> float:
    return monthly(MODEL, orders, Deployed(its, PROJECTED)).total


def amounts(its: Environment, orders: float = 0) -> Mapping[tuple[str, str], float]:
    bill = monthly(MODEL, orders, Deployed(its, PROJECTED))
    return {(line.service, line.what): line.dollars for line in bill.lines}


def test_prod_without_orders_reckoned_by_hand() -> None:
    ours = amounts(AS_IT_IS.environment("prod"))

    assert ours["Aurora", "capacity, at its least"] == pytest.approx(2 * 1 * 730 * 0.12)
    assert ours["RDS Proxy", "capacity behind it"] == pytest.approx(8 * 730 * 0.015)
    assert ours["Network", "interface endpoints"] == pytest.approx(3 * 3 * 730 * 0.01)
    assert ours["Network", "NAT gateways"] == 0
    assert ours["KMS", "keys"] == pytest.approx(3 * 1.00)
    assert ours["Secrets Manager", "secrets"] == pytest.approx(1 * 0.40)
    # Four windows of ten metrics each; three alarms of the database, two of its proxy, one of them over two.
    assert ours["CloudWatch", "metrics that other alarms look at"] == pytest.approx((4 * 10 + 3 + 3) * 0.10)
    assert ours["CloudWatch", "composite alarms"] == pytest.approx(2 * 0.50)
    # The collector every minute and Prometheus every half.
    assert ours["X-Ray", "collections and scrapes"] == pytest.approx(3 * 43_800 * 5 / 1e6)


def test_dev_has_one_small_instance_two_zones_and_no_proxy() -> None:
    ours = amounts(AS_IT_IS.environment("dev"))

    assert ours["Aurora", "capacity, at its least"] == pytest.approx(0.5 * 730 * 0.12)
    assert ours["Network", "interface endpoints"] == pytest.approx(3 * 2 * 730 * 0.01)
    assert not any(service == "RDS Proxy" for service, _ in ours)


def test_monitoring_brings_a_task_a_load_balancer_and_a_nat_gateway_in_each_zone() -> None:
    ours = amounts(AS_IT_IS.environment("prod", watched=True))

    assert ours["Fargate", "processor"] == pytest.approx(0.5 * 730 * 0.03238)
    assert ours["Fargate", "memory"] == pytest.approx(2 * 730 * 0.00356)
    assert ours["Fargate", "disk"] == pytest.approx(20 * 730 * 0.000111)
    assert ours["Load balancer", "hours"] == pytest.approx(730 * 0.0225)
    assert ours["Network", "NAT gateways"] == pytest.approx(3 * 730 * 0.045)
    assert ours["Network", "public addresses"] == pytest.approx(3 * 730 * 0.005)
    assert ours["Secrets Manager", "secrets"] == pytest.approx(2 * 0.40)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_costs_what_its_pipeline_does_and_more(name: str) -> None:
    for orders in (0, 1e6, 1e8):
        assert total(AS_IT_IS.environment(name), orders) > monthly(MODEL, orders).total


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_more_orders_never_cost_an_environment_less(name: str, watched: bool) -> None:
    its = AS_IT_IS.environment(name, watched=watched)

    totals = [total(its, 1.3**step) for step in range(100)]

    assert all(less <= more for less, more in pairwise(totals))


def test_without_orders_an_environment_has_its_fixed_part_alone() -> None:
    bill = monthly(MODEL, 0, Deployed(AS_IT_IS.environment("prod", watched=True), PROJECTED))

    assert bill.total == pytest.approx(bill.sum(nature=Nature.FIXED))


def test_where_there_is_no_database_nobody_pays_for_projecting_or_asking() -> None:
    its = replace(AS_IT_IS.environment("dev"), database=None)

    ours = amounts(its, 1e6)

    assert not any("projector" in what or "analytics" in what for _, what in ours)
    assert not {"Aurora", "Cognito"} & {service for service, _ in ours}
    assert ours["CloudWatch", "alarms on dead-letter queues"] == pytest.approx(3 * 0.10)


# --- infra/ is the truth --------------------------------------------------------------------------------


def test_the_bill_follows_the_values_of_an_environment(infra: Path) -> None:
    before = Inventory(TOPOLOGY, infra).environment("dev")

    change(infra / "envs/dev/main.tf", "min = 0.5, max = 2", "min = 1.5, max = 2")
    change(infra / "envs/dev/main.tf", "zones          = 2", "zones          = 3")
    change(infra / "envs/dev/main.tf", '"cluster"', '"proxy"')

    after = Inventory(TOPOLOGY, infra).environment("dev")
    moved = {
        key: after_it for key, after_it in amounts(after).items() if after_it != amounts(before).get(key)
    }
    assert moved["Aurora", "capacity, at its least"] == pytest.approx(1.5 * 730 * 0.12)
    assert moved["Network", "interface endpoints"] == pytest.approx(3 * 3 * 730 * 0.01)
    assert moved["RDS Proxy", "capacity behind it"] == pytest.approx(8 * 730 * 0.015)


@pytest.mark.parametrize(
    ("file", "text", "resource", "more"),
    [
        ("network/more.tf", 'resource "aws_kms_key" "more" {}', "aws_kms_key", 1),
        ("event-consumer/more.tf", 'resource "aws_kms_key" "more" {}', "aws_kms_key", 4),
        ("secret/more.tf", 'resource "aws_secretsmanager_secret" "more" {}', "aws_secretsmanager_secret", 2),
        ("table/more.tf", 'resource "aws_kms_key" "more" {\n  count = 2\n}', "aws_kms_key", 6),
        (
            "aurora/more.tf",
            'resource "aws_eip" "more" {\n  for_each = toset(["one", "two"])\n}',
            "aws_eip",
            2,
        ),
    ],
)
def test_what_a_module_makes_more_of_is_counted_wherever_the_module_is_used(
    infra: Path, file: str, text: str, resource: str, more: int
) -> None:
    before = Inventory(TOPOLOGY, infra).environment("prod")

    (infra / "modules" / file).write_text(text, encoding="utf-8")

    after = Inventory(TOPOLOGY, infra).environment("prod")
    assert after.number_of(resource) == before.number_of(resource) + more


def test_what_is_done_about_cold_starts_is_billed_by_the_function_s_memory(
    infra: Path,
) -> None:
    starts = "starts = { analytics = { kept_warm = 2 }, expiry = { snapshot = true } }"
    change(infra / "envs/dev/main.tf", "  database = {", f"  {starts}\n\n  database = {{")

    ours = amounts(Inventory(TOPOLOGY, infra).environment("dev"))

    month = 730 * 3600
    assert ours["Lambda", "analytics: kept warm"] == pytest.approx(2 * 1 * month * 0.0000033334)
    assert ours["Lambda", "expiry: snapshot"] == pytest.approx(0.5 * month * 0.0000015046)


def test_what_is_not_traced_is_not_billed_for_it(infra: Path) -> None:
    before = {service for service, _ in amounts(Inventory(TOPOLOGY, infra).environment("dev"))}
    change(infra / "envs/dev/main.tf", "  database = {", "  traced = false\n\n  database = {")

    after = {service for service, _ in amounts(Inventory(TOPOLOGY, infra).environment("dev"))}

    assert before - after == {"X-Ray"}


def test_an_endpoint_less_costs_less(infra: Path) -> None:
    change(infra / "modules/network/variables.tf", '["sqs", "ssm", "secretsmanager"]', '["sqs", "ssm"]')

    ours = amounts(Inventory(TOPOLOGY, infra).environment("prod"))

    assert ours["Network", "interface endpoints"] == pytest.approx(2 * 3 * 730 * 0.01)


def test_a_module_that_is_not_there_is_not_counted(infra: Path) -> None:
    before = Inventory(TOPOLOGY, infra).environment("dev")
    text = (infra / "envs/dev/main.tf").read_text(encoding="utf-8")
    values = text[text.index("  database = {") : text.rindex("}")]

    change(infra / "envs/dev/main.tf", values, "  database = null\n")

    after = Inventory(TOPOLOGY, infra).environment("dev")
    assert (before.number_of("aws_rds_cluster_instance"), before.number_of("aws_kms_key")) == (1, 3)
    assert (after.number_of("aws_rds_cluster_instance"), after.number_of("aws_kms_key")) == (0, 1)
    assert (before.number_of("aws_vpc_endpoint"), after.number_of("aws_vpc_endpoint")) == (3, 0)
    assert after.database is None
    assert (amounts(before)["CloudWatch", "flow logs"] > 0, amounts(after)["CloudWatch", "flow logs"]) == (
        True,
        0,
    )
    assert total(after) < total(before)


def test_what_nobody_can_count_is_said_instead_of_left_out(infra: Path) -> None:
    (infra / "modules/network/more.tf").write_text(
        'resource "aws_kms_key" "more" {\n  for_each = local.somewhere\n}', encoding="utf-8"
    )

    with pytest.raises(ToolError, match=r"aws_kms_key\.more is there for .*local\.somewhere"):
        Inventory(TOPOLOGY, infra).environment("prod")


def test_what_is_not_billed_may_be_there_any_number_of_times(infra: Path) -> None:
    (infra / "modules/network/more.tf").write_text(
        'resource "aws_security_group" "more" {\n  for_each = local.somewhere\n}', encoding="utf-8"
    )

    assert Inventory(TOPOLOGY, infra).environment("prod") == AS_IT_IS.environment("prod")


@pytest.mark.parametrize("name", ["staging", "local", "", "../dev"])
def test_an_environment_without_a_bill_of_its_own_is_refused(name: str) -> None:
    with pytest.raises(ToolError, match="there are dev, prod"):
        AS_IT_IS.environment(name)


def test_an_environment_that_does_not_say_how_large_it_is_is_refused(infra: Path) -> None:
    change(infra / "envs/dev/main.tf", "min = 0.5, max = 2", "min = local.small, max = 2")

    with pytest.raises(ToolError, match="does not say in numbers how large it is"):
        Inventory(TOPOLOGY, infra).environment("dev")


def test_a_file_that_is_not_terraform_is_named(infra: Path) -> None:
    (infra / "modules/network/broken.tf").write_text("resource {{", encoding="utf-8")

    with pytest.raises(ToolError, match=r"broken\.tf cannot be read as Terraform"):
        Inventory(TOPOLOGY, infra).environment("dev")


@pytest.mark.parametrize(("name", "orders"), [("dev", 0.3e6), ("prod", 3e6)])
@pytest.mark.parametrize("watched", [False, True])
def test_nobody_is_told_of_what_was_meant_to_be_spent(name: str, watched: bool, orders: float) -> None:
    its = AS_IT_IS.environment(name, watched=watched)

    assert total(its, orders) < 0.8 * its.monthly_usd


# --- the page -------------------------------------------------------------------------------------------


def test_the_tables_of_the_page_are_those_of_the_bill() -> None:
    text = cost_page.PAGE.read_text(encoding="utf-8")

    assert cost_page.written(text, MODEL) == text, "docs/cost.md is old: `make scale` writes it anew"


@pytest.mark.parametrize(
    "told",
    [
        f"costs ${HOURS_A_MONTH * prices.AURORA_CAPACITY.each:.2f} a month in each instance",
        f"{read_side.CPU_OF_AN_ACU} processors an ACU × {read_side.BUSY_AT_MOST} busy at most",
        f"takes {read_side.PAGES_READ} such reads for every event",
        f"leaves {read_side.BYTES_KEPT:,} bytes in the database",
        f"{read_side.ROUND_TRIP_MS:.0f} ms, {read_side.STATEMENTS} of them in a batch",
        f"{fixed_costs.USERS} users, {fixed_costs.QUESTIONS:,} questions a month",
    ],
)
def test_what_the_page_says_in_words_is_what_the_bill_reckons_with(told: str) -> None:
    assert told in " ".join(cost_page.PAGE.read_text(encoding="utf-8").split())


def test_every_table_of_the_page_has_its_place() -> None:
    text = cost_page.PAGE.read_text(encoding="utf-8")

    assert text.count("written by `make scale` -->") == text.count("<!-- end -->") == 6


def test_the_collector_that_runs_half_as_often_costs_half() -> None:
    rarer = TOPOLOGY.scheduled["collector"].model_copy(update={"schedule": "rate(2 minutes)"})
    topology = TOPOLOGY.model_copy(update={"functions": {**TOPOLOGY.functions, "collector": rarer}})

    asked = [
        next(it.quantity for it in monthly(model, 0).lines if it.what == "series read at each collection")
        for model in (MODEL, replace(MODEL, topology=topology))
    ]

    assert asked[1] == asked[0] / 2

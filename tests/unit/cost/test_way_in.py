"""What orders over HTTP add to a bill follows from what the function takes for one."""

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.cost.bill import Bill
from scripts.cost.environments import environment_size
from scripts.cost.measurements import Figures
from scripts.cost.model import Model
from scripts.cost.pipeline_costs import Deployed, monthly
from scripts.cost.read_side import ProjectionTimes
from scripts.cost.way_in import IN_A_BURST, HttpOrderFigures
from scripts.environment.topology import Topology

TOPOLOGY = Topology.load()
ONE = HttpOrderFigures(
    {"cpuMs": 10, "stages": 6, "readUnits": 3, "writeUnits": 2, "storedBytes": 924, "logBytes": 1_024}
)
PUBLISHED = Model(Figures.load(), TOPOLOGY)
OVER_HTTP = replace(PUBLISHED, http=ONE)


def amounts(bill: Bill) -> dict[tuple[str, str], float]:
    return {(line.service, line.name): line.dollars for line in bill.lines}


def test_a_million_orders_over_http_agree_with_a_bill_computed_by_hand() -> None:
    bill, published = (amounts(monthly(it, 1e6)) for it in (OVER_HTTP, PUBLISHED))

    added = {name: dollars for name, dollars in bill.items() if name not in published}
    assert TOPOLOGY.function("commands").memory_mb == 1024
    assert added["API Gateway", "orders over HTTP"] == pytest.approx(1.00)
    assert added["Lambda", "commands: invocations"] == pytest.approx(0.20)
    busy = (10 * 1769 / 1024 + 6 * 25) / 1000
    assert added["Lambda", "commands: GB-s"] == pytest.approx(1e6 * busy * 0.0000133334)
    assert added["DynamoDB", "commands: reads"] == pytest.approx(3 * 0.125)
    assert added["DynamoDB", "commands: writes"] == pytest.approx(2 * 0.625)
    # A receipt stays for 35 days.
    assert added["DynamoDB", "storage of receipts"] == pytest.approx(
        1e6 * 1_024 / 2**30 * 35 / (730 / 24) * 0.25
    )
    assert added["CloudWatch", "commands: log"] == pytest.approx(1e6 * 1_024 / 2**30 * 0.50)
    assert added["CloudWatch", "access log of orders"] == pytest.approx(1e6 * 250 / 2**30 * 0.50)
    assert {name: bill[name] for name in published} == published


def test_without_orders_the_way_in_costs_nothing() -> None:
    assert monthly(OVER_HTTP, 0).total == monthly(PUBLISHED, 0).total


def test_where_functions_are_traced_an_order_is_a_trace_more() -> None:
    deployed = Deployed(environment_size("prod"), ProjectionTimes.load())

    bill, published = (amounts(monthly(it, 1e6, deployed)) for it in (OVER_HTTP, PUBLISHED))

    traces = ("X-Ray", "invocations for orders")
    assert bill[traces] - published[traces] == pytest.approx(5.00)


def test_within_a_burst_an_order_takes_a_write_more() -> None:
    rest, burst = (HttpOrderFigures.load(scenario=it) for it in ("a caller at rest", IN_A_BURST))

    assert burst.medians["writeUnits"] == rest.medians["writeUnits"] + 1


@pytest.mark.parametrize("content", [None, "{", "[]", '{"medians": {"a caller at rest": {"cpuMs": 1}}}'])
def test_figures_that_are_missing_name_the_command_that_measures_them(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "figures.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ToolError, match="make bench NAME=http-orders"):
        HttpOrderFigures.load(path)

"""The read side is billed by the events it projects: its function's time, its messages, its database."""

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.cost import fixed_costs
from scripts.cost.environment import Database
from scripts.cost.measurements import Figures
from scripts.cost.model import Model
from scripts.cost.read_side import Projected, Projection
from scripts.environment.topology import Topology

TOPOLOGY = Topology.load()
MODEL = Model(Figures.load(), TOPOLOGY)


def projection(database: Database, orders: float, *, server_us: float = 100) -> Projection:
    told = Projected(dict.fromkeys((1, 10, 100), 50.0), dict.fromkeys((1, 10, 100), server_us))
    return Projection.of(MODEL, database, told, orders)


SMALL = Database(0.5, 2, 1, proxy=False, backup_days=1)


def test_an_order_is_projected_event_by_event() -> None:
    month = projection(SMALL, 1e6)

    assert month.events == pytest.approx(4e6)
    assert month.batch == 1
    assert month.calls == pytest.approx(4e6)


def test_every_event_that_an_order_puts_on_the_bus_is_projected() -> None:
    of_an_order = {"OrderPlaced", "PaymentRequested", "PaymentProcessed", "OrderConfirmed"}

    assert of_an_order <= set(TOPOLOGY.consumer("projector").subscriptions)
    assert MODEL.each("events", 1) == len(of_an_order)


def test_capacity_is_processor_time_over_what_an_acu_has_of_it() -> None:
    seconds = 730 * 3600
    month = projection(SMALL, 1_000 * seconds / 4, server_us=100)

    # 1,000 events a second of 100 µs keep a tenth of a processor busy; an ACU has a quarter, used to 70 %.
    assert month.needed_acu == pytest.approx(0.1 / 0.25 / 0.7, rel=0.01)
    assert month.acu == 1.0


def test_capacity_stays_between_its_least_and_its_most() -> None:
    assert projection(SMALL, 0).acu == 0.5
    assert projection(SMALL, 1e12).acu == 2


def test_what_a_month_leaves_in_the_database_is_kept_and_backed_up_beyond_a_day() -> None:
    gib = 1e6 * 5_000 / 2**30

    kept = {line.what: line.dollars for line in projection(SMALL, 1e6).kept()}
    fortnight = projection(replace(SMALL, backup_days=14), 1e6).kept()

    assert kept == {"the month's orders, kept": pytest.approx(gib * 0.10)}
    assert [line.dollars for line in fortnight] == [pytest.approx(gib * 0.10), pytest.approx(gib * 0.021)]


def test_all_calls_of_a_seldom_called_function_are_traced_and_few_of_a_busy_one() -> None:
    seconds = 730 * 3600

    assert fixed_costs.recorded(0.5 * seconds) == pytest.approx(0.5 * seconds)
    assert fixed_costs.recorded(21 * seconds) == pytest.approx(2 * seconds)


@pytest.mark.parametrize(("least", "most", "instances"), [(2, 1, 1), (0.5, 2, 0), (-1, 2, 1)])
def test_a_database_that_cannot_be_is_refused(least: float, most: float, instances: int) -> None:
    with pytest.raises(ToolError, match="a database has an instance"):
        Database(least, most, instances, proxy=False, backup_days=1)


def test_projections_that_are_not_there_name_the_command_that_measures_them(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="make bench NAME=projector"):
        Projected.load(tmp_path / "none.json")


@pytest.mark.parametrize("content", ["{", "[]", '{"medians": {}}'])
def test_projections_that_make_no_sense_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "projector.json"
    path.write_text(content)

    with pytest.raises(ToolError, match="is not what"):
        Projected.load(path)

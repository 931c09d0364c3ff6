"""The read side is billed by the events it projects: function time, messages, database."""

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.cost import fixed_costs
from scripts.cost.environments import AuroraSize
from scripts.cost.measurements import Figures
from scripts.cost.model import Model
from scripts.cost.read_side import ProjectionTimes, ReadSideMonth
from scripts.environment.topology import Topology

TOPOLOGY = Topology.load()
MODEL = Model(Figures.load(), TOPOLOGY)


def read_side(database: AuroraSize, orders: float, *, database_us: float = 100) -> ReadSideMonth:
    times = ProjectionTimes(dict.fromkeys((1, 10, 100), 50.0), dict.fromkeys((1, 10, 100), database_us))
    return ReadSideMonth.of(MODEL, database, times, orders)


SMALL = AuroraSize(0.5, 2, 1, proxy=False, backup_days=1)


def test_an_order_is_projected_event_by_event() -> None:
    month = read_side(SMALL, 1e6)

    assert month.events == pytest.approx(4e6)
    assert month.batch == 1
    assert month.calls == pytest.approx(4e6)


def test_every_event_that_an_order_puts_on_the_bus_is_projected() -> None:
    of_an_order = {"OrderPlaced", "PaymentRequested", "PaymentProcessed", "OrderConfirmed"}

    assert of_an_order <= set(TOPOLOGY.consumer("projector").subscriptions)
    assert MODEL.each("events", 1) == len(of_an_order)


def test_capacity_is_processor_time_over_what_an_acu_has_of_it() -> None:
    seconds = 730 * 3600
    month = read_side(SMALL, 1_000 * seconds / 4, database_us=100)

    # 1,000 events a second of 100 µs keep a tenth of a processor busy; an ACU has a quarter, used to 70 %.
    assert month.needed_acu == pytest.approx(0.1 / 0.25 / 0.7, rel=0.01)
    assert month.acu == 1.0


def test_capacity_stays_between_its_minimum_and_its_maximum() -> None:
    assert read_side(SMALL, 0).acu == 0.5
    assert read_side(SMALL, 1e12).acu == 2


def test_a_database_that_pauses_costs_nothing_until_there_are_orders() -> None:
    pausing = replace(SMALL, min_acu=0)

    hours = {orders: [line.quantity for line in read_side(pausing, orders).capacity()] for orders in (0, 1e6)}

    assert hours == {0: [0, 0, 0], 1e6: [0, 730 * 0.5, 0]}


def test_the_storage_of_a_month_is_billed_and_its_backups_beyond_one_day() -> None:
    gib = 1e6 * 5_000 / 2**30

    storage = {line.name: line.dollars for line in read_side(SMALL, 1e6).storage()}
    fortnight = read_side(replace(SMALL, backup_days=14), 1e6).storage()

    assert storage == {"storage of the month's orders": pytest.approx(gib * 0.10)}
    assert [line.dollars for line in fortnight] == [pytest.approx(gib * 0.10), pytest.approx(gib * 0.021)]


def test_every_invocation_of_an_idle_function_is_traced_and_few_of_a_busy_one() -> None:
    seconds = 730 * 3600

    assert fixed_costs.recorded(0.5 * seconds) == pytest.approx(0.5 * seconds)
    assert fixed_costs.recorded(21 * seconds) == pytest.approx(2 * seconds)


@pytest.mark.parametrize(("least", "most", "instances"), [(2, 1, 1), (0.5, 2, 0), (-1, 2, 1)])
def test_an_invalid_database_size_is_refused(least: float, most: float, instances: int) -> None:
    with pytest.raises(ToolError, match="invalid database size"):
        AuroraSize(least, most, instances, proxy=False, backup_days=1)


def test_missing_projection_times_name_the_command_that_measures_them(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="make bench NAME=projector"):
        ProjectionTimes.load(tmp_path / "none.json")


@pytest.mark.parametrize("content", ["{", "[]", '{"medians": {}}'])
def test_malformed_projection_times_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "projector.json"
    path.write_text(content)

    with pytest.raises(ToolError, match="is not a result of the benchmark"):
        ProjectionTimes.load(path)

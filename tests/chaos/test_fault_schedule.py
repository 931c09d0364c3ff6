"""Faults come in spells, by seeded chance, and only while they are meant to."""

from tests.chaos.fault_schedule import CALM, FaultSchedule
from tests.chaos.faults import BATCH_GET, TRANSACT, Fault


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


def _struck(schedule: FaultSchedule, operation: str, times: int) -> list[Fault | None]:
    return [schedule.strike(operation) for _ in range(times)]


def test_it_is_fine_before_and_after() -> None:
    schedule = FaultSchedule(1, clock=Seconds())

    assert set(_struck(schedule, TRANSACT, 1_000)) == {None}
    schedule.begin()
    assert set(_struck(schedule, TRANSACT, 1_000)) != {None}
    schedule.clear()
    assert set(_struck(schedule, TRANSACT, 1_000)) == {None}


def test_the_same_seed_makes_the_same_weather() -> None:
    one, other = FaultSchedule(7, clock=Seconds()), FaultSchedule(7, clock=Seconds())
    one.begin()
    other.begin()

    assert _struck(one, TRANSACT, 2_000) == _struck(other, TRANSACT, 2_000)


def test_a_read_is_never_cancelled_like_a_transaction() -> None:
    schedule = FaultSchedule(2, clock=Seconds())
    schedule.begin()

    struck = _struck(schedule, BATCH_GET, 10_000)

    assert Fault.CONFLICT not in struck
    assert Fault.PARTIAL in struck


def test_every_fault_is_counted_by_what_it_struck() -> None:
    schedule = FaultSchedule(3, clock=Seconds())
    schedule.begin()

    struck = _struck(schedule, TRANSACT, 5_000)

    assert schedule.counts.total() == sum(fault is not None for fault in struck)
    assert {name for name, _ in schedule.counts} == {"TransactWriteItems"}
    assert CALM.name not in schedule.spells

"""Faults come in spells, by seeded chance, and only while they are meant to."""

from tests.chaos.fault_schedule import CALM, Weather
from tests.chaos.faults import BATCH_GET, TRANSACT, Fault


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


def _struck(weather: Weather, operation: str, times: int) -> list[Fault | None]:
    return [weather.strike(operation) for _ in range(times)]


def test_it_is_fine_before_and_after() -> None:
    weather = Weather(1, clock=Seconds())

    assert set(_struck(weather, TRANSACT, 1_000)) == {None}
    weather.begin()
    assert set(_struck(weather, TRANSACT, 1_000)) != {None}
    weather.clear()
    assert set(_struck(weather, TRANSACT, 1_000)) == {None}


def test_the_same_seed_makes_the_same_weather() -> None:
    one, other = Weather(7, clock=Seconds()), Weather(7, clock=Seconds())
    one.begin()
    other.begin()

    assert _struck(one, TRANSACT, 2_000) == _struck(other, TRANSACT, 2_000)


def test_a_read_is_never_cancelled_like_a_transaction() -> None:
    weather = Weather(2, clock=Seconds())
    weather.begin()

    struck = _struck(weather, BATCH_GET, 10_000)

    assert Fault.CONFLICT not in struck
    assert Fault.PARTIAL in struck


def test_every_fault_is_counted_by_what_it_struck() -> None:
    weather = Weather(3, clock=Seconds())
    weather.begin()

    struck = _struck(weather, TRANSACT, 5_000)

    assert weather.counts.total() == sum(fault is not None for fault in struck)
    assert {name for name, _ in weather.counts} == {"TransactWriteItems"}
    assert CALM.name not in weather.spells

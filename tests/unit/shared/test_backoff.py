"""How long to wait, and until when."""

import pytest

from services.shared.backoff import Deadline, redelivery_seconds


class Time:
    """Time that passes by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sleeps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


def a_deadline(time: Time, reserve: float = 12.0) -> Deadline:
    """A deadline that always waits as long as it may."""
    return Deadline(reserve, clock=lambda: time.now, sleep=time.sleep, jitter=lambda _, most: most)


def test_waits_grow_and_end_in_time_to_publish_and_answer() -> None:
    time = Time()
    deadline = a_deadline(time, reserve=12)

    deadline.start(30)
    waited = list(deadline.waits(base=1, cap=4))

    assert time.sleeps == [1, 2, 4, 4, 4, 3]
    assert waited == [True] * 6
    assert time.now == 118


def test_an_invocation_that_has_no_time_left_does_not_wait() -> None:
    time = Time()
    deadline = a_deadline(time)

    deadline.start(5)

    assert list(deadline.waits()) == []


def test_each_invocation_has_a_deadline_of_its_own() -> None:
    time = Time()
    deadline = a_deadline(time)

    deadline.start(30)
    assert len(list(deadline.waits())) > 1
    assert list(deadline.waits()) == []
    deadline.start(30)

    assert len(list(deadline.waits())) > 1


def test_a_message_that_fails_comes_again_within_seconds_at_first_and_later_each_time() -> None:
    shortest = [redelivery_seconds(n, jitter=lambda low, _: low) for n in range(1, 5)]
    longest = [redelivery_seconds(n, jitter=lambda _, high: high) for n in range(1, 5)]

    assert shortest == [2, 15, 120, 900]
    assert longest == [3, 22, 180, 1350]


def test_the_last_receive_comes_after_a_hold_that_began_with_the_first() -> None:
    assert sum(redelivery_seconds(n, jitter=lambda low, _: low) or 0 for n in range(1, 5)) > 900


@pytest.mark.parametrize("receives", [0, 5, 6, 1_000])
def test_the_queues_own_time_out_holds_before_the_last_receive(receives: int) -> None:
    assert redelivery_seconds(receives) is None


def test_a_stack_on_one_machine_can_have_all_of_it_faster() -> None:
    assert [redelivery_seconds(n, most=1) for n in range(1, 5)] == [1, 1, 1, 1]

import pytest

from scripts.local.aws.queue_peek import Message, age_of_oldest

NOW = 1_795_226_708_000


def sent(seconds_ago: float, *, receives: int = 0, visible: bool = True) -> Message:
    return Message(NOW - int(seconds_ago * 1000), receives, visible)


def test_the_oldest_message_gives_the_age_whether_it_waits_or_is_being_handled() -> None:
    assert age_of_oldest([sent(2), sent(7, receives=1, visible=False), sent(5)], NOW) == 7


def test_a_message_that_is_still_delayed_has_no_age_and_then_has_all_of_it() -> None:
    assert age_of_oldest([sent(600, visible=False), sent(3)], NOW) == 3
    assert age_of_oldest([sent(900), sent(3)], NOW) == 900


@pytest.mark.parametrize(("receives", "age"), [(2, 60), (3, 4), (5, 4)])
def test_what_comes_again_and_again_is_passed_over_for_the_next(receives: int, age: float) -> None:
    assert age_of_oldest([sent(60, receives=receives), sent(4)], NOW) == age


def test_a_dead_letter_counts_however_often_it_was_received() -> None:
    assert age_of_oldest([sent(60, receives=5)], NOW, dlq=True) == 60


def test_no_message_has_no_age_and_none_comes_from_the_future() -> None:
    assert age_of_oldest([], NOW) == 0
    assert age_of_oldest([sent(-5)], NOW) == 0

import pytest

from scripts.local.aws.concurrency import Span, peaks

MINUTE_MS = 60_000


@pytest.mark.parametrize(
    ("spans", "most"),
    [
        ([], {}),
        ([Span(0, 10)], {0: 1}),
        ([Span(0, 10), Span(5, 15)], {0: 2}),
        ([Span(0, 10), Span(10, 20)], {0: 1}),
        ([Span(0, 10), Span(0, 10), Span(2, 3), Span(50, 60)], {0: 3}),
        ([Span(0, 10), Span(MINUTE_MS, MINUTE_MS + 1)], {0: 1, MINUTE_MS: 1}),
        ([Span(0, MINUTE_MS)], {0: 1}),
        ([Span(0, MINUTE_MS + 1)], {0: 1, MINUTE_MS: 1}),
        ([Span(0, 3 * MINUTE_MS), Span(10, 3 * MINUTE_MS)], {0: 2, MINUTE_MS: 2, 2 * MINUTE_MS: 2}),
    ],
)
def test_the_most_at_once_is_told_for_each_minute_in_which_anything_ran(
    spans: list[Span], most: dict[int, int]
) -> None:
    assert peaks(spans) == most


def test_the_order_in_which_invocations_are_told_makes_no_difference() -> None:
    spans = [Span(0, 10), Span(5, 15), Span(12, 20)]

    assert peaks(reversed(spans)) == peaks(spans) == {0: 2}


def test_what_took_no_time_still_ran() -> None:
    assert peaks([Span.ended(1_000, 0.0)]) == {0: 1}

"""Figures are taken in turns, compared in pairs and written with their spread."""

from collections.abc import Callable

import pytest

from benchmarks.harness.statistics import Spread, alternate, number, quantile, quartiles, ratio


def counting(calls: list[str], name: str) -> Callable[[], float]:
    def measure() -> float:
        calls.append(name)
        return float(len(calls))

    return measure


def test_variants_are_measured_in_turns_and_none_always_comes_first() -> None:
    calls: list[str] = []

    alternate({"ours": counting(calls, "A"), "theirs": counting(calls, "B")}, 3, warm_ups=0)

    assert "".join(calls) == "ABBAAB"


def test_figures_of_the_warm_up_are_dropped() -> None:
    calls: list[str] = []

    series = alternate({"ours": counting(calls, "A"), "theirs": counting(calls, "B")}, 2, warm_ups=1)

    assert series == {"ours": [3.0, 6.0], "theirs": [4.0, 5.0]}


def test_a_ratio_is_taken_within_each_repetition() -> None:
    # The machine was half as fast the second time: it changes both sides, and so no ratio.
    assert ratio([10.0, 20.0, 10.0], [5.0, 10.0, 4.0]) == Spread(2.0, 2.0, 2.5, 3)


def test_series_of_different_lengths_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="longer"):
        ratio([1.0, 2.0], [1.0, 2.0, 3.0])


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (1.0, 100.0)])
def test_a_quantile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert quantile([float(n) for n in range(100, 0, -1)], share) == value


def test_nothing_measured_has_neither_spread_nor_quantile() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        Spread.of([])
    with pytest.raises(ValueError, match="nothing was measured"):
        Spread.interval([])
    with pytest.raises(ValueError, match="nothing was measured"):
        quantile([], 0.5)


def test_the_interval_of_a_median_of_few_figures_is_their_range() -> None:
    assert Spread.interval([3.0, 1.0, 2.0, 4.0, 5.0]) == Spread(3.0, 1.0, 5.0, 5)
    assert Spread.interval([4.0]) == Spread(4.0, 4.0, 4.0, 1)


def test_the_interval_of_a_median_narrows_with_more_figures() -> None:
    # Ranks 40 and 61 of 100, as in published tables of the sign test.
    assert Spread.interval([float(n) for n in range(100, 0, -1)]) == Spread(50.5, 40.0, 61.0, 100)


def test_the_interval_of_a_high_quantile_ends_at_the_highest_figure_when_there_are_too_few() -> None:
    assert Spread.interval([float(n) for n in range(1, 101)], 0.99) == Spread(99.0, 97.0, 100.0, 100)
    wide = Spread.interval([float(n) for n in range(1, 1_001)], 0.99)
    assert wide.low < 990.0 < wide.high < 1_000.0


def test_quartiles_lie_between_the_figures() -> None:
    assert quartiles([1.0, 2.0, 3.0, 4.0, 5.0]) == (2.0, 4.0)
    assert quartiles([7.0]) == (7.0, 7.0)


def test_a_spread_is_written_as_median_and_both_ends() -> None:
    assert Spread.of([5.234, 4.9, 5.61]).text() == "5.23 (4.9 to 5.61)"


def test_one_number_is_written_without_a_spread() -> None:
    assert Spread.of([5.234]).text() == "5.23"


def test_a_spread_turned_around_keeps_its_ends_in_order() -> None:
    assert Spread(2.0, 1.0, 3.0, 5).scaled(-1) == Spread(-2.0, -3.0, -1.0, 5)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234567, "1,234,567"),
        (1500, "1,500"),
        (0.00123456, "0.00123"),
        (12.0, "12"),
        (99.96, "100"),
    ],
)
def test_numbers_are_written_with_significant_digits(value: float, text: str) -> None:
    assert number(value) == text

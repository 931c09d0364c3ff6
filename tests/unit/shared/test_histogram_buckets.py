"""Each observation belongs to exactly one bucket."""

from itertools import pairwise

import pytest

from services.shared.histogram_buckets import BUCKETS, bucket


@pytest.mark.parametrize("bound", BUCKETS)
def test_a_bound_belongs_to_its_own_bucket(bound: float) -> None:
    assert bucket(bound) == f"{bound:g}"


@pytest.mark.parametrize(("bound", "above"), [*pairwise(BUCKETS)])
def test_just_above_a_bound_belongs_to_the_next_bucket(bound: float, above: float) -> None:
    assert bucket(bound * 1.000001) == f"{above:g}"


@pytest.mark.parametrize(("seconds", "name"), [(0.0, "0.01"), (10.000001, "+Inf"), (1e9, "+Inf"), (1.0, "1")])
def test_what_is_below_or_above_all_bounds_has_a_bucket_too(seconds: float, name: str) -> None:
    assert bucket(seconds) == name

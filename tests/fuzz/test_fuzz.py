"""The fuzz targets for a few seconds, and every case they ever found; `make fuzz` goes on for longer."""

import pytest
from hypothesis import HealthCheck, settings

from tests.fuzz import targets
from tests.fuzz.cases import Case, read_corpus
from tests.fuzz.harness import TARGETS, Target

SHORT = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_holds_whatever_arrives(target: Target) -> None:
    target.fuzz(SHORT)


@pytest.mark.parametrize("case", read_corpus(), ids=lambda case: case.name)
def test_what_was_found_once_stays_mended(case: Case) -> None:
    targets.each_record_ends_one_way(case.consumer, case.batch())

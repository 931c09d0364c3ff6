"""The simulation notices when production code breaks a promise."""

from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor

import pytest

from tests.simulation.mutations import MUTATIONS, Mutation, Verdict, put_to_the_test
from tests.simulation.test_guarantees import SEEDS


@pytest.fixture(scope="module")
def verdicts(crew: ProcessPoolExecutor) -> Mapping[str, Future[Verdict]]:
    return {mutation.name: crew.submit(put_to_the_test, mutation, range(SEEDS)) for mutation in MUTATIONS}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_broken_promise_is_caught(mutation: Mutation, verdicts: Mapping[str, Future[Verdict]]) -> None:
    verdict = verdicts[mutation.name].result()

    assert verdict.caught_by, f"{mutation.name!r} survived {verdict.seeds} seeds"

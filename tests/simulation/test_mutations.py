"""The simulation notices when production code breaks a promise."""

import pytest

from tests.simulation.mutations import MUTATIONS, Mutation, put_to_the_test
from tests.simulation.test_guarantees import SEEDS

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_broken_promise_is_caught(mutation: Mutation) -> None:
    verdict = put_to_the_test(mutation, range(SEEDS))

    assert verdict.caught_by, f"{mutation.name!r} survived {verdict.seeds} seeds"

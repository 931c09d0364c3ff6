"""What is fuzzed with what: each target by name, to be run for as many examples as wanted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from tests.fuzz import strategies, targets
from tests.fuzz.world import CONSUMERS


@dataclass
class Target:
    """A property, and what it is to hold for."""

    name: str
    subject: str
    drawn: st.SearchStrategy[Any]
    holds: Callable[[str, Any], None]
    weight: int = 1
    """How many times as many examples it gets as the others."""
    examples: int = 0
    last: Any = field(default=None, repr=False)
    """What was tried last; after a failure, the smallest case that fails."""

    def __str__(self) -> str:
        return f"{self.name}: {self.subject}"

    def fuzz(self, how: settings, number: int | None = None) -> None:
        """Try as many examples as `how` says; `number` makes it others than the last time."""

        @settings(how, max_examples=how.max_examples * self.weight)
        @given(case=self.drawn)
        def attempt(case: object) -> None:
            self.examples += 1
            self.last = case
            self.holds(self.subject, case)

        (seed(number)(attempt) if number is not None else attempt)()


BATCHES = "each record of any batch ends one way"
TARGETS = (
    *(
        Target(BATCHES, consumer, strategies.batches(consumer), targets.each_record_ends_one_way, weight=5)
        for consumer in CONSUMERS
    ),
    *(
        Target(
            "whatever is no batch is refused as such",
            consumer,
            strategies.no_batches,
            targets.anything_else_is_refused_as_such,
        )
        for consumer in CONSUMERS
    ),
    *(
        Target(
            "the published schema accepts what the model accepts",
            name,
            strategies.details(name) | strategies.spoilt(strategies.details(name)),
            targets.the_schema_accepts_what_the_model_accepts,
        )
        for name in strategies.NAMES
    ),
    *(
        Target(
            "what is drawn as valid is accepted by model and schema",
            name,
            strategies.details(name),
            targets.model_and_schema_accept,
        )
        for name in strategies.NAMES
    ),
)

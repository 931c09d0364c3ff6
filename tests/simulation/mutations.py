"""Production code with one promise broken, to see that the simulation notices.

A mutation replaces one piece of source text, which must be there exactly once, and is compiled into fresh
modules; no file is touched. What survives is a hole in the checks.
"""

import importlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from tests.simulation.mutants import MUTATIONS, Mutation

_REMADE = ("services", "tests.support.fakes", "tests.simulation")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutation: the check that caught it, after so many seeds."""

    mutation: Mutation
    caught_by: str | None
    seed: int
    seeds: int


class _MutatingLoader(SourceFileLoader):
    def __init__(self, mutation: Mutation, path: str) -> None:
        super().__init__(mutation.module, path)
        self._mutation = mutation

    def get_code(self, fullname: str) -> CodeType:
        """Compile the changed source, past any cache."""
        source = self.get_data(self.path).decode()
        times = source.count(self._mutation.old)
        if times != 1:
            raise AssertionError(f"{self._mutation.name!r}: its text is {times} times in {fullname}")
        return compile(source.replace(self._mutation.old, self._mutation.new), self.path, "exec")


class _Finder(MetaPathFinder):
    def __init__(self, mutation: Mutation) -> None:
        self._mutation = mutation

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._mutation.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            raise AssertionError(f"{self._mutation.name!r}: there is no module {fullname}")
        spec.loader = _MutatingLoader(self._mutation, spec.origin)
        return spec


@contextmanager
def _mutated(mutation: Mutation) -> Iterator[Any]:
    """Import the simulation, and all it simulates, once more and with the mutation in it."""
    saved = {name: module for name, module in sys.modules.items() if _is_remade(name)}
    for name in saved:
        del sys.modules[name]
    finder = _Finder(mutation)
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module("tests.simulation.simulation")
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_remade(name)]:
            del sys.modules[name]
        sys.modules.update(saved)


def _is_remade(name: str) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in _REMADE)


def put_to_the_test(mutation: Mutation, seeds: Iterable[int]) -> Verdict:
    """Run seeds until one catches the mutation."""
    with _mutated(mutation) as simulation:
        tally = simulation.simulate_all(seeds)
    if tally.failure is None:
        return Verdict(mutation, None, -1, tally.seeds)
    return Verdict(mutation, tally.failure.violations[0].invariant, tally.failure.seed, tally.seeds)


__all__ = ["MUTATIONS", "Mutation", "Verdict", "put_to_the_test"]

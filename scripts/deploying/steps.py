"""Steps, one after another: the first that fails ends it, and says how to go on and how to go back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    does: str
    run: Callable[[], str | None]
    """Does it, and may say what came of it; raises a ToolError when it fails."""
    way_out: str = ""
    """What to do when it failed, beside trying again."""
    resumes_at: str | None = None
    """The step to go on from when it failed; itself, unless another has to come before it again."""


def chosen(steps: Sequence[Step], *, first: str | None = None, only: str | None = None) -> Sequence[Step]:
    """Return the steps from one on, or that one and what it cannot do without."""
    names = [step.name for step in steps]
    for name in (first, only):
        if name is not None and name not in names:
            raise ToolError(f"there is no step {name!r}; there are {', '.join(names)}.", exit_code=2)
    if first is not None and only is not None:
        raise ToolError("say --from or --only.", exit_code=2)
    if only is not None:
        return [steps[names.index(only)]]
    return steps[names.index(first) :] if first is not None else steps


def run(
    steps: Sequence[Step],
    again: Callable[[str], str],
    say: Callable[[str], object] = lambda _: None,
) -> None:
    """Take the steps; `again` spells the command that resumes at one of them."""
    for number, step in enumerate(steps, start=1):
        say(f"[{number}/{len(steps)}] {step.name}: {step.does}")
        try:
            said = step.run()
        except ToolError as error:
            out = f" {step.way_out}" if step.way_out else ""
            on = again(step.resumes_at or step.name)
            raise ToolError(
                f"{step.name} failed: {error}{out} To go on: {on}", exit_code=error.exit_code
            ) from error
        if said:
            say(said)

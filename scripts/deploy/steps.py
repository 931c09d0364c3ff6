"""Steps, one after another: the first that fails ends it, and says how to go on and how to go back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.common.errors import ToolError

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
    begins_at: str | None = None
    """The step that always comes before it, whoever asks for it alone, first, or again; itself, if None."""


def chosen(steps: Sequence[Step], *, first: str | None = None, only: str | None = None) -> Sequence[Step]:
    """Return the steps from one on, or that one; with what either cannot do without before it."""
    names = [step.name for step in steps]
    for name in (first, only):
        if name is not None and name not in names:
            raise ToolError(f"there is no step {name!r}; there are {', '.join(names)}.", exit_code=2)
    if first is not None and only is not None:
        raise ToolError("say --from or --only.", exit_code=2)
    asked = only or first
    if asked is None:
        return steps
    at = names.index(asked)
    begin = names.index(steps[at].begins_at or asked)
    return steps[begin : at + 1] if only is not None else steps[begin:]


def run(
    steps: Sequence[Step],
    again: Callable[[str], str],
    say: Callable[[str], object] = lambda _: None,
) -> None:
    """Take the steps; `again` spells the command that resumes at one of them."""
    for number, step in enumerate(steps, start=1):
        say(f"[{number}/{len(steps)}] {step.name}: {step.does}")
        out = f" {step.way_out}" if step.way_out else ""
        on = f"To go on: {again(step.begins_at or step.name)}"
        try:
            said = step.run()
        except ToolError as error:
            # Terraform's words end as they like.
            reason = str(error).rstrip(".")
            raise ToolError(f"{step.name} failed: {reason}.{out} {on}", exit_code=error.exit_code) from error
        except KeyboardInterrupt:
            say(f"{step.name} was interrupted.{out} {on}")
            raise
        if said:
            say(said)

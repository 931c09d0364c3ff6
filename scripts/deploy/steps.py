"""Runs steps in order; a failure ends the run, and says how to resume and how to roll back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class ReleaseStep:
    name: str
    description: str
    run: Callable[[], str | None]
    """Returns a message or None; raises a ToolError when it fails."""
    on_failure: str = ""
    """What to do after a failure, besides trying again."""
    restart_from: str | None = None
    """The step to restart from; a run that begins with this step begins there. None means itself."""


def select_steps(
    steps: Sequence[ReleaseStep], *, first: str | None = None, only: str | None = None
) -> Sequence[ReleaseStep]:
    """Return the steps from `first` on, or `only` that one, with the steps that must precede it."""
    names = [step.name for step in steps]
    for name in (first, only):
        if name is not None and name not in names:
            raise ToolError(f"unknown step {name!r}; choose one of {', '.join(names)}.", exit_code=2)
    if first is not None and only is not None:
        raise ToolError("use either --from or --only, not both.", exit_code=2)
    selected = only or first
    if selected is None:
        return steps
    at = names.index(selected)
    begin = names.index(steps[at].restart_from or selected)
    return steps[begin : at + 1] if only is not None else steps[begin:]


def run_steps(
    steps: Sequence[ReleaseStep],
    resume_command: Callable[[str], str],
    print_line: Callable[[str], object] = lambda _: None,
) -> None:
    """Run the steps; `resume_command` returns the command that resumes at a step."""
    for number, step in enumerate(steps, start=1):
        print_line(f"[{number}/{len(steps)}] {step.name}: {step.description}")
        advice = f" {step.on_failure}" if step.on_failure else ""
        resume = f"To resume: {resume_command(step.restart_from or step.name)}"
        try:
            message = step.run()
        except ToolError as error:
            # Messages of Terraform may end with a full stop or not.
            reason = str(error).rstrip(".")
            raise ToolError(
                f"{step.name} failed: {reason}.{advice} {resume}", exit_code=error.exit_code
            ) from error
        except KeyboardInterrupt:
            print_line(f"{step.name} was interrupted.{advice} {resume}")
            raise
        if message:
            print_line(message)

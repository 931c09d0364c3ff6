"""A chain of checks: each link says what it found, and what needs a broken one is not looked at."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from scripts.common.errors import ToolError
from services.shared.errors import PulseQueueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scripts.common.clock import Clock

T = TypeVar("T")


class State(StrEnum):
    WHOLE = "ok"
    BROKEN = "broken"
    LEFT_OUT = "left out"
    """There is nothing to check, or no way to."""
    NOT_REACHED = "not reached"
    """A link that it hangs on is broken."""


class BrokenLinkError(Exception):
    """Says why a link does not hold."""


class LeftOutError(Exception):
    """Says why a link cannot be checked here, which is no fault."""


@dataclass(frozen=True, slots=True)
class Link:
    name: str
    checks: str
    """What is so when it holds."""
    check: Callable[[], str]
    """Returns what was found, or raises."""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    link: str
    checks: str
    state: State
    says: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> Finding | None:
        """The first link that does not hold."""
        return next((it for it in self.findings if it.state is State.BROKEN), None)


def follow(links: Iterable[Link], seen: Callable[[Finding], object] = lambda _: None) -> Report:
    """Check link after link; `seen` hears of each."""
    findings: dict[str, Finding] = {}
    for link in links:
        finding = _unreached(link, findings) or _checked(link)
        findings[link.name] = finding
        seen(finding)
    return Report(tuple(findings.values()))


def _unreached(link: Link, findings: dict[str, Finding]) -> Finding | None:
    for name in link.needs:
        if findings[name].state in {State.BROKEN, State.NOT_REACHED}:
            return Finding(link.name, link.checks, State.NOT_REACHED, f"needs: {name}")
    return None


def _checked(link: Link) -> Finding:
    began = time.monotonic()

    def found(state: State, says: str) -> Finding:
        return Finding(link.name, link.checks, state, says, time.monotonic() - began)

    try:
        return found(State.WHOLE, link.check())
    except LeftOutError as reason:
        return found(State.LEFT_OUT, str(reason))
    except (BrokenLinkError, ToolError, PulseQueueError) as reason:
        return found(State.BROKEN, str(reason))
    except (ClientError, BotoCoreError) as error:
        return found(State.BROKEN, f"AWS does not answer this: {error}")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a link may take to hold, and how often it is looked at."""

    clock: Clock
    seconds: float
    pause: float

    def until(self, look: Callable[[], T | None], otherwise: Callable[[], str]) -> T:
        """Look until there is something; when the time is up, the link is broken for the reason given."""
        began = self.clock.now()
        while (found := look()) is None:
            if (self.clock.now() - began).total_seconds() >= self.seconds:
                raise BrokenLinkError(otherwise())
            self.clock.sleep(self.pause)
        return found

    def until_whole(
        self, faults: Callable[[], Sequence[str]], otherwise: Callable[[Sequence[str]], str]
    ) -> None:
        """Look until nothing is wrong; when the time is up, what was found last is the reason."""
        last: Sequence[str] = ()

        def look() -> bool | None:
            nonlocal last
            last = faults()
            return None if last else True

        self.until(look, lambda: otherwise(last))


def told(names: Sequence[str], most: int = 5) -> str:
    """List some names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")

"""Sending archived events again: to whom, what else goes along, and until when to watch."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from scripts.errors import ToolError
from scripts.ops.archive import Progress
from scripts.ops.desk import Desk
from services.shared.events import by_name, rfc3339

if TYPE_CHECKING:
    from scripts.topology import Topology

_PAUSE_SECONDS = 1.0
_USAGE = 2


@dataclass(frozen=True, slots=True)
class Route:
    """One consumer of the replay. Its rule lets through all it subscribes to, asked for or not."""

    function: str
    asked: tuple[str, ...]
    along: tuple[str, ...]


def routes(topology: "Topology", events: Collection[str], consumers: Collection[str]) -> list[Route]:
    """Choose the consumers: those named, or those that take one of the events, or all."""
    for event in events:
        if by_name(event) is None:
            raise ToolError(
                f"there is no event {event!r}; `pulsequeue events ls` lists them.", exit_code=_USAGE
            )
    for consumer in consumers:
        topology.function(consumer)
    chosen = []
    for function, settings in topology.functions.items():
        if consumers and function not in consumers:
            continue
        asked = tuple(name for name in settings.subscriptions if not events or name in events)
        if asked:
            along = tuple(name for name in settings.subscriptions if name not in asked)
            chosen.append(Route(function, asked, along))
    if not chosen:
        whom = f" of {', '.join(consumers)}" if consumers else ""
        raise ToolError(f"no consumer{whom} takes {', '.join(events)}; there is nothing to replay to.")
    return chosen


def window(since: datetime, until: datetime, now: datetime) -> tuple[datetime, datetime]:
    """Hold a window against the clock: it lies in the past, and runs forward."""
    if since >= until:
        raise ToolError("--from must lie before --to.", exit_code=_USAGE)
    if since > now:
        raise ToolError("--from lies in the future; nothing is archived there yet.", exit_code=_USAGE)
    return since, min(until, now)


def replay(
    desk: Desk,
    since: datetime,
    until: datetime,
    to: Collection[Route],
    seen: Callable[[Progress], object] = lambda _: None,
) -> tuple[str, Progress]:
    """Start a replay and follow it to its end."""
    name = f"cli-{desk.clock.now():%Y%m%dT%H%M%S%f}"
    functions = [route.function for route in to]
    parameters = {"name": name, "from": rfc3339(since), "to": rfc3339(until), "consumers": functions}
    # Written first: should this process die, the replay goes on, and somebody may ask where it came from.
    desk.audit_log.record("replay start", parameters, {})
    desk.archive.start(name, since, until, functions)
    progress = desk.archive.progress(name)
    while not progress.ended:
        seen(progress)
        desk.clock.sleep(_PAUSE_SECONDS)
        progress = desk.archive.progress(name)
    desk.audit_log.record("replay end", parameters, {"state": progress.state, "why": progress.why})
    return name, progress

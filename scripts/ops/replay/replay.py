"""Sending archived events again: which, to whom, and how fast.

Events are replayed into a queue of their own first. A dry run counts them there and lets them go; a real run
passes each on to the queues of the consumers that were chosen. An event leaves that queue only after its
consumers have it, so that a run that is broken off can be taken up again, at worst sending some twice.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scripts.common.errors import ToolError
from scripts.ops.context import OpsContext
from scripts.ops.replay.event_archive import Progress, Replayed
from services.shared.events import by_name, rfc3339

if TYPE_CHECKING:
    from scripts.environment.topology import Topology

_USAGE = 2
_MOST_REFUSALS = 100
"""A queue that refuses so many has another trouble than a passing one."""


@dataclass(frozen=True, slots=True)
class Route:
    """One consumer of the replay, and the events it is to get."""

    function: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    since: datetime
    until: datetime
    routes: tuple[Route, ...]

    @property
    def events(self) -> frozenset[str]:
        return frozenset(event for route in self.routes for event in route.events)

    def parameters(self) -> dict[str, Any]:
        return {
            "from": rfc3339(self.since),
            "to": rfc3339(self.until),
            "consumers": {route.function: list(route.events) for route in self.routes},
        }


@dataclass(slots=True)
class Told:
    """What was replayed, and what became of it."""

    name: str
    progress: Progress = field(default_factory=lambda: Progress("STARTING"))
    replayed: Counter[str] = field(default_factory=Counter)
    """Events by name."""
    sent: Counter[str] = field(default_factory=Counter)
    """Messages by consumer."""
    refused: int = 0

    @property
    def complete(self) -> bool:
        return self.progress.state == "COMPLETED" and not self.refused


def routes(topology: "Topology", events: Collection[str], consumers: Collection[str]) -> tuple[Route, ...]:
    """Choose the consumers: those named, or those that take one of the events, or all."""
    for event in events:
        if by_name(event) is None:
            raise ToolError(
                f"there is no event {event!r}; `pulsequeue events ls` lists them.", exit_code=_USAGE
            )
    for consumer in consumers:
        topology.consumer(consumer)
    chosen = []
    for function, settings in topology.consumers.items():
        if consumers and function not in consumers:
            continue
        taken = tuple(name for name in settings.subscriptions if not events or name in events)
        if taken:
            chosen.append(Route(function, taken))
    if not chosen:
        whom = f" of {', '.join(consumers)}" if consumers else ""
        raise ToolError(f"no consumer{whom} takes {', '.join(events)}; there is nothing to replay to.")
    return tuple(chosen)


def window(since: datetime, until: datetime, now: datetime) -> tuple[datetime, datetime]:
    """Hold a window against the clock: it lies in the past, and runs forward."""
    if since >= until:
        raise ToolError("--from must lie before --to.", exit_code=_USAGE)
    if since > now:
        raise ToolError("--from lies in the future; nothing is archived there yet.", exit_code=_USAGE)
    return since, min(until, now)


def count(ops: OpsContext, plan: Plan, seen: Callable[[Told], object] = lambda _: None) -> Told:
    """Replay into the queue only, count what arrives, and leave nothing behind."""
    told = Told(_name(ops, "count"))
    with _audited(ops, "replay count", plan.parameters(), told):
        try:
            ops.archive.start(told.name, plan.since, plan.until, plan.events, {})
            for batch in ops.archive.take(told.name):
                told.replayed.update(one.event for one in batch)
                ops.archive.remove(told.name, batch)
                seen(told)
            told.progress = ops.archive.progress(told.name)
        finally:
            ops.archive.discard(told.name)
    return told


def replay(
    ops: OpsContext, plan: Plan, *, rate: float | None = None, seen: Callable[[Told], object] = lambda _: None
) -> Told:
    """Replay, and pass every event on to the consumers that are to get it, at most `rate` a second."""
    told = Told(_name(ops, "run"))
    notes = {route.function: " ".join(route.events) for route in plan.routes}
    # Written first: should this process die, the replay goes on, and somebody may ask where it came from.
    ops.operations_log.record("replay start", {"name": told.name, **plan.parameters()}, {})
    ops.archive.start(told.name, plan.since, plan.until, plan.events, notes)
    return _pass_on(ops, told, plan.routes, rate, seen)


def resume(
    ops: OpsContext, name: str, *, rate: float | None = None, seen: Callable[[Told], object] = lambda _: None
) -> Told:
    """Pass on what a replay that was broken off has left in its queue."""
    notes = ops.archive.notes(name)
    to = tuple(
        Route(function, tuple(notes[function].split()))
        for function in ops.topology.consumers
        if function in notes
    )
    if not to:
        raise ToolError(f"replay {name!r} only counts; it has nobody to send to. Discard it.")
    return _pass_on(ops, Told(name), to, rate, seen)


def discard(ops: OpsContext, name: str) -> None:
    """Give a replay up, with all that it has not passed on yet."""
    ops.archive.notes(name)  # refuses a name that is none
    ops.archive.discard(name)
    ops.operations_log.record("replay discard", {"name": name}, {})


def _pass_on(
    ops: OpsContext, told: Told, to: Sequence[Route], rate: float | None, seen: Callable[[Told], object]
) -> Told:
    takers: dict[str, list[str]] = {}
    for route in to:
        for event in route.events:
            takers.setdefault(event, []).append(route.function)
    consumers = {route.function: list(route.events) for route in to}
    with _audited(ops, "replay end", {"name": told.name, "consumers": consumers}, told):
        for batch in ops.archive.take(told.name):
            refused = _send(ops, told, takers, batch)
            done = [one for position, one in enumerate(batch) if position not in refused]
            ops.archive.remove(told.name, done)
            told.replayed.update(one.event for one in done)
            told.refused += len(refused)
            seen(told)
            if told.refused >= _MOST_REFUSALS:
                break
            if rate is not None:
                ops.clock.sleep(len(batch) / rate)
        told.progress = ops.archive.progress(told.name)
        if told.complete:
            ops.archive.discard(told.name)
    return told


def _send(
    ops: OpsContext, told: Told, takers: Mapping[str, Iterable[str]], batch: Sequence[Replayed]
) -> set[int]:
    """Send each event to all that take it; returns the positions of those that not all of them have."""
    by_function: dict[str, list[int]] = {}
    for position, one in enumerate(batch):
        for function in takers.get(one.event, ()):
            by_function.setdefault(function, []).append(position)
    refused: set[int] = set()
    for function, positions in by_function.items():
        bodies = [batch[position].body for position in positions]
        failed = ops.work_queue(function).send(bodies, as_from_the_bus=True)
        told.sent[function] += len(bodies) - len(failed)
        refused |= {positions[index] for index in failed}
    return refused


@contextmanager
def _audited(ops: OpsContext, action: str, parameters: Mapping[str, Any], told: Told) -> Iterator[None]:
    """Write down what was done, also when it was broken off."""
    try:
        yield
    finally:
        result = {
            "state": told.progress.state,
            "why": told.progress.why,
            "replayed": dict(told.replayed),
            "sent": dict(told.sent),
            "refused": told.refused,
        }
        ops.operations_log.record(action, {"name": told.name, **parameters}, result)


def _name(ops: OpsContext, kind: str) -> str:
    return f"{kind}-{ops.clock.now():%Y%m%dT%H%M%S%f}"

"""Replays archived events to consumers.

Events are first replayed into a queue of their own. A dry run counts and removes them; a real run forwards
each to the queues of the chosen consumers. An event leaves the replay queue only after its consumers have it,
so an interrupted run can be resumed; at worst some events are sent twice.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scripts.common.errors import ToolError
from scripts.ops.context import OpsContext
from scripts.ops.replay.event_archive import ArchivedEvent, ReplayProgress
from services.shared.events import by_name, rfc3339

if TYPE_CHECKING:
    from scripts.environment.topology import Topology

_MAX_REFUSALS = 100
"""A queue that refuses so many has more than a transient fault."""


@dataclass(frozen=True, slots=True)
class Route:
    """One consumer of the replay, and the events it gets."""

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


OnProgress = Callable[["ReplayResult"], object]


@dataclass(slots=True)
class ReplayResult:
    name: str
    progress: ReplayProgress = field(default_factory=lambda: ReplayProgress("STARTING"))
    replayed: Counter[str] = field(default_factory=Counter)
    """Events by name."""
    sent: Counter[str] = field(default_factory=Counter)
    """Messages by consumer."""
    refused: int = 0

    @property
    def complete(self) -> bool:
        return self.progress.state == "COMPLETED" and not self.refused


def _ignore(_result: ReplayResult) -> None:
    """Report progress to nobody."""


def routes(topology: "Topology", events: Collection[str], consumers: Collection[str]) -> tuple[Route, ...]:
    """Choose the consumers: the named ones, or all that subscribe to one of the events."""
    for event in events:
        if by_name(event) is None:
            raise ToolError(f"event {event!r} not found; list them with `pulsequeue events ls`.", exit_code=2)
    for consumer in consumers:
        topology.consumer(consumer)
    chosen = []
    for function, settings in topology.consumers.items():
        if function not in consumers and (consumers or not settings.replayed):
            continue
        subscribed = tuple(name for name in settings.subscriptions if not events or name in events)
        if subscribed:
            chosen.append(Route(function, subscribed))
    if not chosen:
        among = f" of {', '.join(consumers)}" if consumers else ""
        raise ToolError(f"no consumer{among} subscribes to {', '.join(events)}; choose another.")
    return tuple(chosen)


def window(since: datetime, until: datetime, now: datetime) -> tuple[datetime, datetime]:
    """Check that a window starts in the past and before its end; the end is now at the latest."""
    if since >= until:
        raise ToolError("--from must be before --to.", exit_code=2)
    if since > now:
        raise ToolError("--from is in the future; choose a time in the past.", exit_code=2)
    return since, min(until, now)


def count(ops: OpsContext, plan: Plan, on_progress: OnProgress = _ignore) -> ReplayResult:
    """Replay into the replay queue alone, count the events, and remove the queue."""
    result = ReplayResult(_name(ops, "count"))
    with _recorded(ops, "replay count", plan.parameters(), result):
        try:
            ops.archive.start(result.name, plan.since, plan.until, plan.events, {})
            for batch in ops.archive.take(result.name):
                result.replayed.update(one.event for one in batch)
                ops.archive.remove(result.name, batch)
                on_progress(result)
            result.progress = ops.archive.progress(result.name)
        finally:
            ops.archive.discard(result.name)
    return result


def replay(
    ops: OpsContext, plan: Plan, *, rate: float | None = None, on_progress: OnProgress = _ignore
) -> ReplayResult:
    """Replay, and forward every event to its consumers, at most `rate` a second."""
    result = ReplayResult(_name(ops, "run"))
    notes = {route.function: " ".join(route.events) for route in plan.routes}
    # Recorded before the start: the replay goes on even if this process dies.
    ops.operations_log.record("replay start", {"name": result.name, **plan.parameters()}, {})
    ops.archive.start(result.name, plan.since, plan.until, plan.events, notes)
    return _forward(ops, result, plan.routes, rate, on_progress)


def resume(
    ops: OpsContext, name: str, *, rate: float | None = None, on_progress: OnProgress = _ignore
) -> ReplayResult:
    """Forward the events that an interrupted replay left in its queue."""
    notes = ops.archive.notes(name)
    to = tuple(
        Route(function, tuple(notes[function].split()))
        for function in ops.topology.consumers
        if function in notes
    )
    if not to:
        raise ToolError(f"replay {name!r} was a dry run without consumers; remove it with --discard.")
    return _forward(ops, ReplayResult(name), to, rate, on_progress)


def discard(ops: OpsContext, name: str) -> None:
    """Remove a replay and the events it has not forwarded."""
    ops.archive.notes(name)  # fails for an unknown name
    ops.archive.discard(name)
    ops.operations_log.record("replay discard", {"name": name}, {})


def _forward(
    ops: OpsContext, result: ReplayResult, to: Sequence[Route], rate: float | None, on_progress: OnProgress
) -> ReplayResult:
    consumers_of: dict[str, list[str]] = {}
    for route in to:
        for event in route.events:
            consumers_of.setdefault(event, []).append(route.function)
    consumers = {route.function: list(route.events) for route in to}
    with _recorded(ops, "replay end", {"consumers": consumers}, result):
        for batch in ops.archive.take(result.name):
            refused = _send(ops, result, consumers_of, batch)
            forwarded = [one for position, one in enumerate(batch) if position not in refused]
            ops.archive.remove(result.name, forwarded)
            result.replayed.update(one.event for one in forwarded)
            result.refused += len(refused)
            on_progress(result)
            if result.refused >= _MAX_REFUSALS:
                break
            if rate is not None:
                ops.clock.sleep(len(batch) / rate)
        result.progress = ops.archive.progress(result.name)
        if result.complete:
            ops.archive.discard(result.name)
    return result


def _send(
    ops: OpsContext,
    result: ReplayResult,
    consumers_of: Mapping[str, Iterable[str]],
    batch: Sequence[ArchivedEvent],
) -> set[int]:
    """Send each event to its consumers; returns the positions of events that a consumer's queue refused."""
    by_function: dict[str, list[int]] = {}
    for position, one in enumerate(batch):
        for function in consumers_of.get(one.event, ()):
            by_function.setdefault(function, []).append(position)
    refused: set[int] = set()
    for function, positions in by_function.items():
        bodies = [batch[position].body for position in positions]
        failed = ops.work_queue(function).send(bodies, as_from_the_bus=True)
        result.sent[function] += len(bodies) - len(failed)
        refused |= {positions[index] for index in failed}
    return refused


@contextmanager
def _recorded(
    ops: OpsContext, action: str, parameters: Mapping[str, Any], result: ReplayResult
) -> Iterator[None]:
    """Record the result in the operations log, even if the replay is interrupted."""
    try:
        yield
    finally:
        ops.operations_log.record(
            action,
            {"name": result.name, **parameters},
            {
                "state": result.progress.state,
                "why": result.progress.why,
                "replayed": dict(result.replayed),
                "sent": dict(result.sent),
                "refused": result.refused,
            },
        )


def _name(ops: OpsContext, kind: str) -> str:
    return f"{kind}-{ops.clock.now():%Y%m%dT%H%M%S%f}"

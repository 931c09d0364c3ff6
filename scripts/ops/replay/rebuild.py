"""Rebuilds the read side: empties its tables and replays the archive to the projector."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from scripts.common.errors import ToolError
from scripts.environment.migrator_client import invoke_migrator
from scripts.ops.imports import sending
from scripts.ops.replay import replay

if TYPE_CHECKING:
    from scripts.environment.environment import Environment
    from scripts.ops.context import OpsContext

PROJECTOR: Final = "projector"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the database the archive can restore."""

    recorded: int
    """Distinct events in the database, without those of imported files, which it keeps."""
    archived: int | None
    """Events in the archive; None or too low while EventBridge has not counted them."""
    since: datetime
    imported: int = 0
    """Events of imported files, which are read again."""

    @property
    def missing(self) -> int:
        return max(0, self.recorded - self.archived) if self.archived is not None else 0

    def counts(self) -> dict[str, Any]:
        return {"recorded": self.recorded, "archived": self.archived, "missing": self.missing}


def coverage(ops: "OpsContext", environment: "Environment") -> Coverage:
    status = invoke_migrator(environment, {"action": "status"})
    contents = ops.archive.contents()
    retained = ops.clock.now() - timedelta(days=environment.topology.settings.archive_days)
    since = max(retained, contents.since) if contents.since else retained
    imported = sum(it["imported"] for it in status["tenants"])
    recorded = sum(it["events"] for it in status["tenants"]) - imported
    return Coverage(recorded, contents.events, since, imported)


@dataclass(frozen=True, slots=True)
class Rebuild:
    coverage: Coverage
    lossy: bool = False
    """Whether missing events are accepted."""
    currencies: Mapping[str, str] = field(default_factory=dict)
    """New reporting currencies, by tenant."""


def rebuild(
    ops: "OpsContext",
    environment: "Environment",
    plan: Rebuild,
    on_progress: replay.OnProgress = lambda _: None,
) -> replay.ReplayResult:
    """Empty the database, read imports again, and replay the archive to the projector alone.

    Live events are projected meanwhile: rows depend on the set of events, not on their order.
    """
    found = plan.coverage
    if found.missing and not plan.lossy:
        raise ToolError(
            f"the archive has {found.archived} events and the database {found.recorded}: at least "
            f"{found.missing} would be lost (older than the archive, or demo data). --lossy accepts that."
        )
    _window(ops, found)  # fails, if at all, before anything is deleted
    routes = replay.routes(ops.topology, (), (PROJECTOR,))
    ops.operations_log.record("db rebuild", {**found.counts(), "currencies": dict(plan.currencies)}, {})
    invoke_migrator(environment, {"action": "empty", "currencies": dict(plan.currencies)})
    sending.restore(environment, lambda _: None)
    # Until now, not until the start: events projected before the database was emptied are gone with it.
    since, until = _window(ops, found)
    return replay.replay(ops, replay.Plan(since, until, routes), on_progress=on_progress)


def _window(ops: "OpsContext", found: Coverage) -> tuple[datetime, datetime]:
    now = ops.clock.now()
    return replay.window(found.since, now, now)

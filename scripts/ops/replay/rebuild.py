"""Making the read side anew: emptied, and told everything again by the archive."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from scripts.common.errors import ToolError
from scripts.environment.migrator_client import invoke_migrator
from scripts.ops.replay import replay

if TYPE_CHECKING:
    from scripts.environment.environment import Environment
    from scripts.ops.context import OpsContext
    from scripts.ops.replay.replay import Told

PROJECTOR: Final = "projector"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a rebuild has to go by."""

    heard: int
    """Events in the database, each once."""
    archived: int | None
    """Events in the archive; EventBridge may count late, or not at all."""
    since: datetime

    @property
    def loses(self) -> int:
        return max(0, self.heard - self.archived) if self.archived is not None else 0

    def told(self) -> dict[str, Any]:
        return {"heard": self.heard, "archived": self.archived, "loses": self.loses}


def outlook(ops: "OpsContext", environment: "Environment") -> Outlook:
    said = invoke_migrator(environment, {"action": "status"})
    contents = ops.archive.contents()
    reach = ops.clock.now() - timedelta(days=environment.topology.settings.archive_days)
    since = max(reach, contents.since) if contents.since else reach
    return Outlook(sum(it["events"] for it in said["tenants"]), contents.events, since)


@dataclass(frozen=True, slots=True)
class Rebuild:
    """What is to be done, and what is accepted for it."""

    outlook: Outlook
    lossy: bool = False
    currencies: Mapping[str, str] = field(default_factory=dict)
    """In which some tenants' recurring revenue is to be added up from now on."""


def rebuild(
    ops: "OpsContext",
    environment: "Environment",
    plan: Rebuild,
    seen: Callable[["Told"], object] = lambda _: None,
) -> "Told":
    """Empty the database and replay the archive to the projector alone.

    What happens meanwhile is heard as ever: rows are a function of the events, whenever they come.
    """
    outlook = plan.outlook
    if outlook.loses and not plan.lossy:
        raise ToolError(
            f"the archive holds {outlook.archived} events and the database has heard {outlook.heard}: at "
            f"least {outlook.loses} would be lost (older than the archive, or seeded). --lossy accepts that."
        )
    _window(ops, outlook)  # refused, if at all, before anything is gone
    routes = replay.routes(ops.topology, (), (PROJECTOR,))
    ops.operations_log.record("db rebuild", {**outlook.told(), "currencies": dict(plan.currencies)}, {})
    invoke_migrator(environment, {"action": "empty", "currencies": dict(plan.currencies)})
    # Up to now, and not to when we began: what was heard meanwhile went with the rest.
    since, until = _window(ops, outlook)
    return replay.replay(ops, replay.Plan(since, until, routes), seen=seen)


def _window(ops: "OpsContext", outlook: Outlook) -> tuple[datetime, datetime]:
    now = ops.clock.now()
    return replay.window(outlook.since, now, now)

"""Loads demo data into a database: through the projector, or in bulk."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Final

from scripts.common.errors import ToolError
from scripts.demo_data import bulk_loader
from scripts.demo_data.bulk_loader import Progress
from scripts.demo_data.generator import DemoData
from scripts.demo_data.row_copier import connect
from services.shared.database import Connection
from services.shared.events import Event, OrderPlaced, SubscriptionStarted
from services.shared.messages import Delivery, Handle

_BATCH: Final = 100
_PROGRESS_EVERY: Final = 5_000
_WORKERS: Final = 2
"""PostgreSQL keeps up with this many; more would wait for it."""


@dataclass(frozen=True, slots=True)
class SeedResult:
    events: int
    orders: int
    subscriptions: int


def seed(data: DemoData, owner: str, project: Handle, *, in_bulk: bool, progress: Progress) -> SeedResult:
    """Load a data set and its exchange rates; events loaded before change nothing.

    `owner` is the conninfo of the tables' owner, `project` the projector's handle.
    """
    if in_bulk:
        result = bulk_loader.load(data, owner, workers=_WORKERS, progress=progress)
        return SeedResult(result.events, result.orders, result.subscriptions)
    with closing(connect(owner)) as connection, connection.transaction():
        _refuse_partial_load(connection, data.tenant)
        bulk_loader.prepare(connection, data)
    return _deliver(data, project, progress)


def _refuse_partial_load(owner: Connection, tenant: str) -> None:
    """Refuse when the inbox holds events that no rollup counts: they would never be counted."""
    counted = owner.execute(
        """
        SELECT (SELECT count(*) FROM event_inbox WHERE tenant_id = %(tenant)s)
             = (SELECT coalesce(sum(events), 0) FROM projection_checkpoints WHERE tenant_id = %(tenant)s)
        """,
        {"tenant": tenant},
    ).fetchone()
    if counted != (True,):
        raise ToolError(
            f"an earlier seed of tenant {tenant!r} was interrupted and left partial data; "
            "remove it with `pulsequeue db rebuild`, then seed again."
        )


def _deliver(data: DemoData, project: Handle, progress: Progress) -> SeedResult:
    events, delivered, orders, subscriptions = data.events(), 0, set(), set()
    while batch := list(islice(events, _BATCH)):
        _project(batch, project)
        orders |= {event.order_id for event in batch if isinstance(event, OrderPlaced)}
        subscriptions |= {event.subscription_id for event in batch if isinstance(event, SubscriptionStarted)}
        delivered += len(batch)
        if delivered % _PROGRESS_EVERY == 0:
            progress(f"{len(orders):,} of {data.orders:,} orders, {delivered:,} events")
    return SeedResult(delivered, len(orders), len(subscriptions))


def _project(events: Sequence[Event], project: Handle) -> None:
    if failed := project([Delivery(event.event_id, event) for event in events]):
        raise ToolError(
            f"{len(failed)} of {len(events)} events could not be projected, the first of them {min(failed)}."
        )

"""Brings a past into a database: a small one as queues would deliver it, a large one in bulk."""

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
from services.analytics.db.database import Connection
from services.shared.events import Event, OrderPlaced, SubscriptionStarted
from services.shared.messages import Delivery, Handle

_BATCH: Final = 100
_TELL_EVERY: Final = 5_000
_WORKERS: Final = 2
"""As many as PostgreSQL keeps up with; more processes would wait for it."""


@dataclass(frozen=True, slots=True)
class Seeded:
    events: int
    orders: int
    subscriptions: int


def seed(past: DemoData, owner: str, project: Handle, *, in_bulk: bool, progress: Progress) -> Seeded:
    """Bring a past in, with the exchange rates that it needs; what was brought in before changes nothing.

    `owner` is how the tables' owner connects, `project` the projector's handle.
    """
    if in_bulk:
        laid = bulk_loader.load(past, owner, workers=_WORKERS, progress=progress)
        return Seeded(laid.events, laid.orders, laid.subscriptions)
    with closing(connect(owner)) as connection, connection.transaction():
        _refuse_a_part(connection, past.tenant)
        bulk_loader.prepare(connection, past)
    return _deliver(past, project, progress)


def _refuse_a_part(owner: Connection, tenant: str) -> None:
    """Refuse to add to events that no sum counts: as they are known already, none ever would."""
    counted = owner.execute(
        """
        SELECT (SELECT count(*) FROM event_inbox WHERE tenant_id = %(tenant)s)
             = (SELECT coalesce(sum(events), 0) FROM projection_checkpoints WHERE tenant_id = %(tenant)s)
        """,
        {"tenant": tenant},
    ).fetchone()
    if counted != (True,):
        raise ToolError(
            f"an earlier seed of tenant {tenant!r} broke off and left a part behind; "
            "`pulsequeue db rebuild` clears it away."
        )


def _deliver(past: DemoData, project: Handle, progress: Progress) -> Seeded:
    events, told, orders, subscriptions = past.events(), 0, set(), set()
    while some := list(islice(events, _BATCH)):
        _hand_over(some, project)
        orders |= {event.order_id for event in some if isinstance(event, OrderPlaced)}
        subscriptions |= {event.subscription_id for event in some if isinstance(event, SubscriptionStarted)}
        told += len(some)
        if told % _TELL_EVERY == 0:
            progress(f"{len(orders):,} of {past.orders:,} orders, {told:,} events")
    return Seeded(told, len(orders), len(subscriptions))


def _hand_over(some: Sequence[Event], project: Handle) -> None:
    if again := project([Delivery(event.event_id, event) for event in some]):
        raise ToolError(
            f"{len(again)} of {len(some)} events could not be projected, the first of them {min(again)}."
        )

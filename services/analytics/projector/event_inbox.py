"""The event inbox: every event is stored once, and all events of a subject are loaded together."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from services.analytics.model.orders import Subject, subject_of
from services.shared.database import Connection
from services.shared.errors import PulseQueueError
from services.shared.events import Event, by_name


class UnknownEventError(PulseQueueError):
    """The inbox holds an event of a newer release."""


class EventKey(NamedTuple):
    """Identifies an event: a redelivery has the same key."""

    tenant_id: str
    kind: str
    subject: str
    event: str
    event_id: str

    @property
    def subject_key(self) -> Subject:
        return Subject(self.tenant_id, self.kind, self.subject)


def key_of(event: Event) -> EventKey:
    return EventKey(*subject_of(event), event.detail_type(), event.event_id)


def lock(session: Connection, subjects: Iterable[Subject]) -> None:
    """Lock the subjects until the transaction ends; wait while another transaction holds one."""
    session.execute(
        "SELECT pg_advisory_xact_lock(number) FROM unnest(%b::bigint[]) AS number",
        [sorted({_lock_number(subject) for subject in subjects})],
    )


def ensure_tenants(session: Connection, tenants: Iterable[str]) -> None:
    """Insert the tenants that are missing; a trigger gives each its default rules."""
    session.execute(
        "INSERT INTO tenants (tenant_id) SELECT unnest(%b::text[]) ON CONFLICT DO NOTHING", [sorted(tenants)]
    )


def insert_new(session: Connection, events: Mapping[EventKey, Event]) -> dict[EventKey, datetime]:
    """Insert the events that are not in the inbox yet; return their keys and times."""
    columns = [list(column) for column in zip(*events, strict=True)]
    # Times are those of the stored events, to the millisecond: rows must not depend on whether an event was
    # just received or loaded.
    rows = session.execute(
        """
        INSERT INTO event_inbox (tenant_id, kind, subject, event, event_id, occurred_at, detail)
        SELECT tenant_id, kind, subject, event, event_id, (detail ->> 'occurredAt')::timestamptz, detail
        FROM ROWS FROM (
          unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[]),
          jsonb_array_elements(%s::jsonb)
        ) AS received (tenant_id, kind, subject, event, event_id, detail)
        ON CONFLICT DO NOTHING
        RETURNING tenant_id, kind, subject, event, event_id, occurred_at
        """,
        [*columns, f"[{','.join(event.wire() for event in events.values())}]"],
    )
    return {EventKey(*key): occurred_at for *key, occurred_at in rows}


def load_events(session: Connection, subjects: Collection[Subject]) -> dict[Subject, dict[EventKey, Event]]:
    """Load every stored event of each subject."""
    found: dict[Subject, dict[EventKey, Event]] = {subject: {} for subject in subjects}
    if not found:
        return found
    rows = session.execute(
        """
        SELECT i.tenant_id, i.kind, i.subject, i.event, i.event_id, i.detail::text
        FROM unnest(%b::text[], %b::text[], %b::text[]) AS subjects (tenant_id, kind, subject)
        JOIN event_inbox i USING (tenant_id, kind, subject)
        """,
        [list(column) for column in zip(*found, strict=True)],
    )
    for *columns, detail in rows:
        key = EventKey(*columns)
        found[key.subject_key][key] = parse(key.event, detail)
    return found


def delete(session: Connection, keys: Iterable[EventKey]) -> None:
    session.execute(
        """
        DELETE FROM event_inbox i
        USING unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[])
          AS gone (tenant_id, kind, subject, event, event_id)
        WHERE (i.tenant_id, i.kind, i.subject, i.event, i.event_id)
          = (gone.tenant_id, gone.kind, gone.subject, gone.event, gone.event_id)
        """,
        [list(column) for column in zip(*keys, strict=True)],
    )


def parse(name: str, detail: str) -> Event:
    """Parse a stored event."""
    model = by_name(name)
    if model is None:
        raise UnknownEventError(
            f"the inbox holds an event {name} that this release does not know; deploy a newer release"
        )
    return model.model_validate_json(detail)


def update_checkpoints(session: Connection, new: Mapping[EventKey, datetime]) -> None:
    """Record how many events each tenant's rows are derived from, and the time of the newest."""
    counts: dict[str, tuple[int, datetime]] = {}
    for key, occurred_at in new.items():
        events, last = counts.get(key.tenant_id, (0, occurred_at))
        counts[key.tenant_id] = events + 1, max(last, occurred_at)
    rows = [(tenant_id, *counts[tenant_id]) for tenant_id in sorted(counts)]
    session.execute(
        """
        INSERT INTO projection_checkpoints AS t (tenant_id, projection, events, last_event_at)
        SELECT tenant_id, 'analytics', events, last_event_at
        FROM unnest(%b::text[], %b::bigint[], %b::timestamptz[]) AS batch (tenant_id, events, last_event_at)
        ON CONFLICT (tenant_id, projection) DO UPDATE SET
          events = t.events + excluded.events,
          last_event_at = greatest(t.last_event_at, excluded.last_event_at)
        """,
        [list(column) for column in zip(*rows, strict=True)],
    )


def lower_checkpoints(session: Connection, gone: Iterable[EventKey]) -> None:
    """Take deleted events off the count; `newest_event` corrects the time of the newest at the end."""
    counts = Counter(key.tenant_id for key in gone)
    for tenant_id in sorted(counts):
        session.execute(
            "UPDATE projection_checkpoints SET events = events - %s WHERE tenant_id = %s",
            [counts[tenant_id], tenant_id],
        )


def newest_event(session: Connection, tenant_id: str) -> None:
    """Set the time of the tenant's newest event again, after some were deleted; without any there is none."""
    session.execute(
        """
        UPDATE projection_checkpoints SET last_event_at = newest.at
        FROM (SELECT max(occurred_at) AS at FROM event_inbox WHERE tenant_id = %(tenant)s) AS newest
        WHERE tenant_id = %(tenant)s AND newest.at IS NOT NULL
        """,
        {"tenant": tenant_id},
    )
    session.execute("DELETE FROM projection_checkpoints WHERE tenant_id = %s AND events = 0", [tenant_id])


def _lock_number(subject: Subject) -> int:
    digest = blake2b("\n".join(subject).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)

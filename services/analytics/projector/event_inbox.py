"""The inbox of the read side: every event once, and all events of a subject together."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from services.analytics.db.database import Connection
from services.analytics.model.orders import Subject, subject_of
from services.shared.errors import PulseQueueError
from services.shared.events import Event, by_name


class UnknownEventError(PulseQueueError):
    """The inbox holds an event that this release does not know; a newer one put it there."""


class Heard(NamedTuple):
    """What makes an event the same event when it comes again."""

    tenant_id: str
    kind: str
    subject: str
    event: str
    event_id: str

    @property
    def about(self) -> Subject:
        return Subject(self.tenant_id, self.kind, self.subject)


def heard(event: Event) -> Heard:
    return Heard(*subject_of(event), event.detail_type(), event.event_id)


def lock(session: Connection, subjects: Iterable[Subject]) -> None:
    """Wait until nobody else works on these, and keep others waiting until the transaction ends."""
    session.execute(
        "SELECT pg_advisory_xact_lock(number) FROM unnest(%b::bigint[]) AS number",
        [sorted({_number(subject) for subject in subjects})],
    )


def welcome(session: Connection, tenants: Iterable[str]) -> None:
    """Make sure that each tenant has a row, and with it what a tenant begins with."""
    session.execute(
        "INSERT INTO tenants (tenant_id) SELECT unnest(%b::text[]) ON CONFLICT DO NOTHING", [sorted(tenants)]
    )


def take_in(session: Connection, events: Mapping[Heard, Event]) -> dict[Heard, datetime]:
    """Keep the events that were not heard before; return them, and when they happened."""
    columns = [list(column) for column in zip(*events, strict=True)]
    # Times are taken from what is kept, which is to the millisecond: what follows from an event must not
    # depend on whether it was just heard, or read back.
    rows = session.execute(
        """
        INSERT INTO event_inbox (tenant_id, kind, subject, event, event_id, occurred_at, detail)
        SELECT tenant_id, kind, subject, event, event_id, (detail ->> 'occurredAt')::timestamptz, detail
        FROM ROWS FROM (
          unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[]),
          jsonb_array_elements(%s::jsonb)
        ) AS told (tenant_id, kind, subject, event, event_id, detail)
        ON CONFLICT DO NOTHING
        RETURNING tenant_id, kind, subject, event, event_id, occurred_at
        """,
        [*columns, f"[{','.join(event.wire() for event in events.values())}]"],
    )
    return {Heard(*key): occurred_at for *key, occurred_at in rows}


def everything_about(session: Connection, subjects: Collection[Subject]) -> dict[Subject, dict[Heard, Event]]:
    """Read back all that was ever heard about each subject."""
    found: dict[Subject, dict[Heard, Event]] = {subject: {} for subject in subjects}
    if not found:
        return found
    rows = session.execute(
        """
        SELECT i.tenant_id, i.kind, i.subject, i.event, i.event_id, i.detail::text
        FROM unnest(%b::text[], %b::text[], %b::text[]) AS asked (tenant_id, kind, subject)
        JOIN event_inbox i USING (tenant_id, kind, subject)
        """,
        [list(column) for column in zip(*found, strict=True)],
    )
    for *key, detail in rows:
        one = Heard(*key)
        found[one.about][one] = read(one.event, detail)
    return found


def read(name: str, detail: str) -> Event:
    """Read an event as it was kept."""
    model = by_name(name)
    if model is None:
        raise UnknownEventError(f"the inbox holds an event called {name}, which this release does not know")
    return model.model_validate_json(detail)


def note_progress(session: Connection, new: Mapping[Heard, datetime]) -> None:
    """Say how many events each tenant's rows are made of, and when the last of them happened."""
    counts: dict[str, tuple[int, datetime]] = {}
    for one, occurred_at in new.items():
        events, last = counts.get(one.tenant_id, (0, occurred_at))
        counts[one.tenant_id] = events + 1, max(last, occurred_at)
    rows = [(tenant_id, *counts[tenant_id]) for tenant_id in sorted(counts)]
    session.execute(
        """
        INSERT INTO projection_checkpoints AS t (tenant_id, projection, events, last_event_at)
        SELECT tenant_id, 'analytics', events, last_event_at
        FROM unnest(%b::text[], %b::bigint[], %b::timestamptz[]) AS made (tenant_id, events, last_event_at)
        ON CONFLICT (tenant_id, projection) DO UPDATE SET
          events = t.events + excluded.events,
          last_event_at = greatest(t.last_event_at, excluded.last_event_at)
        """,
        [list(column) for column in zip(*rows, strict=True)],
    )


def _number(subject: Subject) -> int:
    digest = blake2b("\n".join(subject).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)

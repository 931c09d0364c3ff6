"""Imports of history: chunks of events, each projected in one transaction, kept for a rebuild and an undo."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from services.analytics.projector import event_inbox
from services.analytics.projector.service import forget, project_imported
from services.shared.database import Connection, Database
from services.shared.errors import PulseQueueError
from services.shared.events import Event, Identifier, Text, by_name, rfc3339
from services.shared.messages import explain

MAX_CHUNK = 2_000


class ImportRefusedError(PulseQueueError):
    """The import cannot go on; the message says what to do."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class _OfImport(_Model):
    tenant_id: Identifier
    import_id: Identifier


class StartImport(_OfImport):
    """Begin an import, or find out which of its chunks are there already."""

    action: Literal["startImport"]
    kind: Literal["orders", "subscriptions"]
    file_name: Text
    mapping: Mapping[str, Any]
    records: int = Field(ge=1)
    rejected: int = Field(ge=0)
    chunks: int = Field(ge=1)


class ImportedEvent(_Model):
    event: str
    detail: Mapping[str, Any]


class ImportChunk(_OfImport):
    """Project a chunk of events, all or none; one that is there already changes nothing."""

    action: Literal["importChunk"]
    chunk: int = Field(ge=0)
    events: Sequence[ImportedEvent] = Field(min_length=1, max_length=MAX_CHUNK)


class ListImports(_Model):
    action: Literal["listImports"]
    tenant_id: Identifier


class RemoveImport(_OfImport):
    """Undo one chunk of an import; repeated until none is left, and the import is gone."""

    action: Literal["removeImport"]


class RestoreImports(_Model):
    """Project one chunk that a rebuild has yet to read again; repeated until none is left."""

    action: Literal["restoreImports"]


ImportCommand = StartImport | ImportChunk | ListImports | RemoveImport | RestoreImports


class Imports:
    def __init__(self, owner: Database) -> None:
        self._owner = owner

    def run(self, command: ImportCommand) -> Mapping[str, Any]:
        with self._owner.transaction() as session:
            match command:
                case StartImport():
                    return _start(session, command)
                case ImportChunk():
                    return _project_chunk(session, command)
                case ListImports():
                    return _list(session, command.tenant_id)
                case RemoveImport():
                    return _remove_chunk(session, command)
                case RestoreImports():
                    return _restore_chunk(session)


def _start(session: Connection, command: StartImport) -> Mapping[str, Any]:
    event_inbox.ensure_tenants(session, [command.tenant_id])
    key = [command.tenant_id, command.import_id]
    session.execute(
        """
        INSERT INTO imports (tenant_id, import_id, kind, file_name, mapping, records, rejected, chunks)
        VALUES (%s, %s, %s, %s, %s::jsonb, %s, %s, %s) ON CONFLICT DO NOTHING
        """,
        [*key, command.kind, command.file_name, json.dumps(command.mapping), *_counts(command)],
    )
    started_at = _require_open(session, command)
    rows = session.execute(
        "SELECT chunk FROM import_chunks WHERE tenant_id = %s AND import_id = %s ORDER BY 1", key
    )
    return {"startedAt": rfc3339(started_at), "present": [chunk for (chunk,) in rows]}


def _counts(command: StartImport) -> tuple[int, int, int]:
    return command.records, command.rejected, command.chunks


def _require_open(session: Connection, command: _OfImport) -> datetime:
    """Return when the import began; its row is locked against removal until the transaction ends."""
    row = session.execute(
        "SELECT created_at, removing FROM imports WHERE tenant_id = %s AND import_id = %s FOR SHARE",
        [command.tenant_id, command.import_id],
    ).fetchone()
    if row is None:
        raise ImportRefusedError(f"there is no import {command.import_id}; it was removed meanwhile")
    started_at, removing = row
    if removing:
        raise ImportRefusedError(
            f"import {command.import_id} is being removed; finish with `pulsequeue import rm "
            f"{command.import_id} --yes`, then import again"
        )
    return started_at  # type: ignore[no-any-return]  # a column of the row


def _project_chunk(session: Connection, command: ImportChunk) -> Mapping[str, Any]:
    events = _parsed(command)
    _require_open(session, command)
    stored = [it.model_dump() for it in command.events]
    inserted = session.execute(
        """
        INSERT INTO import_chunks (tenant_id, import_id, chunk, events, event_count, applied)
        VALUES (%s, %s, %s, %s::jsonb, %s, true) ON CONFLICT DO NOTHING RETURNING chunk
        """,
        [command.tenant_id, command.import_id, command.chunk, json.dumps(stored), len(stored)],
    ).fetchone()
    return {"projected": project_imported(session, events) if inserted else 0}


def _parsed(command: ImportChunk) -> list[Event]:
    try:
        events = [_event(it.event, it.detail) for it in command.events]
    except ValidationError as error:
        raise ImportRefusedError(
            f"an event of chunk {command.chunk} is not valid: {explain(error)}"
        ) from error
    if strangers := {event.tenant_id for event in events} - {command.tenant_id}:
        raise ImportRefusedError(f"chunk {command.chunk} holds events of {', '.join(sorted(strangers))}")
    return events


def _event(name: str, detail: Mapping[str, Any]) -> Event:
    model = by_name(name)
    if model is None:
        raise ImportRefusedError(f"this release knows no event {name}; deploy the release of the command")
    return model.model_validate(detail)


def _list(session: Connection, tenant_id: str) -> Mapping[str, Any]:
    rows = session.execute(
        """
        SELECT import_id, kind, file_name, records, rejected, chunks, removing, i.created_at,
          count(chunk), coalesce(sum(event_count), 0)::bigint, count(chunk) FILTER (WHERE NOT applied)
        FROM imports i LEFT JOIN import_chunks c USING (tenant_id, import_id)
        WHERE tenant_id = %s GROUP BY tenant_id, import_id ORDER BY i.created_at DESC, import_id
        """,
        [tenant_id],
    ).fetchall()
    return {"imports": [_summary(row) for row in rows]}


def _summary(row: tuple[Any, ...]) -> Mapping[str, Any]:
    import_id, kind, file_name, records, rejected, chunks, removing, created_at, present, events, waiting = (
        row
    )
    return {
        "importId": import_id,
        "kind": kind,
        "fileName": file_name,
        "state": _state(chunks, present, waiting, removing=removing),
        "records": records,
        "rejected": rejected,
        "events": events,
        "startedAt": rfc3339(created_at),
    }


def _state(chunks: int, present: int, waiting: int, *, removing: bool) -> str:
    if removing:
        return "removing"
    if present < chunks:
        return f"{present} of {chunks} chunks"
    return "rebuilding" if waiting else "complete"


def _remove_chunk(session: Connection, command: RemoveImport) -> Mapping[str, Any]:
    key = [command.tenant_id, command.import_id]
    # Waits for a chunk that is being projected.
    found = session.execute(
        "UPDATE imports SET removing = true WHERE tenant_id = %s AND import_id = %s RETURNING chunks", key
    ).fetchone()
    if found is None:
        raise ImportRefusedError(
            f"tenant {command.tenant_id} has no import {command.import_id}; `pulsequeue import ls` lists them"
        )
    chunk = session.execute(
        """
        DELETE FROM import_chunks WHERE (tenant_id, import_id, chunk) = (
          SELECT tenant_id, import_id, chunk FROM import_chunks
          WHERE tenant_id = %s AND import_id = %s ORDER BY chunk DESC LIMIT 1
        ) RETURNING events, applied
        """,
        key,
    ).fetchone()
    if chunk is None:
        session.execute("DELETE FROM imports WHERE tenant_id = %s AND import_id = %s", key)
        event_inbox.newest_event(session, command.tenant_id)
        return {"events": 0, "gone": True}
    events, applied = chunk
    if applied:
        forget(session, [_event(it["event"], it["detail"]) for it in events])
    return {"events": len(events), "gone": False}


def _restore_chunk(session: Connection) -> Mapping[str, Any]:
    chunk = session.execute(
        """
        UPDATE import_chunks SET applied = true WHERE (tenant_id, import_id, chunk) = (
          SELECT tenant_id, import_id, chunk FROM import_chunks WHERE NOT applied
          ORDER BY 1, 2, 3 LIMIT 1 FOR UPDATE
        ) RETURNING events
        """
    ).fetchone()
    if chunk is None:
        return {"events": 0}
    project_imported(session, [_event(it["event"], it["detail"]) for it in chunk[0]])
    return {"events": len(chunk[0])}

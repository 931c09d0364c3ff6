"""Sends a plan to the database in chunks, each of them one transaction; what is there already is left out."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scripts.environment.migrator_client import invoke_migrator
from scripts.ops.imports.plan import Plan

if TYPE_CHECKING:
    from scripts.environment.environment import Environment

OnProgress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Sent:
    events: int
    """Of this run."""
    present: int
    """Sent by an earlier run of the same import."""


def send(environment: "Environment", plan: Plan, on_progress: OnProgress) -> Sent:
    """Send the chunks that are not there yet; after an interruption the same call goes on."""
    chunks = list(plan.chunks())
    of_import = {"tenantId": plan.tenant_id, "importId": plan.import_id}
    begun = invoke_migrator(
        environment,
        {
            "action": "startImport",
            **of_import,
            "kind": plan.kind,
            "fileName": plan.file_name[-256:],
            "mapping": plan.mapping,
            "records": plan.records,
            "rejected": len(plan.rejects),
            "chunks": len(chunks),
        },
    )
    started_at, present = datetime.fromisoformat(begun["startedAt"]), set(begun["present"])
    done = sent = 0
    for number, events in enumerate(chunks):
        if number not in present:
            request = {"action": "importChunk", **of_import, "chunk": number}
            invoke_migrator(environment, {**request, "events": [_wire(it, started_at) for it in events]})
            sent += len(events)
        done += len(events)
        on_progress(done)
    return Sent(sent, done - sent)


def _wire(event: Any, at: datetime) -> dict[str, Any]:  # noqa: ANN401 - an event of any kind
    return {
        "event": event.detail_type(),
        "detail": json.loads(event.model_copy(update={"occurred_at": at}).wire()),
    }


def remove(environment: "Environment", tenant_id: str, import_id: str, on_progress: OnProgress) -> int:
    """Undo an import chunk by chunk, the last first; after an interruption the same call goes on."""
    request = {"action": "removeImport", "tenantId": tenant_id, "importId": import_id}
    events = 0
    while not (step := invoke_migrator(environment, request))["gone"]:
        events += step["events"]
        on_progress(events)
    return events


def restore(environment: "Environment", on_progress: OnProgress) -> int:
    """Project what imports brought in again, after the database was emptied."""
    events = 0
    while count := invoke_migrator(environment, {"action": "restoreImports"})["events"]:
        events += count
        on_progress(events)
    return events


def imports(environment: "Environment", tenant_id: str) -> list[dict[str, Any]]:
    return list(invoke_migrator(environment, {"action": "listImports", "tenantId": tenant_id})["imports"])

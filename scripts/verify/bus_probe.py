"""Records the events that the bus delivers, through a temporary rule and queue."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from scripts.ops.bus_tap import BusTap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.environment.environment import Environment

PROBE: Final = "VerificationProbe"
"""An event that no function subscribes to."""
PROBES_PER_ROUND: Final = 10
"""The most that PutEvents takes in one call."""
SOURCE: Final = "pulsequeue.verify"
_LIFETIME: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    event: str
    order_id: str
    event_id: str | None
    body: str
    """The message itself, as every queue behind a rule receives it."""


class BusProbe:
    """Records what the bus delivers about some orders."""

    def __init__(self, environment: Environment, run: str, order_ids: Sequence[str]) -> None:
        self._bus = environment.names.bus
        self._events = environment.client("events")
        self._tap = BusTap(environment, "verify", run, _LIFETIME)
        self._run = run
        self._matched_ids = [*order_ids, run]
        self._recorded: list[RecordedEvent] = []
        self._started = False
        self._rounds = 0

    @property
    def name(self) -> str:
        return self._tap.name

    def start(self) -> None:
        """Create the queue, and the rule that delivers to it."""
        self._started = True
        self._tap.start({"detail": {"orderId": self._matched_ids}})

    def probe(self) -> bool:
        """Send a round of test events, and tell whether all events of any one round have arrived.

        AWS rolls a new rule out machine by machine: a single event that arrives proves little.
        """
        self._rounds += 1
        self._events.put_events(
            Entries=[
                {
                    "Source": SOURCE,
                    "DetailType": PROBE,
                    "Detail": json.dumps({"orderId": self._run, "eventId": f"{self._rounds}/{number}"}),
                    "EventBusName": self._bus,
                }
                for number in range(PROBES_PER_ROUND)
            ]
        )
        arrived = {it.event_id for it in self.recorded() if it.event == PROBE}
        return PROBES_PER_ROUND in Counter(str(it).partition("/")[0] for it in arrived).values()

    def recorded(self) -> list[RecordedEvent]:
        """Return every event delivered so far, duplicates included."""
        while bodies := self._tap.take():
            self._recorded += map(_parse, bodies)
        return list(self._recorded)

    def stop(self) -> None:
        """Remove rule and queue."""
        if self._started:
            self._tap.stop()


def _parse(body: str) -> RecordedEvent:
    envelope = json.loads(body)
    detail = envelope["detail"]
    return RecordedEvent(
        str(envelope["detail-type"]), str(detail.get("orderId")), detail.get("eventId"), body
    )

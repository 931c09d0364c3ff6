"""The event bus on EventBridge: PutEvents in tens, with the result of every entry checked."""

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from services.shared.adapters.clients import in_batches, is_transient
from services.shared.backoff import Waits, jittered
from services.shared.events import Event

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_ENVELOPE_BYTES = 200  # upper bound of what the bus adds around a detail


class EventBridgeBus:
    def __init__(
        self,
        client: "EventBridgeClient",
        *,
        bus_name: str,
        source: str,
        run: Callable[..., Iterable[list[Event]]] = map,
        waits: Waits = jittered(3),  # noqa: B008 - makes a maker of iterators, which holds no state
    ) -> None:
        self._client = client
        self._bus_name = bus_name
        self._source = source
        self._run = run
        self._waits = waits

    def publish(self, events: Sequence[Event]) -> Collection[Event]:
        left = list(events)
        waits = self._waits()
        while left:
            sized = [(event, event.wire()) for event in left]
            batches = in_batches(sized, lambda pair: len(pair[1].encode()) + _ENVELOPE_BYTES)
            left = list(chain.from_iterable(self._run(self._put, batches)))
            if left and not next(waits, False):
                break
        return left

    def _put(self, batch: Sequence[tuple[Event, str]]) -> list[Event]:
        """Make one PutEvents call; returns the events it did not accept."""
        entries: list[PutEventsRequestEntryTypeDef] = [
            {
                "EventBusName": self._bus_name,
                "Source": self._source,
                "DetailType": event.detail_type(),
                "Detail": detail,
            }
            for event, detail in batch
        ]
        try:
            response = self._client.put_events(Entries=entries)
        except (ClientError, BotoCoreError) as error:
            if is_transient(error):
                return [event for event, _ in batch]
            raise
        results = response["Entries"]
        return [event for (event, _), result in zip(batch, results, strict=True) if "ErrorCode" in result]

"""The hourly audit: reports what differs, and releases reservations that nothing else released."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from services.order import domain
from services.order.consistency import Kind, Reconciliation, impossible
from services.order.reconcile import Clock, Tables, gauges, reconcile
from services.shared.ledger import Key, Status
from services.shared.log_events import LogEvent
from services.shared.messages import Delivery, Handle
from services.shared.outbox import EventBus, Outbox
from services.shared.telemetry import Telemetry

_BATCH = 100


class Audit:
    """`expire` is the expiry function's handler: a reservation ends by one transition, whoever ends it."""

    def __init__(
        self, tables: Tables, bus: EventBus, expire: Handle, telemetry: Telemetry, clock: Clock
    ) -> None:
        self._tables = tables
        self._bus = bus
        self._expire = expire
        self._telemetry = telemetry
        self._clock = clock

    def run(self) -> Mapping[str, int]:
        result = reconcile(self._tables, self._clock)
        for found in result.discrepancies:
            self._telemetry.warning(
                LogEvent.AUDIT_FOUND, found.key, kind=found.kind.value, what=found.message
            )
        overdue = [found.key for found in result.by_order if found.kind is Kind.OVERDUE]
        released = self._release(overdue)
        for name, level in gauges(result, self._clock.now()).items():
            self._telemetry.gauge(name, level)
        summary = _summary(result, len(released))
        self._telemetry.info(LogEvent.AUDIT_FINISHED, None, **summary)
        return summary

    def _release(self, overdue: Sequence[Key]) -> list[Key]:
        """Expire reservations as their delayed message would have; returns those that are released.

        The message that is owed is published first: should the release stop halfway, it finishes it.
        """
        released: list[Key] = []
        for keys in _batches(overdue):
            orders = self._tables.read_orders(keys).values()
            # One that contradicts itself needs a person.
            ready = [
                order for order in orders if order.status is Status.RESERVED and not any(impossible(order))
            ]
            outbox = Outbox()
            for order in ready:
                outbox.add([order.key.pk], domain.events_for(order))
            failed = outbox.send(self._bus, self._telemetry)
            owed = [order for order in ready if order.key.pk not in failed]
            failed |= set(
                self._expire(
                    [Delivery(order.key.pk, event) for order in owed for event in domain.events_for(order)]
                )
            )
            released += [order.key for order in ready if order.key.pk not in failed]
        return released


def _summary(result: Reconciliation, released: int) -> dict[str, int]:
    return {
        "orders": result.orders,
        "open": result.open,
        "skus": result.skus,
        "found": len(result.discrepancies),
        "released": released,
    }


def _batches(keys: Sequence[Key]) -> Iterator[Collection[Key]]:
    left = iter(keys)
    while batch := list(islice(left, _BATCH)):
        yield batch

"""Reconciles the tables of a live system: every suspect is checked several times before it is reported."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from services.order.consistency import Discrepancy, Kind, Reconciliation, find_discrepancies
from services.shared.adapters.dynamodb_items import Unreadable
from services.shared.ledger import Key, Order, Status, Stock
from services.shared.metric_names import Metric

RECHECKS = 4
_PAUSE_SECONDS = 1.0
GRACE = timedelta(minutes=2)
"""An expiry message is delivered late and waits for its batch; until then a reservation is not overdue."""


class Tables(Protocol):
    """Both tables, to read through and to read again."""

    def read_orders(self, keys: Collection[Key]) -> Mapping[Key, Order]: ...

    def read_stock(self, keys: Collection[Key]) -> Mapping[Key, Stock]: ...

    def scan_orders(self, unreadable: Callable[[Unreadable], object] | None = None) -> Iterator[Order]: ...

    def scan_stock(self, unreadable: Callable[[Unreadable], object] | None = None) -> Iterator[Stock]: ...


class Clock(Protocol):
    def now(self) -> datetime: ...

    def sleep(self, seconds: float) -> object: ...


def reconcile(
    store: Tables, clock: Clock, *, grace: timedelta = GRACE, note: Callable[[str], object] = lambda _: None
) -> Reconciliation:
    """Compare all orders with all stock, then recheck suspects until they clear, persist or keep changing."""
    note("Checking every order and SKU ...")
    unreadable: list[Unreadable] = []
    first = find_discrepancies(
        store.scan_orders(unreadable.append), store.scan_stock(unreadable.append), clock.now(), grace
    )
    suspects = {discrepancy.key for discrepancy in first.by_sku}
    confirmed: list[Discrepancy] = []
    by_order = first.by_order
    for _ in range(RECHECKS):
        if not suspects and not by_order:
            break
        note(f"Rechecking {len(suspects)} SKUs and {len({one.key for one in by_order})} orders ...")
        clock.sleep(_PAUSE_SECONDS)
        persistent, suspects = _recheck_skus(store, clock, suspects)
        confirmed += persistent
        by_order = _recheck_orders(store, clock, by_order, grace)
    return replace(
        first,
        by_sku=tuple(confirmed),
        by_order=by_order,
        unreadable=tuple(Discrepancy(Kind.UNREADABLE, row.key, row.why) for row in unreadable),
        moving=tuple(sorted(suspects)),
    )


def gauges(result: Reconciliation, now: datetime) -> dict[str, float]:
    """Return the result and its time as gauges; dashboards show them until the next audit."""
    return {
        Metric.AUDIT_DRIFT: result.drift,
        Metric.AUDIT_OVERDUE: result.count(Kind.OVERDUE),
        Metric.AUDIT_UNCONFIRMED: result.count(Kind.CHARGED) + result.count(Kind.UNREFUNDED),
        Metric.AUDIT_HELD_LONG: result.units_held_long,
        Metric.AUDIT_FINISHED: now.timestamp(),
    }


def _recheck_skus(
    store: Tables, clock: Clock, suspects: Collection[Key]
) -> tuple[list[Discrepancy], set[Key]]:
    """Add up the open orders of some SKUs between two reads; a SKU that changed meanwhile proves nothing."""
    if not suspects:
        return [], set()
    skus = frozenset(suspects)
    before = dict(store.read_stock(skus))
    # Unreadable rows were reported by the first scan.
    open_orders = (order for order in store.scan_orders(lambda _row: None) if _reserves(order, skus))
    recheck = find_discrepancies(open_orders, before.values(), clock.now())
    after = store.read_stock(skus)
    moving = {key for key in skus if before.get(key) != after.get(key)}
    return [discrepancy for discrepancy in recheck.by_sku if discrepancy.key in skus - moving], moving


def _reserves(order: Order, skus: frozenset[Key]) -> bool:
    return order.status is Status.RESERVED and any(
        Key(order.key.tenant_id, line.sku) in skus for line in order.lines
    )


def _recheck_orders(
    store: Tables, clock: Clock, found: Collection[Discrepancy], grace: timedelta
) -> tuple[Discrepancy, ...]:
    orders = store.read_orders({discrepancy.key for discrepancy in found})
    return find_discrepancies(orders.values(), (), clock.now(), grace).by_order

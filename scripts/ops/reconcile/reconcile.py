"""Reconciles the tables of a live system: every suspect is checked several times before it is reported."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from scripts.ops.context import OpsContext
from scripts.ops.reconcile.rules import Discrepancy, Kind, Reconciliation, find_discrepancies
from services.shared.ledger import Key, Order, Status
from services.shared.metric_names import Metric

if TYPE_CHECKING:
    from services.shared.adapters.dynamodb_items import Unreadable

RECHECKS = 4
_PAUSE_SECONDS = 1.0
GRACE = timedelta(minutes=2)
"""An expiry message is delivered late and waits for its batch; until then a reservation is not overdue."""


def reconcile(
    ops: OpsContext, *, grace: timedelta = GRACE, note: Callable[[str], object] = lambda _: None
) -> Reconciliation:
    """Compare all orders with all stock, then recheck suspects until they clear, persist or keep changing."""
    store, clock = ops.store, ops.clock
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
        persistent, suspects = _recheck_skus(ops, suspects)
        confirmed += persistent
        by_order = _recheck_orders(ops, by_order, grace)
    return replace(
        first,
        by_sku=tuple(confirmed),
        by_order=by_order,
        unreadable=tuple(Discrepancy(Kind.UNREADABLE, row.key, row.why) for row in unreadable),
        moving=tuple(sorted(suspects)),
    )


def publish(ops: OpsContext, result: Reconciliation) -> None:
    """Publish the result and its time as gauges; dashboards show them until the next audit."""
    now = ops.clock.now()
    levels: dict[str, float] = {
        Metric.AUDIT_DRIFT: result.drift,
        Metric.AUDIT_OVERDUE: result.count(Kind.OVERDUE),
        Metric.AUDIT_UNCONFIRMED: result.count(Kind.CHARGED),
        Metric.AUDIT_FINISHED: now.timestamp(),
    }
    ops.gauges.publish(levels, now)


def _recheck_skus(ops: OpsContext, suspects: Collection[Key]) -> tuple[list[Discrepancy], set[Key]]:
    """Add up the open orders of some SKUs between two reads; a SKU that changed meanwhile proves nothing."""
    if not suspects:
        return [], set()
    skus = frozenset(suspects)
    before = dict(ops.store.read_stock(skus))
    # Unreadable rows were reported by the first scan.
    open_orders = (order for order in ops.store.scan_orders(lambda _row: None) if _reserves(order, skus))
    recheck = find_discrepancies(open_orders, before.values(), ops.clock.now())
    after = ops.store.read_stock(skus)
    moving = {key for key in skus if before.get(key) != after.get(key)}
    return [discrepancy for discrepancy in recheck.by_sku if discrepancy.key in skus - moving], moving


def _reserves(order: Order, skus: frozenset[Key]) -> bool:
    return order.status is Status.RESERVED and any(
        Key(order.key.tenant_id, line.sku) in skus for line in order.lines
    )


def _recheck_orders(
    ops: OpsContext, found: Collection[Discrepancy], grace: timedelta
) -> tuple[Discrepancy, ...]:
    orders = ops.store.read_orders({discrepancy.key for discrepancy in found})
    return find_discrepancies(orders.values(), (), ops.clock.now(), grace).by_order

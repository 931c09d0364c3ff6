"""The recount of a live system: what looks wrong is looked at again before anybody is told."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import timedelta

from scripts.ops.context import OpsContext
from scripts.ops.reconcile.rules import Finding, Findings, Kind, recount
from services.shared.adapters.dynamodb_items import Unreadable
from services.shared.ledger import Key, Order, Status

LOOKS = 4
_PAUSE_SECONDS = 1.0
GRACE = timedelta(minutes=2)
"""An expiry message is delivered late, and waits for its batch; up to here that is no finding."""


@dataclass(frozen=True, slots=True)
class Report:
    findings: Findings
    moving: tuple[Key, ...]
    """SKUs that changed during every look, so that nothing can be said of them."""


def audit(
    ops: OpsContext, *, grace: timedelta = GRACE, say: Callable[[str], object] = lambda _: None
) -> Report:
    """Recount everything once, and what is suspicious until it is cleared, certain, or never holds still."""
    store, clock = ops.store, ops.clock
    say("Recounting every order and SKU ...")
    spoiled: list[Unreadable] = []
    first = recount(store.scan_orders(spoiled.append), store.scan_stock(spoiled.append), clock.now(), grace)
    suspects = {finding.key for finding in first.by_sku}
    certain: list[Finding] = []
    by_order = first.by_order
    for _ in range(LOOKS):
        if not suspects and not by_order:
            break
        say(f"Looking again at {len(suspects)} SKUs and {len({one.key for one in by_order})} orders ...")
        clock.sleep(_PAUSE_SECONDS)
        still, moving = _look_at_skus(ops, suspects)
        certain += still
        suspects = moving
        by_order = _look_at_orders(ops, by_order, grace)
    unreadable = tuple(Finding(Kind.UNREADABLE, row.key, row.why) for row in spoiled)
    findings = replace(first, by_sku=tuple(certain), by_order=by_order, unreadable=unreadable)
    return Report(findings, tuple(sorted(suspects)))


def publish(ops: OpsContext, report: Report) -> None:
    """Tell the metrics what was found, and when: dashboards show it until the next audit."""
    now, findings = ops.clock.now(), report.findings
    levels = {
        "audit_reserved_drift_units": findings.drift,
        "audit_overdue_reservations": findings.of(Kind.OVERDUE),
        "audit_unconfirmed_charges": findings.of(Kind.CHARGED),
        "audit_finished_timestamp_seconds": now.timestamp(),
    }
    ops.gauges.publish(levels, now)


def _look_at_skus(ops: OpsContext, suspects: Collection[Key]) -> tuple[list[Finding], set[Key]]:
    """Count the open orders of some SKUs between two readings; what changed meanwhile proves nothing."""
    if not suspects:
        return [], set()
    wanted = frozenset(suspects)
    before = dict(ops.store.read_stock(wanted))
    held = (order for order in ops.store.scan_orders(_told_already) if _holds(order, wanted))
    again = recount(held, before.values(), ops.clock.now())
    after = ops.store.read_stock(wanted)
    moving = {key for key in wanted if before.get(key) != after.get(key)}
    return [finding for finding in again.by_sku if finding.key in wanted - moving], moving


def _told_already(_row: Unreadable) -> None:
    """The first look found it, and it is a finding of its own."""


def _holds(order: Order, skus: frozenset[Key]) -> bool:
    return order.status is Status.RESERVED and any(
        Key(order.key.tenant_id, line.sku) in skus for line in order.lines
    )


def _look_at_orders(ops: OpsContext, found: Collection[Finding], grace: timedelta) -> tuple[Finding, ...]:
    orders = ops.store.read_orders({finding.key for finding in found})
    return recount(orders.values(), (), ops.clock.now(), grace).by_order

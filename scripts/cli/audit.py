"""`pulsequeue audit`: checks stock against open orders, and repairs."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.ops.reconcile.repair import RepairResult
    from services.order.consistency import Reconciliation


def register(app: typer.Typer) -> None:
    command(app, examples=("audit", "audit --repair --env prod"))(audit)


def audit(
    session: Session,
    with_repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Have the services release overdue reservations, finish open payments, and refund charges "
            "of orders cancelled in the last day.",
        ),
    ] = False,
    grace: Annotated[
        float,
        typer.Option(
            metavar="N", min=0, help="Seconds a reservation may outlive its expiry before it is a finding."
        ),
    ] = 120.0,
    with_metrics: Annotated[
        bool, typer.Option("--publish/--no-publish", help="Publish the result as metrics.")
    ] = True,
) -> None:
    """Compare every SKU with its open orders, and find inconsistent orders. Exit 1 on a finding."""
    from scripts.ops.reconcile.repair import repair
    from services.order.reconcile import gauges, reconcile

    allowed = timedelta(seconds=grace)
    result = reconcile(session.ops.store, session.ops.clock, grace=allowed, note=session.out.note)
    repaired = repair(session.ops, allowed) if with_repair else None
    session.out.show(_data(result, repaired), *_view(result, repaired))
    if with_metrics:
        now = session.ops.clock.now()
        session.ops.gauges.publish(gauges(result, now), now)
    if found := result.discrepancies:
        raise ToolError(f"{len(found)} findings." if len(found) > 1 else "1 finding.")
    if repaired is not None and repaired.failed:
        raise ToolError(f"{repaired.failed} repairs could not be sent; run the command again.")


def _data(result: "Reconciliation", repaired: "RepairResult | None") -> dict[str, Any]:
    data: dict[str, Any] = {
        "orders": result.orders,
        "open": result.open,
        "skus": result.skus,
        "findings": [
            {"kind": one.kind, "tenantId": one.key.tenant_id, "about": one.key.id, "message": one.message}
            for one in result.discrepancies
        ],
        "moving": [{"tenantId": key.tenant_id, "sku": key.id} for key in result.moving],
    }
    if repaired is not None:
        data["repaired"] = repaired.counts()
    return data


def _view(result: "Reconciliation", repaired: "RepairResult | None") -> list[Table | str]:
    rows = [
        (one.kind, one.key.id if one.key.tenant_id == "default" else one.key.pk, one.message)
        for one in result.discrepancies
    ]
    totals = f"Checked {result.orders} orders ({result.open} open) and {result.skus} SKUs"
    view: list[Table | str] = [f"{totals}." if rows else f"{totals}: everything is consistent."]
    if rows:
        view.append(Table(("finding", "order or SKU", "message"), rows))
    if result.moving:
        names = ", ".join(key.id for key in result.moving[:10])
        view.append(
            f"{len(result.moving)} SKUs changed during every check and were not judged; run again: {names}."
        )
    if repaired is not None:
        view.append(
            f"{repaired.to_release} overdue reservations sent to the expiry function, "
            f"{repaired.to_finish} payments requested again, "
            f"{repaired.to_look_up} unpaid cancelled orders sent to the payment function for a lookup. "
            "Other findings need a person."
        )
    return view

"""`pulsequeue audit`: holds the books against the orders."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.ops.reconcile.reconcile import Report
    from scripts.ops.reconcile.repair import Repaired


def register(app: typer.Typer) -> None:
    command(app)(audit)


def audit(
    session: Session,
    mend: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Have the services release what is past its time, finish what is open, and give back "
            "what was charged for an order called off in the last day.",
        ),
    ] = False,
    grace: Annotated[
        float, typer.Option(min=0, help="Seconds a reservation may outlive its time before it is a finding.")
    ] = 120.0,
    info: Annotated[
        bool, typer.Option("--publish/--no-publish", help="Tell the metrics what was found.")
    ] = True,
) -> None:
    """Recount every SKU against its open orders, and look for impossible orders. Exit 1 on a finding."""
    from scripts.ops.reconcile.reconcile import audit as recount_all
    from scripts.ops.reconcile.reconcile import publish
    from scripts.ops.reconcile.repair import repair

    allowed = timedelta(seconds=grace)
    report = recount_all(session.ops, grace=allowed, say=session.out.note)
    repaired = repair(session.ops, allowed) if mend else None
    session.out.show(_data(report, repaired), *_view(report, repaired))
    if info:
        publish(session.ops, report)
    if found := report.findings.all:
        raise ToolError(f"{len(found)} findings." if len(found) > 1 else "1 finding.")
    if repaired is not None and repaired.failed:
        raise ToolError(f"{repaired.failed} repairs could not be sent off.")


def _data(report: "Report", repaired: "Repaired | None") -> dict[str, Any]:
    findings = report.findings
    data: dict[str, Any] = {
        "orders": findings.orders,
        "open": findings.open,
        "skus": findings.skus,
        "findings": [
            {"kind": one.kind, "tenantId": one.key.tenant_id, "about": one.key.id, "says": one.says}
            for one in findings.all
        ],
        "moving": [{"tenantId": key.tenant_id, "sku": key.id} for key in report.moving],
    }
    if repaired is not None:
        data["repaired"] = {
            "toRelease": repaired.to_release,
            "toFinish": repaired.to_finish,
            "toLookUp": repaired.to_look_up,
            "failed": repaired.failed,
        }
    return data


def _view(report: "Report", repaired: "Repaired | None") -> list[Table | str]:
    findings = report.findings
    rows = [
        (one.kind, one.key.id if one.key.tenant_id == "default" else one.key.pk, one.says)
        for one in findings.all
    ]
    counted = f"{findings.orders} orders ({findings.open} open), {findings.skus} SKUs: "
    view: list[Table | str] = [counted + ("everything agrees." if not rows else "")]
    if rows:
        view.append(Table(("finding", "about", "says"), rows))
    if report.moving:
        names = ", ".join(key.id for key in report.moving[:10])
        view.append(f"{len(report.moving)} SKUs moved at every look and cannot be judged now: {names}.")
    if repaired is not None:
        view.append(
            f"{repaired.to_release} reservations handed to the expiry function, "
            f"{repaired.to_finish} payments asked for again, "
            f"{repaired.to_look_up} orders called off unpaid looked up for a charge. "
            "Other findings need a person."
        )
    return view

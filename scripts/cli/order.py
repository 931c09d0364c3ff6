"""`pulsequeue order`: show, watch, cancel or refund one order."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import DEFAULT_TENANT, Session, Tenant, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from scripts.ops.orders.timeline import OrderTimeline
    from services.shared.ledger import Key, Order

Id = Annotated[str, typer.Argument(metavar="ORDER_ID", help="The order's id.")]
Reason = Annotated[str | None, typer.Option(help="Why, for the record.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is done.")]
Timeout = Annotated[float, typer.Option(metavar="N", min=0, help="Seconds to wait.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Show, watch, cancel or refund an order.", no_args_is_help=True)
    for function in (show, watch, cancel, refund):
        command(group)(function)
    app.add_typer(group, name="order")


def show(
    session: Session,
    order_id: Id,
    brief: Annotated[
        bool, typer.Option("--brief", help="Read the orders table alone: no logs, no dead letters.")
    ] = False,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Show an order: status, items, payment, events, log lines and dead letters."""
    from scripts.ops.orders.order_requests import find, key_of
    from scripts.ops.orders.timeline import load_timeline
    from scripts.ops.presenters import order_view, timeline_view

    order = find(session.ops, key_of(order_id, tenant))
    if brief:
        session.out.show(order_view(order), *_view(order))
        return
    timeline = load_timeline(session.ops, order)
    session.out.show(timeline_view(timeline), *_timeline(timeline))


def watch(
    session: Session, order_id: Id, timeout: Timeout = 1_000.0, tenant: Tenant = DEFAULT_TENANT
) -> None:
    """Watch an order until it is settled."""
    from scripts.ops.orders.order_requests import key_of
    from scripts.ops.orders.tracking import settled

    _track(session, key_of(order_id, tenant), settled, timeout)


def cancel(
    session: Session,
    *,
    order_id: Id,
    reason: Reason = None,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Request the cancellation of an order; a reserved one is released, a confirmed one refunded."""
    from scripts.ops.orders.order_requests import cancelled, key_of, request_cancellation

    key = key_of(order_id, tenant)
    request_cancellation(session.ops, key, reason)
    _requested(session, key, "OrderCancellationRequested", cancelled if wait else None, timeout)


def refund(
    session: Session,
    *,
    order_id: Id,
    restock: Annotated[bool, typer.Option("--restock", help="Return the items to stock.")] = False,
    reason: Reason = None,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Request the refund of a confirmed order."""
    from scripts.ops.orders.order_requests import key_of, refunded, request_refund

    key = key_of(order_id, tenant)
    request_refund(session.ops, key, reason, restock=restock)
    _requested(session, key, "RefundRequested", refunded if wait else None, timeout)


def _requested(
    session: Session, key: "Key", event: str, is_final: "Callable[[Order], bool] | None", timeout: float
) -> None:
    if is_final is not None:
        _track(session, key, is_final, timeout)
        return
    session.out.show({"orderId": key.id, "published": event}, f"{event} published for {key.id}.")


def _track(session: Session, key: "Key", is_final: "Callable[[Order], bool]", timeout: float) -> None:
    from scripts.ops.orders.tracking import track
    from scripts.ops.presenters import order_view

    shown: list[str] = []

    def show_steps(_finished: int, latest: "Iterable[Order]") -> None:
        for order in latest:
            for step in order.history[len(shown) :]:
                shown.append(step.status)
                session.out.note(f"{step.at:%H:%M:%S.%f}"[:-3] + f"  {step.status}")

    tracked = track(
        session.ops, [key], timeout=timedelta(seconds=timeout), is_final=is_final, on_poll=show_steps
    )
    order = tracked.finished.get(key) or tracked.open.get(key)
    if order is None:
        raise ToolError(f"timed out after {timeout:g} s; order {key.id!r} not found.")
    session.out.show(order_view(order), *_view(order))
    if not tracked.all_finished:
        raise ToolError(f"timed out after {timeout:g} s; order {key.id!r} is still {order.status}.")


def _view(order: "Order") -> list[Table | str]:
    return [*_fields_and_items(order), "", _steps(order)]


def _fields_and_items(order: "Order") -> list[Table | str]:
    from scripts.ops.presenters import money

    fields: list[tuple[str, object]] = [
        ("order", order.key.id),
        ("tenant", order.key.tenant_id if order.key.tenant_id != DEFAULT_TENANT else None),
        ("status", order.status if order.reason is None else f"{order.status} ({order.reason})"),
        ("failed SKUs", ", ".join(order.blamed)),
        ("customer", order.customer_id),
        ("amount", money(order.amount_minor, order.currency)),
        ("payment method", order.payment_method),
        ("placed", f"{order.placed_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("reserved until", f"{order.expires_at:%Y-%m-%d %H:%M:%S} UTC" if order.expires_at else None),
    ]
    if payment := order.payment:
        fields += [
            ("charge", payment.charge_id),
            ("declined", payment.declined),
            ("refund", payment.refund_id),
            ("refund reason", payment.refund_reason),
            ("restocked", "yes" if payment.restocked else None),
        ]
    items = [(line.sku, line.quantity, money(line.unit_price_minor, order.currency)) for line in order.lines]
    return [
        "\n".join(f"{name + ':':<16}{value}" for name, value in fields if value),
        "",
        Table(("item", "quantity", "unit price"), items, frozenset({"quantity", "unit price"})),
    ]


def _steps(order: "Order") -> Table:
    rows = [(_time(step.at), step.status, step.event_id) for step in order.history]
    return Table(("at", "status", "event id"), rows)


def _timeline(timeline: "OrderTimeline") -> list[Table | str]:
    rows = [(_time(entry.at), entry.source, entry.name, entry.details) for entry in timeline.entries]
    columns = ("at", "source", "event", "event id or details")
    view = [*_fields_and_items(timeline.order), "", Table(columns, rows)]
    if timeline.traces:
        view += ["", f"traces: {', '.join(timeline.traces)}"]
    if timeline.dlq_messages:
        dlq_messages = [
            f"{dead_letter.function} {dead_letter.message_id}" for dead_letter in timeline.dlq_messages
        ]
        view += ["", "dead letters (`pulsequeue dlq show`): " + ", ".join(dlq_messages)]
    return view


def _time(at: "datetime") -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3]

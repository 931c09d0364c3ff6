"""`pulsequeue order`: list orders; show, watch, cancel or refund one."""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import DEFAULT_TENANT, Session, Tenant, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from scripts.ops.orders.timeline import OrderTimeline
    from services.shared.adapters.dynamodb_items import Unreadable
    from services.shared.ledger import Key, Order, Refund

Id = Annotated[str, typer.Argument(metavar="ORDER_ID", help="The order's id.")]
Reason = Annotated[str | None, typer.Option(metavar="TEXT", help="Why, for the record.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is done.")]
_APPEARS_SECONDS = 10.0
"""An order that the logs know is on its way, or was refused."""
_UNKNOWN_SECONDS = 3.0
"""An order that nothing knows may have been published just now."""

Timeout = Annotated[float, typer.Option(metavar="N", min=0, help="Seconds to wait.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="List, show, watch, cancel or refund orders.", no_args_is_help=True)
    command(group, examples=("order ls --status RESERVED --from 1h", "order ls --customer c-1 --json"))(ls)
    command(group, examples=("order show order-1", "order show order-1 --brief --env prod"))(show)
    command(group, examples=("order watch order-1 --timeout 60",))(watch)
    command(group, examples=("order cancel order-1 --reason 'ordered twice' --wait",))(cancel)
    command(
        group,
        examples=("order refund order-1 --restock --wait", "order refund order-1 --amount-minor 500"),
    )(refund)
    app.add_typer(group, name="order")


def ls(
    session: Session,
    *,
    status: Annotated[
        list[str] | None,
        typer.Option("--status", metavar="STATUS", help="Only with this status; repeatable."),
    ] = None,
    customer: Annotated[str | None, typer.Option(metavar="ID", help="Only of this customer.")] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Placed since: 2026-01-31T12:00:00Z, or 2h (ago)."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Placed until, in the same form.")
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=10_000, help="Maximum number of orders.")
    ] = 20,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """List the newest orders that match all filters.

    It reads the whole orders table, and so works in every environment; for a table of millions of orders use
    the analytics API instead.
    """
    from scripts.common.times import ago, parse_time
    from scripts.ops.orders.listing import OrderFilter, newest, status_of
    from scripts.ops.presenters import money, order_view

    now = session.ops.clock.now()
    selected = OrderFilter(
        tenant,
        frozenset(map(status_of, status or ())),
        customer,
        parse_time(since, now) if since else None,
        parse_time(until, now) if until else None,
    )
    unreadable: list[Unreadable] = []
    orders, matching = newest(session.ops, selected, limit, unreadable.append)
    rows = [
        (
            order.key.id,
            order.status,
            order.reason,
            ago(order.placed_at, now),
            money(order.amount_minor, order.currency),
            order.customer_id,
            f"{order.placed_at:%Y-%m-%d %H:%M:%S}",
        )
        for order in orders
    ]
    columns = ("order", "status", "reason", "age", "amount", "customer", "placed (UTC)")
    session.out.show(
        [order_view(order) for order in orders],
        Table(
            columns,
            rows,
            frozenset({"age", "amount"}),
            empty=f"no such orders in {session.ops.env}",
            dispensable=("placed (UTC)", "customer", "amount", "reason"),
        ),
    )
    if matching > len(orders):
        session.out.note(f"The newest {len(orders)} of {matching} orders; show more with --limit.")
    if unreadable:
        names = ", ".join(row.key.pk for row in unreadable)
        raise ToolError(f"cannot read these rows: {names}; `pulsequeue audit` shows why.")


def show(
    session: Session,
    order_id: Id,
    brief: Annotated[
        bool, typer.Option("--brief", help="Read the orders table alone: no logs, no dead letters.")
    ] = False,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Show an order: status, items, payment, events, log lines and dead letters.

    An order that is not in the orders table is looked for in the logs and the dead-letter queues.
    """
    from scripts.ops.orders.order_requests import find, find_or_none, key_of, not_found
    from scripts.ops.orders.timeline import load_timeline
    from scripts.ops.presenters import order_view, timeline_view

    key = key_of(order_id, tenant)
    if brief:
        order = find(session.ops, key)
        session.out.show(order_view(order), *_view(order))
        return
    timeline = load_timeline(session.ops, key, find_or_none(session.ops, key))
    if timeline.order is None and not timeline.entries:
        raise not_found(session.ops, key)
    session.out.show(timeline_view(timeline), *_timeline(timeline))


def watch(
    session: Session, order_id: Id, timeout: Timeout = 1_000.0, tenant: Tenant = DEFAULT_TENANT
) -> None:
    """Watch an order until it is settled; an unknown one for a few seconds only."""
    from scripts.ops.orders.order_requests import key_of
    from scripts.ops.orders.tracking import settled

    key = key_of(order_id, tenant)
    _require_known(session, key, timeout)
    _track(session, key, settled, timeout)


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
    amount_minor: Annotated[
        int | None,
        typer.Option(
            "--amount-minor",
            metavar="CENTS",
            min=1,
            help="Give back only so much, in minor units such as cents; without it, all that is left.",
        ),
    ] = None,
    restock: Annotated[bool, typer.Option("--restock", help="Return the items to stock.")] = False,
    reason: Reason = None,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Request the refund of a confirmed order, or of a part of what was paid for it."""
    from scripts.ops.orders.order_requests import key_of, refunded, request_refund

    key = key_of(order_id, tenant)
    request_id = request_refund(session.ops, key, reason, amount_minor=amount_minor, restock=restock)
    is_final = partial(refunded, request_id=request_id) if wait else None
    _requested(session, key, "RefundRequested", is_final, timeout)


def _requested(
    session: Session, key: "Key", event: str, is_final: "Callable[[Order], bool] | None", timeout: float
) -> None:
    if is_final is not None:
        _track(session, key, is_final, timeout)
        return
    session.out.show({"orderId": key.id, "published": event}, f"{event} published for {key.id}.")


def _require_known(session: Session, key: "Key", timeout: float) -> None:
    """Give an order that was just published a moment to arrive, and say so; a dead letter will not arrive."""
    from scripts.ops.orders.order_requests import find_or_none
    from scripts.ops.orders.timeline import load_timeline
    from scripts.ops.orders.tracking import wait_until_known

    if find_or_none(session.ops, key) is not None:
        return
    where = f"the environment {session.ops.env}"
    session.out.note(f"Order {key.id!r} is not in {where} yet; looking in logs and dead-letter queues ...")
    found = load_timeline(session.ops, key, None)
    if found.dlq_messages and find_or_none(session.ops, key) is None:
        functions = ", ".join(dict.fromkeys(message.function for message in found.dlq_messages))
        raise ToolError(
            f"order {key.id!r} is only in the dead-letter queue of {functions}; "
            f"see `pulsequeue order show {key.id}`."
        )
    wait = min(timeout, _APPEARS_SECONDS if found.log_entries else _UNKNOWN_SECONDS)
    if not wait_until_known(session.ops, key, timedelta(seconds=wait)):
        see = (
            f"; see `pulsequeue order show {key.id}`" if found.log_entries else ", its logs and dead letters"
        )
        raise ToolError(f"order {key.id!r} not found in {where}{see}.")


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
            ("refunded", money(payment.refunded_minor, order.currency) if payment.refunds else None),
            *(("refund", _refund_line(refund, order)) for refund in payment.refunds),
            ("restocked", "yes" if payment.restocked else None),
        ]
    items = [(line.sku, line.quantity, money(line.unit_price_minor, order.currency)) for line in order.lines]
    return [
        "\n".join(f"{name + ':':<16}{value}" for name, value in fields if value),
        "",
        Table(("item", "quantity", "unit price"), items, frozenset({"quantity", "unit price"})),
    ]


def _refund_line(refund: "Refund", order: "Order") -> str:
    from scripts.ops.presenters import money

    made = refund.id or "not made yet"
    return " · ".join(filter(None, (made, money(refund.amount_minor, order.currency), refund.reason)))


def _steps(order: "Order") -> Table:
    at, times = _times([step.at for step in order.history])
    rows = [(time, step.status, step.event_id) for time, step in zip(times, order.history, strict=True)]
    return Table((at, "status", "event id"), rows)


def _timeline(timeline: "OrderTimeline") -> list[Table | str]:
    entries = timeline.entries
    at, times = _times([entry.at for entry in entries])
    rows = [
        (time, entry.source, entry.name, entry.details, entry.event_id)
        for time, entry in zip(times, entries, strict=True)
    ]
    columns = (at, "source", "event", "details", "event id")
    order = timeline.order
    head: list[Table | str] = (
        _fields_and_items(order)
        if order
        else [f"Order {timeline.key.id} is not in the orders table. Logs and dead letters mention it:"]
    )
    view = [*head, "", Table(columns, rows, dispensable=("event id",))]
    if timeline.traces:
        view += ["", f"traces: {', '.join(timeline.traces)}"]
    if timeline.dlq_messages:
        dlq_messages = [
            f"{dead_letter.function} {dead_letter.message_id}" for dead_letter in timeline.dlq_messages
        ]
        view += ["", "dead letters (`pulsequeue dlq show`): " + ", ".join(dlq_messages)]
    return view


def _times(all_at: "Sequence[datetime]") -> tuple[str, list[str]]:
    """Return the column's name and its cells: times of one day need the date only once."""
    days = {at.date() for at in all_at}
    name, form = (f"{days.pop()}", "%H:%M:%S.%f") if len(days) == 1 else ("at", "%Y-%m-%d %H:%M:%S.%f")
    return name, [f"{at:{form}}"[:-3] for at in all_at]

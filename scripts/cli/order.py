"""`pulsequeue order`: one order, looked at, watched, called off or paid back."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import DEFAULT_TENANT, Session, Tenant, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from scripts.ops.orders.timeline import Story
    from services.shared.ledger import Key, Order

Id = Annotated[str, typer.Argument(metavar="ORDER_ID")]
Reason = Annotated[str | None, typer.Option(help="Why, for the record.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is done.")]
Timeout = Annotated[float, typer.Option(min=0, help="Seconds to wait at most.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Look at an order, or ask for its cancellation or refund.", no_args_is_help=True)
    for function in (show, watch, cancel, refund):
        command(group)(function)
    app.add_typer(group, name="order")


def show(
    session: Session,
    order_id: Id,
    brief: Annotated[
        bool, typer.Option("--brief", help="Only what the books say: no logs, no dead letters.")
    ] = False,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Show all that is known of an order: status, items, payment, events, logs, dead letters."""
    from scripts.ops.orders.order_requests import find, key_of
    from scripts.ops.orders.timeline import gather
    from scripts.ops.presenters import order_view, story_view

    order = find(session.ops, key_of(order_id, tenant))
    if brief:
        session.out.show(order_view(order), *_view(order))
        return
    story = gather(session.ops, order)
    session.out.show(story_view(story), *_story(story))


def watch(
    session: Session, order_id: Id, timeout: Timeout = 1_000.0, tenant: Tenant = DEFAULT_TENANT
) -> None:
    """Follow an order until it has come to its end."""
    from scripts.ops.orders.order_requests import key_of
    from scripts.ops.orders.tracking import settled

    _follow(session, key_of(order_id, tenant), settled, timeout)


def cancel(
    session: Session,
    *,
    order_id: Id,
    reason: Reason = None,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Ask for an order to be called off: released while it is reserved, refunded once it is paid."""
    from scripts.ops.orders.order_requests import cancelled, key_of, request_cancellation

    key = key_of(order_id, tenant)
    request_cancellation(session.ops, key, reason)
    _asked(session, key, "OrderCancellationRequested", cancelled if wait else None, timeout)


def refund(
    session: Session,
    *,
    order_id: Id,
    restock: Annotated[bool, typer.Option("--restock", help="The goods are back on the shelf.")] = False,
    reason: Reason = None,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Ask for a confirmed order's money to be given back."""
    from scripts.ops.orders.order_requests import key_of, refunded, request_refund

    key = key_of(order_id, tenant)
    request_refund(session.ops, key, reason, restock=restock)
    _asked(session, key, "RefundRequested", refunded if wait else None, timeout)


def _asked(
    session: Session, key: "Key", event: str, ended: "Callable[[Order], bool] | None", timeout: float
) -> None:
    if ended is not None:
        _follow(session, key, ended, timeout)
        return
    session.out.show({"orderId": key.id, "published": event}, f"{event} published for {key.id}.")


def _follow(session: Session, key: "Key", ended: "Callable[[Order], bool]", timeout: float) -> None:
    from scripts.ops.orders.tracking import follow
    from scripts.ops.presenters import order_view

    told: list[str] = []

    def info(_ended: int, latest: "Iterable[Order]") -> None:
        for order in latest:
            for step in order.history[len(told) :]:
                told.append(step.status)
                session.out.note(f"{step.at:%H:%M:%S.%f}"[:-3] + f"  {step.status}")

    followed = follow(session.ops, [key], timeout=timedelta(seconds=timeout), ended=ended, seen=info)
    order = followed.ended.get(key) or followed.open.get(key)
    if order is None:
        raise ToolError(f"no order {key.id!r} was seen in {timeout:g} seconds.")
    session.out.show(order_view(order), *_view(order))
    if not followed.all_ended:
        raise ToolError(f"order {key.id!r} is still {order.status} after {timeout:g} seconds.")


def _view(order: "Order") -> list[Table | str]:
    return [*_facts_and_items(order), "", _steps(order)]


def _facts_and_items(order: "Order") -> list[Table | str]:
    from scripts.ops.presenters import money

    event_fields: list[tuple[str, object]] = [
        ("order", order.key.id),
        ("tenant", order.key.tenant_id if order.key.tenant_id != DEFAULT_TENANT else None),
        ("status", order.status if order.reason is None else f"{order.status} ({order.reason})"),
        ("SKUs at fault", ", ".join(order.blamed)),
        ("customer", order.customer_id),
        ("amount", money(order.amount_minor, order.currency)),
        ("payment method", order.payment_method),
        ("placed", f"{order.placed_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("held until", f"{order.expires_at:%Y-%m-%d %H:%M:%S} UTC" if order.expires_at else None),
    ]
    if payment := order.payment:
        event_fields += [
            ("charge", payment.charge_id),
            ("declined", payment.declined),
            ("refund", payment.refund_id),
            ("refunded for", payment.refund_reason),
            ("restocked", "yes" if payment.restocked else None),
        ]
    items = [(line.sku, line.quantity, money(line.unit_price_minor, order.currency)) for line in order.lines]
    return [
        "\n".join(f"{name + ':':<16}{value}" for name, value in event_fields if value),
        "",
        Table(("item", "quantity", "unit price"), items, frozenset({"quantity", "unit price"})),
    ]


def _steps(order: "Order") -> Table:
    rows = [(_time(step.at), step.status, step.event_id) for step in order.history]
    return Table(("at", "became", "because of event"), rows)


def _story(story: "Story") -> list[Table | str]:
    rows = [(_time(moment.at), moment.where, moment.what, moment.about) for moment in story.timeline]
    columns = ("at", "where", "what", "event id, or what it says")
    view = [*_facts_and_items(story.order), "", Table(columns, rows)]
    if story.traces:
        view += ["", f"traces: {', '.join(story.traces)}"]
    if story.letters:
        letters = [f"{dead_letter.function} {dead_letter.message_id}" for dead_letter in story.letters]
        view += ["", "dead letters (`pulsequeue dlq show`): " + ", ".join(letters)]
    return view


def _time(at: "datetime") -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3]

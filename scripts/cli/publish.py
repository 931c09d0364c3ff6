"""`pulsequeue publish`: orders from flags, from a file, or by the thousand."""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import DEFAULT_TENANT, Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.ops.orders.load_generator import Sent
    from scripts.ops.orders.order_input import Draft
    from scripts.ops.orders.tracking import Followed
    from services.shared.ledger import Key, Order

_USAGE = 2
_MANY = 50
"""More orders than this are summed up rather than listed."""


def register(app: typer.Typer) -> None:
    command(app)(publish)


def publish(
    session: Session,
    *,
    file: Annotated[
        str | None,
        typer.Argument(help="JSON: an order, a list of orders, or named scenarios; - is standard input."),
    ] = None,
    order_id: Annotated[str | None, typer.Option(help="Made up when not given.")] = None,
    customer_id: Annotated[str, typer.Option()] = "cli-customer",
    item: Annotated[
        list[str] | None, typer.Option(metavar="SKU=QUANTITY", help="What is ordered; may be repeated.")
    ] = None,
    tenant: Annotated[str | None, typer.Option()] = None,
    region: Annotated[str | None, typer.Option()] = None,
    channel: Annotated[str | None, typer.Option()] = None,
    payment_method: Annotated[
        str | None, typer.Option(help="sim_ok, sim_declined, sim_insufficient_funds, ...")
    ] = None,
    scenario: Annotated[str | None, typer.Option(help="Only this one of a file's named scenarios.")] = None,
    count: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Publish so many orders of one item each.")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(min=0.01, max=10_000, help="Orders a second; as fast as possible if not set."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the orders to their end.")] = False,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds to follow them at most.")] = 60.0,
    no_validate: Annotated[
        bool, typer.Option("--no-validate", help="Send as it is, right or wrong.")
    ] = False,
) -> None:
    """Publish orders. Give a FILE, or --item for one order, or --count for many."""
    optional = {
        "tenantId": tenant,
        "region": region,
        "channel": channel,
        "paymentMethod": payment_method,
    }
    flags = {name: value for name, value in optional.items() if value is not None}
    orders: Iterable[Draft]
    validate = not no_validate
    if file is not None:
        _only_with_a_file(order_id=order_id, item=item, count=count, **flags)
        drafts = _from_file(session, file, scenario)
        orders, total = _checked(session, drafts, validate=validate), len(drafts)
    elif scenario is not None:
        raise ToolError("--scenario chooses from a FILE, and none was given.", exit_code=_USAGE)
    elif count is not None:
        if order_id is not None:
            raise ToolError("--count makes up its own order ids; drop --order-id.", exit_code=_USAGE)
        rest = {"customerId": customer_id, **flags}
        orders, total = _load(session, count, item or (), rest, validate=validate), count
    else:
        drafts = _from_flags(order_id, customer_id, item or (), flags)
        orders, total = _checked(session, drafts, validate=validate), len(drafts)
    sent = _send(session, orders, total, rate, keep=None if wait else _MANY)
    followed = _follow(session, sent.keys, timeout) if wait else None
    _report(session, sent, followed)


def _only_with_a_file(**given: object) -> None:
    names = {"tenantId": "tenant", "paymentMethod": "payment-method"}
    odd = [f"--{names.get(name, name).replace('_', '-')}" for name, value in given.items() if value]
    if odd:
        raise ToolError(f"the FILE says what is ordered; drop {', '.join(odd)}.", exit_code=_USAGE)


def _from_file(session: Session, file: str, scenario: str | None) -> "list[Draft]":
    from scripts.common.json_input import read_json
    from scripts.ops.orders.order_input import drafts

    return drafts(read_json(file, stdin=session.stdin), scenario)


def _checked(session: Session, orders: "list[Draft]", *, validate: bool) -> "list[Draft]":
    from scripts.ops.orders.order_input import check

    if validate:
        check(orders, session.ops.clock.now())
    return orders


def _from_flags(
    order_id: str | None, customer_id: str, items: Sequence[str], flags: dict[str, str]
) -> "list[Draft]":
    from scripts.ops.orders.order_input import Draft, items_of, order_detail

    if not items:
        raise ToolError("say what is ordered: --item sku=quantity, a FILE, or --count.", exit_code=_USAGE)
    return [Draft("the order", order_detail(order_id, customer_id, items_of(items), flags))]


def _load(
    session: Session, count: int, items: Sequence[str], rest: dict[str, str], *, validate: bool
) -> "Iterator[Draft]":
    """Make up the orders as they are sent; a million of them are never held at once."""
    from itertools import islice

    from scripts.ops.orders.load_generator import load_drafts
    from scripts.ops.orders.order_input import items_of

    chosen: list[dict[str, Any]] = items_of(items)
    if not chosen:
        tenant = rest.get("tenantId", DEFAULT_TENANT)
        skus = sorted(
            stock.key.id for stock in session.ops.store.scan_stock() if stock.key.tenant_id == tenant
        )
        chosen = [{"sku": sku, "quantity": 1} for sku in skus]
    if not chosen:
        raise ToolError("the inventory is empty; `pulsequeue inventory seed` fills it, or give --item.")
    run = f"load-{int(time.time()):x}"
    # After one round of the items, nothing but the order id is new.
    _checked(session, list(islice(load_drafts(run, count, chosen, rest), len(chosen))), validate=validate)
    return load_drafts(run, count, chosen, rest)


def _send(
    session: Session, orders: "Iterable[Draft]", total: int, rate: float | None, *, keep: int | None
) -> "Sent":
    from scripts.ops.orders.load_generator import send

    with session.out.progress("Publishing", total) as advance:
        return send(
            session.ops.bus, iter(orders), rate=rate, clock=session.ops.clock, keep=keep, sent=advance
        )


def _follow(session: Session, keys: "Sequence[Key]", timeout: float) -> "Followed":
    from scripts.ops.orders.tracking import follow

    with session.out.progress("Settled", len(keys)) as advance:
        return follow(
            session.ops,
            keys,
            timeout=timedelta(seconds=timeout),
            seen=lambda ended, _latest: advance(ended),
        )


def _report(session: Session, sent: "Sent", followed: "Followed | None") -> None:
    published = [key.id for key in sent.keys]
    data: dict[str, Any] = {"published": sent.published, "unpublished": [key.id for key in sent.unpublished]}
    view: list[Table | str] = []
    if followed is None:
        if sent.published <= _MANY:
            data["orderIds"] = published
            view += published
        else:
            last = sent.last.id if sent.last else ""
            view.append(f"{sent.published} orders published, {published[0]} to {last}.")
    elif sent.published <= _MANY:
        orders = {**followed.ended, **followed.open}
        _list_orders(orders, data, view)
    else:
        _sum_up(followed, data, view)
    session.out.show(data, *view)
    problems = []
    if sent.unpublished:
        problems.append(f"the bus did not take {len(sent.unpublished)} of the orders")
    if followed is not None and not followed.all_ended:
        problems.append(f"{len(followed.open)} of the orders had not come to their end in time")
    if problems:
        raise ToolError(" and ".join(problems) + ".")


def _list_orders(orders: "dict[Key, Order | None]", data: dict[str, Any], view: list[Table | str]) -> None:
    from scripts.ops.presenters import money, order_view

    data["orders"] = [
        order_view(order) if order else {"orderId": key.id, "status": None} for key, order in orders.items()
    ]
    rows = [
        (key.id, order.status, order.reason, money(order.amount_minor, order.currency))
        if order
        else (key.id, "not seen", "", "")
        for key, order in orders.items()
    ]
    view.append(Table(("order", "status", "reason", "amount"), rows, frozenset({"amount"})))


def _sum_up(followed: "Followed", data: dict[str, Any], view: list[Table | str]) -> None:
    from scripts.ops.orders.tracking import summarize

    summary = summarize(followed)
    data |= {
        "statuses": summary.statuses,
        "seconds": summary.seconds,
        "ordersPerSecond": round(summary.per_second, 1) if summary.per_second else None,
    }
    view.append(Table(("status", "orders"), list(summary.statuses.items()), frozenset({"orders"})))
    if summary.per_second:
        view.append(
            f"{len(followed.ended)} orders in {summary.seconds:.1f} s, from the first placed to the last "
            f"settled: {summary.per_second:.1f} a second."
        )

"""`pulsequeue demo`: a trickle of orders, so that the console has something to show."""

from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.inventory import CATALOGUE
from scripts.cli.session import DEFAULT_TENANT, Limits, Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.ops.orders.load_generator import SendResult


def register(app: typer.Typer) -> None:
    examples = ("demo", "demo --minutes 60 --rate 2")
    command(app, examples=examples, limits=Limits(local_only=True))(demo)


def demo(
    session: Session,
    *,
    minutes: Annotated[
        float, typer.Option(metavar="N", min=0.1, max=1_440, help="Stop after this time.")
    ] = 10.0,
    rate: Annotated[float, typer.Option(metavar="N", min=0.01, max=20, help="Orders per second.")] = 0.5,
) -> None:
    """Place orders of the sample catalogue, a few at a time, until the time is over or Ctrl-C.

    Most are paid; some are declined, or refused because a product is sold out. Products that are missing are
    added first.
    """
    import time
    from random import SystemRandom

    from scripts.common.json_input import read_json
    from scripts.ops import inventory
    from scripts.ops.orders.demo_orders import demo_orders
    from scripts.ops.orders.load_generator import send

    products = inventory.products(read_json(str(CATALOGUE)), CATALOGUE.name)
    inventory.seed(session.ops, products, DEFAULT_TENANT)
    count = max(1, round(minutes * 60 * rate))
    run = f"demo-{int(time.time()):x}"
    session.out.note(f"Placing {count} orders in {minutes:g} min, {rate:g} per second; Ctrl-C stops it.")
    orders = demo_orders(run, count, products, SystemRandom())
    with session.out.progress("Placed", count) as advance:
        sent = send(session.ops.bus, orders, rate=rate, clock=session.ops.clock, keep=0, on_sent=advance)
    _report(session, sent)


def _report(session: Session, sent: "SendResult") -> None:
    from scripts.cli.failures import explain

    ended = "Stopped" if sent.interrupted else "Done"
    session.out.show(
        {"placed": sent.published, "refused": len(sent.unpublished), "interrupted": sent.interrupted},
        f"{ended}: {sent.published} orders were placed.",
    )
    if sent.failure is not None:
        raise ToolError(f"{explain(sent.failure).rstrip('.')}. Run it again to go on.")
    if sent.unpublished:
        raise ToolError(
            f"the bus refused some orders ({len(sent.unpublished)}); see `pulsequeue status`, "
            "then run it again."
        )

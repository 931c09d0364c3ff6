"""`pulsequeue metrics`: the metrics as Prometheus scrapes them."""

from typing import Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command


def register(app: typer.Typer) -> None:
    command(app, examples=("metrics orders", "metrics --raw --env prod"))(metrics)


def metrics(
    session: Session,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Only metrics with this text in their name.")
    ] = "",
    zeros: Annotated[bool, typer.Option(help="Show samples with the value zero as well.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Print the page as it is served.")] = False,
) -> None:
    """Scrape /metrics once and show its samples."""
    from scripts.environment.environment import open_environment
    from scripts.ops.metrics_page import address, fetch, samples

    page = fetch(address(open_environment(session.env)))
    if raw:
        print(page, end="")
        return
    found = [sample for sample in samples(page, name) if sample.value or zeros]
    data = [{"name": it.name, "labels": it.labels, "value": it.value} for it in found]
    rows = [
        (it.name, " ".join(f"{label}={value}" for label, value in it.labels.items()), f"{it.value:.15g}")
        for it in found
    ]
    empty = "no metrics yet" if not name else f"no metric with {name!r} in its name"
    session.out.show(data, Table(("metric", "labels", "value"), rows, frozenset({"value"}), empty))

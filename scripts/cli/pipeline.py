"""`pulsequeue pipeline`: sales by region and product, kept by a job, beside the answer of this moment."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from scripts.cli.output import Table
from scripts.cli.session import DEFAULT_TENANT, Limits, Session, Tenant, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from services.warehouse.sales import Dimension, Pipeline, PipelineRow

_USAGE: Final = 2


def register(app: typer.Typer) -> None:
    limits = Limits(local_only=True)
    group = typer.Typer(help="Sales by region and product: a snapshot, and live.", no_args_is_help=True)
    command(group, "import", examples=("pipeline import fct_sales.csv --currency USD",), limits=limits)(
        import_file
    )
    command(group, examples=("pipeline refresh",), limits=limits)(refresh)
    command(group, examples=("pipeline show", "pipeline show --by product --json"), limits=limits)(show)
    command(group, examples=("pipeline live",), limits=limits)(live)
    app.add_typer(group, name="pipeline")


def import_file(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with the columns of FCT_SALES.")],
    *,
    currency: Annotated[str, typer.Option(metavar="CODE", help="Currency of the amounts.")] = "USD",
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Put sales of a file into the warehouse.

    Its columns: sale_id, product, region, amount, stage, customer_name, sale_date, status. A sale whose id is
    there is replaced. A file with a row that does not fit is not imported at all.
    """
    from scripts.cli.warehouse import explained
    from scripts.local import warehouse
    from services.warehouse.sales import import_sales, read_sales

    try:
        with explained():
            sales = read_sales(file, tenant, currency.upper())
    except OSError as error:
        raise ToolError(f"{file}: {error.strerror}.", exit_code=_USAGE) from error
    with explained(), warehouse.writer() as opened:
        import_sales(opened.run, sales)
    session.out.show({"sales": len(sales)}, f"{len(sales):,} sales are in the warehouse.")


def refresh(session: Session, *, tenant: Tenant = DEFAULT_TENANT) -> None:
    """Add up all sales by region and by product, and keep the result."""
    from scripts.cli.warehouse import explained
    from scripts.local import warehouse
    from services.warehouse import sales

    with explained(), warehouse.reader() as reader:
        made = sales.refresh(
            lambda statement: reader.query(statement).rows,
            warehouse.place().store,
            tenant,
            session.ops.clock.now(),
        )
    session.out.show([it.model_dump(mode="json") for it in made], *_view(made[0]))


def show(
    session: Session,
    *,
    by: Annotated[str, typer.Option(metavar="WHAT", help="region or product.")] = "region",
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Show the snapshot, and when it was made."""
    from scripts.cli.warehouse import explained
    from scripts.local import warehouse
    from services.warehouse import sales

    with explained():
        found = sales.current(warehouse.place().store, tenant, _dimension(by))
    session.out.show(found.model_dump(mode="json"), *_view(found))


def live(session: Session, *, tenant: Tenant = DEFAULT_TENANT) -> None:
    """Ask the warehouse for the sales of the last 30 days, now."""
    from scripts.cli.warehouse import explained
    from scripts.local import warehouse
    from services.warehouse import sales

    now = session.ops.clock.now()
    with explained(), warehouse.reader() as reader:
        rows = sales.last_month(
            lambda statement: reader.query(statement).rows,
            tenant,
            now,
        )
    data = {"asOf": now.isoformat(), "rows": [it.model_dump(mode="json") for it in rows]}
    session.out.show(data, _table("region", rows), "", f"As of {now:%Y-%m-%d %H:%M} UTC, live.")


def _dimension(text: str) -> "Dimension":
    if text == "region":
        return "region"
    if text == "product":
        return "product"
    raise ToolError(f"--by {text}: give region or product.", exit_code=_USAGE)


def _view(pipeline: "Pipeline") -> Sequence[Table | str]:
    made = f"As of {pipeline.as_of:%Y-%m-%d %H:%M} UTC; `pulsequeue pipeline refresh` makes the next."
    return _table(pipeline.by, pipeline.rows), "", made


def _table(by: str, rows: "Sequence[PipelineRow]") -> Table:
    columns = (by, "sales", "amount_minor", "currency")
    numbers = frozenset({"sales", "amount_minor"})
    return Table(
        columns,
        [(it.name, it.sales, it.amount_minor, it.currency) for it in rows],
        numbers,
        empty="No sales.",
    )

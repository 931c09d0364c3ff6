"""`pulsequeue db`: the analytics database: migrations, rebuild, demo data and currencies."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import DEFAULT_TENANT, Limits, Session, Tenant, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.environment.environment import Environment

Yes = Annotated[bool, typer.Option("--yes", help="Rebuild; without this, only show what would be done.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Manage the analytics database.", no_args_is_help=True)
    command(group, examples=("db migrate --env prod",))(migrate)
    command(group, examples=("db contract --env prod",))(contract)
    command(group, examples=("db status",))(status)
    command(group, examples=("db rebuild", "db rebuild --yes --env prod"))(rebuild)
    command(group, examples=("db seed --orders 50000 --months 36",), limits=Limits(local_only=True))(seed)
    command(group, examples=("db currency EUR",))(currency)
    command(group, examples=("db rate GBP 1.17 --from 2026-01-31",))(rate)
    app.add_typer(group, name="db")


def migrate(session: Session) -> None:
    """Apply pending migrations; safe to repeat and to run concurrently."""
    from scripts.environment.migrator_client import invoke_migrator

    applied = invoke_migrator(_environment(session), {"action": "migrate"})["applied"]
    names = ", ".join(_named(it) for it in applied)
    session.out.show(
        {"applied": applied}, f"Applied {names}." if applied else "All migrations are applied already."
    )


def contract(session: Session) -> None:
    """Apply the migrations that remove what only earlier releases use; verify the release first."""
    from scripts.environment.migrator_client import invoke_migrator

    applied = invoke_migrator(_environment(session), {"action": "contract"})["applied"]
    names = ", ".join(_named(it) for it in applied)
    session.out.show({"applied": applied}, f"Applied {names}." if applied else "Nothing is left to remove.")


def status(session: Session) -> None:
    """Show the migrations, and the number of events of each tenant."""
    from scripts.environment.migrator_client import invoke_migrator

    found = invoke_migrator(_environment(session), {"action": "status"})
    migrations = [(_named(it), it["state"], it["applied_at"]) for it in found["migrations"]]
    tenants = [(it["tenantId"], it["currency"], it["events"], it["lastEventAt"]) for it in found["tenants"]]
    session.out.show(
        found,
        Table(("migration", "state", "applied at"), migrations),
        "",
        Table(
            ("tenant", "currency", "events", "last event at"),
            tenants,
            frozenset({"events"}),
            empty="no events yet",
        ),
    )


def rebuild(
    session: Session,
    yes: Yes = False,
    lossy: Annotated[
        bool, typer.Option("--lossy", help="Accept losing events that are not in the archive.")
    ] = False,
    currency: Annotated[
        list[str] | None,
        typer.Option(metavar="TENANT=CODE", help="Change a tenant's reporting currency; repeatable."),
    ] = None,
) -> None:
    """Empty the event-derived tables and replay the archive into them."""
    from scripts.ops.replay import rebuild

    currencies = dict(_tenant_currency(it) for it in currency or ())

    ops, environment = session.ops, _environment(session)
    coverage = rebuild.coverage(ops, environment)
    if not yes:
        session.out.show(
            coverage.counts(),
            f"The archive has {_count(coverage.archived)} events, the database {coverage.recorded}.",
        )
        session.out.note("Nothing changed; repeat with --yes to empty the tables and replay the archive.")
        return
    with session.out.progress("Replayed", coverage.archived) as advance:
        plan = rebuild.Rebuild(coverage, lossy, currencies)
        result = rebuild.rebuild(ops, environment, plan, lambda it: advance(it.replayed.total()))
    session.out.show(
        {
            **coverage.counts(),
            "replay": result.name,
            "state": result.progress.state,
            "sent": dict(result.sent),
        },
        f"{result.sent.total()} events sent to the projector; `pulsequeue db status` shows the progress.",
        *([f"{coverage.imported} events of imports were read again."] if coverage.imported else []),
    )
    if not environment.is_local:
        session.out.note(
            "Events reach the archive some minutes late; in 15 minutes, replay the newest ones again: "
            "`pulsequeue replay --from 45m --consumer projector --yes`."
        )


def seed(
    session: Session,
    *,
    orders: Annotated[int, typer.Option(metavar="N", min=1, help="Number of orders.")] = 10_000,
    customers: Annotated[int, typer.Option(metavar="N", min=1, help="Number of customers.")] = 1_000,
    months: Annotated[
        int, typer.Option(metavar="N", min=1, max=120, help="Number of months, up to --until.")
    ] = 24,
    number: Annotated[
        int,
        typer.Option("--seed", metavar="N", help="Random seed; the same seed gives the same data."),
    ] = 1,
    until: Annotated[
        str, typer.Option(metavar="TIME", help="End of the data, such as 2026-01-31T00:00:00Z.")
    ] = "now",
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Add demo data: orders, refunds and subscriptions with seasons, growth and churn, in several regions.

    An empty tenant is loaded in bulk, a million orders in minutes; any other through the projector, a few
    thousand events a second.
    """
    from scripts.common.times import parse_time
    from scripts.demo_data.generator import DemoData
    from scripts.local import database

    now = session.ops.clock.now()
    data = DemoData(orders, customers, months, number, tenant, parse_time(until, now))
    result = database.seed(_local_database(session), data, session.out.note)
    session.out.show(
        {"events": result.events, "orders": result.orders, "subscriptions": result.subscriptions},
        f"Added {result.events} events of {result.orders} orders and {result.subscriptions} subscriptions.",
    )


def currency(
    session: Session,
    code: Annotated[str, typer.Argument(metavar="CODE", help="ISO code, such as EUR.")],
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Set a tenant's reporting currency, before its first subscription (afterwards: db rebuild)."""
    _change(session, {"action": "setCurrency", "tenantId": tenant, "currency": code.upper()})


def rate(
    session: Session,
    code: Annotated[str, typer.Argument(metavar="CODE", help="The foreign currency, such as GBP.")],
    worth: Annotated[
        str, typer.Argument(metavar="RATE", help="Its value in the tenant's reporting currency.")
    ],
    valid_from: Annotated[
        str, typer.Option("--from", metavar="DATE", help="First day the rate is valid, such as 2026-01-31.")
    ],
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Set an exchange rate and update the customers it affects.

    Subscription events that were rejected for lack of it can then be redriven.
    """
    request = {"action": "setRate", "tenantId": tenant, "currency": code.upper()}
    _change(session, {**request, "validFrom": valid_from, "rate": worth})


def _change(session: Session, request: dict[str, Any]) -> None:
    from scripts.environment.migrator_client import invoke_migrator

    invoke_migrator(_environment(session), request)
    session.out.show(request, "Saved.")


def _environment(session: Session) -> "Environment":
    from scripts.environment.environment import open_environment

    return open_environment(session.env)


def _local_database(session: Session) -> str:
    from scripts.environment.environment import LOCAL
    from scripts.environment.local_state import StackState, home_folder

    if session.env != LOCAL:
        raise ToolError("demo data can be added to the local stack only; use --env local.", exit_code=2)
    state = StackState.read(home_folder())
    if state is None or state.postgres is None:
        raise ToolError("the local stack is not running; start it with `make up`.")
    return state.postgres


def _tenant_currency(choice: str) -> tuple[str, str]:
    tenant, given, code = choice.rpartition("=")
    if not given or not tenant:
        raise ToolError(f"{choice!r} should be TENANT=CODE, such as default=EUR.", exit_code=2)
    return tenant, code.upper()


def _named(step: dict[str, Any]) -> str:
    return f"{step['version']:04}_{step['name']}"


def _count(events: int | None) -> str:
    return "an unknown number of" if events is None else str(events)

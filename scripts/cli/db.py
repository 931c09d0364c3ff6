"""`pulsequeue db`: the schema, what it is made from, and history to try it with."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import DEFAULT_TENANT, Session, Tenant, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.environment.environment import Environment

Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this, only say what would be done.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Look after the database of analytics.", no_args_is_help=True)
    for function in (migrate, status, rebuild, seed, currency, rate):
        command(group)(function)
    app.add_typer(group, name="db")


def migrate(session: Session) -> None:
    """Bring the schema up to date; safe to run twice, and by two at once."""
    from scripts.environment.migrator_client import invoke_migrator

    applied = invoke_migrator(_environment(session), {"action": "migrate"})["applied"]
    names = ", ".join(_named(it) for it in applied)
    session.out.show(
        {"applied": applied}, f"Applied {names}." if applied else "There was nothing to do: all is applied."
    )


def status(session: Session) -> None:
    """Tell which migrations are applied, and how much each tenant's events have made known."""
    from scripts.environment.migrator_client import invoke_migrator

    said = invoke_migrator(_environment(session), {"action": "status"})
    migrations = [(_named(it), it["state"], it["applied_at"]) for it in said["migrations"]]
    tenants = [(it["tenantId"], it["currency"], it["events"], it["lastEventAt"]) for it in said["tenants"]]
    session.out.show(
        said,
        Table(("migration", "state", "applied at"), migrations),
        "",
        Table(
            ("tenant", "currency", "events", "last event at"),
            tenants,
            frozenset({"events"}),
            empty="no event has been heard yet",
        ),
    )


def rebuild(
    session: Session,
    yes: Yes = False,
    lossy: Annotated[
        bool, typer.Option("--lossy", help="Also when the archive holds less than the database has heard.")
    ] = False,
    currency: Annotated[
        list[str] | None,
        typer.Option(metavar="TENANT=CODE", help="Add a tenant's recurring revenue up in another currency."),
    ] = None,
) -> None:
    """Empty what follows from events, and have the archive tell them again."""
    from scripts.ops.replay import rebuild

    currencies = dict(_chosen(it) for it in currency or ())

    ops, environment = session.ops, _environment(session)
    outlook = rebuild.outlook(ops, environment)
    if not yes:
        session.out.show(
            outlook.told(),
            f"The archive holds {_count(outlook.archived)} events, the database has heard {outlook.heard}.",
        )
        session.out.note("Nothing was changed; say --yes to empty the database and replay the archive.")
        return
    with session.out.progress("Replayed", outlook.archived or 0) as advance:
        plan = rebuild.Rebuild(outlook, lossy, currencies)
        told = rebuild.rebuild(ops, environment, plan, lambda it: advance(it.replayed.total()))
    session.out.show(
        {**outlook.told(), "replay": told.name, "state": told.progress.state, "sent": dict(told.sent)},
        f"{told.sent.total()} events are on their way into the empty database; "
        "`pulsequeue db status` tells how far they are.",
    )
    if not environment.is_local:
        session.out.note(
            "The archive may get events some minutes late: in a quarter of an hour, replay the last ones "
            "once more (`pulsequeue replay --from 45m --consumer projector --yes`)."
        )


def seed(
    session: Session,
    *,
    orders: Annotated[int, typer.Option(min=1, help="How many orders.")] = 10_000,
    customers: Annotated[int, typer.Option(min=1, help="From how many customers.")] = 1_000,
    months: Annotated[int, typer.Option(min=1, max=120, help="Over how many months, up to now.")] = 24,
    number: Annotated[
        int, typer.Option("--seed", metavar="N", help="The same number makes the same history.")
    ] = 1,
    until: Annotated[
        str, typer.Option(metavar="TIME", help="When it ends, such as 2026-01-31T00:00:00Z.")
    ] = "now",
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Invent the past of a shop: seasons, growth, plans, upgrades, churn, refunds, in several regions.

    A tenant that nothing was heard of yet gets it in bulk, a million orders in minutes; any other as events
    come, a few thousand a second.
    """
    from scripts.common.times import moment
    from scripts.demo_data.generator import DemoData
    from scripts.local import database

    now = session.ops.clock.now()
    data = DemoData(orders, customers, months, number, tenant, moment(until, now))
    told = database.seed(_local_database(session), data, session.out.note)
    session.out.show(
        {"events": told.events, "orders": told.orders, "subscriptions": told.subscriptions},
        f"{told.events} events of {told.orders} orders and {told.subscriptions} subscriptions are in now.",
    )


def currency(
    session: Session,
    code: Annotated[str, typer.Argument(metavar="CODE", help="Such as EUR.")],
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Choose what a tenant's recurring revenue is told in, before there is any (later: db rebuild)."""
    _change(session, {"action": "setCurrency", "tenantId": tenant, "currency": code.upper()})


def rate(
    session: Session,
    code: Annotated[str, typer.Argument(metavar="CODE", help="The other currency, such as GBP.")],
    worth: Annotated[str, typer.Argument(metavar="RATE", help="One of it, in the tenant's own currency.")],
    valid_from: Annotated[
        str, typer.Option("--from", metavar="DATE", help="From this day on, such as 2026-01-31.")
    ],
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Say what a currency is worth; subscriptions in it that were set aside can then be redriven."""
    request = {"action": "setRate", "tenantId": tenant, "currency": code.upper()}
    _change(session, {**request, "validFrom": valid_from, "rate": worth})


def _change(session: Session, request: dict[str, Any]) -> None:
    from scripts.environment.migrator_client import invoke_migrator

    invoke_migrator(_environment(session), request)
    session.out.show(request, "Done.")


def _environment(session: Session) -> "Environment":
    from scripts.environment.environment import open_environment

    return open_environment(session.env)


def _local_database(session: Session) -> str:
    from scripts.environment.environment import LOCAL
    from scripts.environment.local_state import StackState, home_folder

    if session.env != LOCAL:
        raise ToolError("an invented past is for the local stack alone.", exit_code=2)
    state = StackState.read(home_folder())
    if state is None or state.postgres is None:
        raise ToolError("the local stack is not running; start it with `make up`.")
    return state.postgres


def _chosen(choice: str) -> tuple[str, str]:
    tenant, given, code = choice.rpartition("=")
    if not given or not tenant:
        raise ToolError(f"{choice!r} is not a tenant and its currency, such as default=EUR.", exit_code=2)
    return tenant, code.upper()


def _named(step: dict[str, Any]) -> str:
    return f"{step['version']:04}_{step['name']}"


def _count(events: int | None) -> str:
    return "an unknown number of" if events is None else str(events)

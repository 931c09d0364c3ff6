"""`pulsequeue replay`: archived events, once more."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.errors import ToolError

if TYPE_CHECKING:
    from scripts.ops.archive import Contents, Progress
    from scripts.ops.replaying import Route

_FILTERS_NOTHING = "local"


def register(app: typer.Typer) -> None:
    command(app)(replay)


def replay(
    session: Session,
    *,
    since: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Such as 2026-01-31T12:00:00Z or 2h (ago).")
    ],
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Likewise.")] = "now",
    event: Annotated[
        list[str] | None, typer.Option("--event", help="To the consumers of these; may be repeated.")
    ] = None,
    consumer: Annotated[
        list[str] | None, typer.Option("--consumer", help="To these functions only; may be repeated.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without this, only say what would be done.")
    ] = False,
) -> None:
    """Send archived events to their consumers again. Says only what it would do, unless --yes."""
    from scripts.ops.replaying import replay as send_again
    from scripts.ops.replaying import routes, window
    from scripts.ops.times import moment
    from services.shared.events import rfc3339

    desk = session.desk
    now = desk.clock.now()
    chosen = routes(desk.topology, event or (), consumer or ())
    start, end = window(moment(since, now), moment(until, now), now)
    contents = desk.archive.contents()
    data: dict[str, Any] = {
        "from": rfc3339(start),
        "to": rfc3339(end),
        "consumers": {route.function: [*route.asked, *route.along] for route in chosen},
        "archivedEvents": contents.events,
        "started": yes,
    }
    plan = _plan(session, chosen, contents, (data["from"], data["to"]))
    if not yes:
        session.out.show(data, *plan)
        session.out.note("Nothing was replayed; say --yes to do it.")
        return
    progress_told: list[str] = []

    def seen(progress: "Progress") -> None:
        if progress.state not in progress_told:
            progress_told.append(progress.state)
            session.out.note(f"replay is {progress.state.lower()} ...")

    name, progress = send_again(desk, start, end, chosen, seen)
    data |= {"replay": name, "state": progress.state, "why": progress.why}
    session.out.show(data, *plan, f"Replay {name} {progress.state.lower()}.")
    if progress.state != "COMPLETED":
        raise ToolError(f"the replay ended {progress.state}: {progress.why or 'no reason was given'}.")


def _plan(
    session: Session, chosen: "list[Route]", contents: "Contents", window: tuple[str, str]
) -> list[Table | str]:
    rows = [(route.function, ", ".join(route.asked), ", ".join(route.along)) for route in chosen]
    held = "an unknown number of" if contents.events is None else contents.events
    view: list[Table | str] = [
        f"From {window[0]} to {window[1]}.",
        "",
        Table(("consumer", "events", "and, as its rule carries them"), rows),
        "",
        f"The archive holds {held} events in all; EventBridge does not say how many fall into the window.",
    ]
    if session.env == _FILTERS_NOTHING and len(chosen) < len(session.desk.topology.functions):
        view.append("The local emulator sends a replay to every consumer, chosen or not.")
    return view

"""`pulsequeue replay`: sends archived events again."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.ops.replay.event_archive import ArchiveContents
    from scripts.ops.replay.replay import Plan, ReplayResult


def register(app: typer.Typer) -> None:
    examples = (
        "replay --from 2h",
        "replay --from 2h --consumer projector --yes",
        "replay --resume run-20260131T120000000000",
    )
    command(app, examples=examples)(replay)


def replay(
    session: Session,
    *,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Start: 2026-01-31T12:00:00Z, or 2h (ago).")
    ] = None,
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="End, in the same form.")] = "now",
    event: Annotated[
        list[str] | None, typer.Option("--event", metavar="EVENT", help="Only this event; repeatable.")
    ] = None,
    consumer: Annotated[
        list[str] | None,
        typer.Option("--consumer", metavar="FUNCTION", help="Only to this function; repeatable."),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(metavar="N", min=0.1, help="Maximum events per second.")
    ] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="NAME", help="Resume an interrupted replay.")
    ] = None,
    discard: Annotated[
        str | None, typer.Option("--discard", metavar="NAME", help="Delete an interrupted replay.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Send; without this, only count.")] = False,
) -> None:
    """Send archived events to their consumers again; without --yes, only count them."""
    from scripts.ops.replay import replay

    if sum(given is not None for given in (since, resume, discard)) != 1:
        raise ToolError("give exactly one of --from, --resume and --discard.", exit_code=2)
    if discard is not None:
        replay.discard(session.ops, discard)
        session.out.show({"discarded": discard}, f"Replay {discard} deleted.")
        return
    plan = None if since is None else _plan(session, since, until, event or (), consumer or ())
    with session.out.progress("Counted" if plan and not yes else "Replayed", None) as advance:
        named: set[str] = set()

        def on_progress(result: "ReplayResult") -> None:
            if yes and not named:
                session.out.note(
                    f"Replay {result.name} started; resume an interrupted run with --resume {result.name}."
                )
            named.add(result.name)
            advance(result.replayed.total())

        if plan is None:
            _report(session, {}, replay.resume(session.ops, resume or "", rate=rate, on_progress=on_progress))
            return
        contents = session.ops.archive.contents()
        _note_plan(session, plan, contents)
        if yes:
            result = replay.replay(session.ops, plan, rate=rate, on_progress=on_progress)
        else:
            result = replay.count(session.ops, plan, on_progress)
    data = {**plan.parameters(), "archivedEvents": contents.events, "started": yes}
    _report(session, data, result, column="replayed" if yes else "found")
    if not yes:
        session.out.note("Nothing sent; repeat with --yes to send.")


def _plan(
    session: Session,
    since: str,
    until: str,
    events: "tuple[str, ...] | list[str]",
    consumers: "tuple[str, ...] | list[str]",
) -> "Plan":
    from scripts.common.times import parse_time
    from scripts.ops.replay.replay import Plan, routes, window

    now = session.ops.clock.now()
    chosen = routes(session.ops.topology, events, consumers)
    start, end = window(parse_time(since, now), parse_time(until, now), now)
    return Plan(start, end, chosen)


def _note_plan(session: Session, plan: "Plan", contents: "ArchiveContents") -> None:
    parameters = plan.parameters()
    held = "an unknown number of" if contents.events is None else contents.events
    session.out.note(f"From {parameters['from']} to {parameters['to']}, out of {held} archived events ...")
    for name in session.ops.archive.unfinished():
        session.out.note(f"Replay {name} is unfinished; --resume or --discard it, unless it still runs.")


def _report(session: Session, data: dict[str, Any], result: "ReplayResult", column: str = "replayed") -> None:
    data = {
        **data,
        "replay": result.name,
        "state": result.progress.state,
        "why": result.progress.why,
        "events": dict(sorted(result.replayed.items())),
        "sent": dict(sorted(result.sent.items())),
        "refused": result.refused,
    }
    view: list[Table | str] = [
        Table(
            ("event", column),
            sorted(result.replayed.items()),
            frozenset({column}),
            empty="no such events in this window",
        )
    ]
    if result.sent:
        view += ["", Table(("consumer", "sent"), sorted(result.sent.items()), frozenset({"sent"}))]
    session.out.show(data, *view)
    if result.progress.state != "COMPLETED":
        why = result.progress.why or "no reason given"
        raise ToolError(f"the replay ended {result.progress.state} ({why}).")
    if result.refused:
        raise ToolError(
            f"{result.refused} events were refused by a queue; send them with "
            f"`pulsequeue replay --resume {result.name}`."
        )

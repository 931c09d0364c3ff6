"""`pulsequeue replay`: archived events, once more."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.ops.replay.event_archive import Contents
    from scripts.ops.replay.replay import Plan, Told

_USAGE = 2


def register(app: typer.Typer) -> None:
    command(app)(replay)


def replay(
    session: Session,
    *,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Such as 2026-01-31T12:00:00Z or 2h (ago).")
    ] = None,
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Likewise.")] = "now",
    event: Annotated[list[str] | None, typer.Option("--event", help="Only these; may be repeated.")] = None,
    consumer: Annotated[
        list[str] | None, typer.Option("--consumer", help="To these functions only; may be repeated.")
    ] = None,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Events a second at most.")] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="NAME", help="Take up a replay that was broken off.")
    ] = None,
    discard: Annotated[
        str | None, typer.Option("--discard", metavar="NAME", help="Give up a replay that was broken off.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this, only count.")] = False,
) -> None:
    """Send archived events to their consumers again. Only counts them, unless --yes."""
    from scripts.ops.replay import replay

    if sum(given is not None for given in (since, resume, discard)) != 1:
        raise ToolError("say --from, or --resume, or --discard.", exit_code=_USAGE)
    if discard is not None:
        replay.discard(session.ops, discard)
        session.out.show({"discarded": discard}, f"Replay {discard} is given up.")
        return
    with session.out.progress("Replayed", 0) as advance:
        named: set[str] = set()

        def seen(told: "Told") -> None:
            if yes and not named:
                session.out.note(f"Replay {told.name}; if this is broken off, --resume {told.name} goes on.")
            named.add(told.name)
            advance(told.replayed.total())

        if resume is not None:
            _report(session, {}, replay.resume(session.ops, resume, rate=rate, seen=seen))
            return
        plan = _plan(session, since or "", until, event or (), consumer or ())
        contents = session.ops.archive.contents()
        _announce(session, plan, contents)
        if yes:
            told = replay.replay(session.ops, plan, rate=rate, seen=seen)
        else:
            told = replay.count(session.ops, plan, seen)
    data = {**plan.parameters(), "archivedEvents": contents.events, "started": yes}
    _report(session, data, told)
    if not yes:
        session.out.note("Nothing was sent to anybody; say --yes to do it.")


def _plan(
    session: Session,
    since: str,
    until: str,
    events: "tuple[str, ...] | list[str]",
    consumers: "tuple[str, ...] | list[str]",
) -> "Plan":
    from scripts.common.times import moment
    from scripts.ops.replay.replay import Plan, routes, window

    now = session.ops.clock.now()
    chosen = routes(session.ops.topology, events, consumers)
    start, end = window(moment(since, now), moment(until, now), now)
    return Plan(start, end, chosen)


def _announce(session: Session, plan: "Plan", contents: "Contents") -> None:
    said = plan.parameters()
    held = "an unknown number of" if contents.events is None else contents.events
    session.out.note(f"From {said['from']} to {said['to']}, out of {held} archived events ...")
    for name in session.ops.archive.unfinished():
        session.out.note(f"Replay {name} was never finished: --resume or --discard it, if nobody is at it.")


def _report(session: Session, data: dict[str, Any], told: "Told") -> None:
    data = {
        **data,
        "replay": told.name,
        "state": told.progress.state,
        "why": told.progress.why,
        "events": dict(sorted(told.replayed.items())),
        "sent": dict(sorted(told.sent.items())),
        "refused": told.refused,
    }
    view: list[Table | str] = [
        Table(
            ("event", "replayed"),
            sorted(told.replayed.items()),
            frozenset({"replayed"}),
            empty="there are no such events in this window",
        )
    ]
    if told.sent:
        view += ["", Table(("consumer", "sent"), sorted(told.sent.items()), frozenset({"sent"}))]
    session.out.show(data, *view)
    if told.progress.state != "COMPLETED":
        why = told.progress.why or "no reason was given"
        raise ToolError(f"the replay ended {told.progress.state}: {why}.")
    if told.refused:
        raise ToolError(
            f"{told.refused} events were refused by a queue; `pulsequeue replay --resume {told.name}` "
            "sends what is left."
        )

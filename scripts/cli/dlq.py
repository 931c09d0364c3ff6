"""`pulsequeue dlq`: messages that nobody could handle."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.ops.dlq.dlq import Handled
    from scripts.ops.dlq.messages import DeadLetter, DeadLetterQueue, Filter

Function = Annotated[
    str | None, typer.Argument(help="The function whose letters are meant; all if not given.")
]
Reasons = Annotated[list[str] | None, typer.Option("--reason", help="Only these reasons; may be repeated.")]
Events = Annotated[list[str] | None, typer.Option("--event", help="Only these events; may be repeated.")]
Ids = Annotated[list[str] | None, typer.Option("--id", help="Only these message ids; may be repeated.")]
Orders = Annotated[
    list[str] | None,
    typer.Option("--order", metavar="ORDER_ID", help="Only of these orders; repeatable."),
]
Older = Annotated[
    str | None, typer.Option("--older-than", metavar="TIME", help="Here before, such as 2h (ago) or a date.")
]
Newer = Annotated[str | None, typer.Option("--newer-than", metavar="TIME", help="Here since.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this, only say what would be done.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Look at dead letters, send them again, or drop them.", no_args_is_help=True)
    for function in (ls, show, redrive, drop):
        command(group)(function)
    app.add_typer(group, name="dlq")


def ls(
    session: Session,
    *,
    function: Function = None,
    reason: Reasons = None,
    event: Events = None,
    order: Orders = None,
    older_than: Older = None,
    newer_than: Newer = None,
    limit: Annotated[int, typer.Option(min=1, help="Look at no more than about so many.")] = 1_000,
) -> None:
    """List dead letters, oldest first."""
    from scripts.ops.dlq.dlq import peek

    meant = _filter(
        session,
        reasons=reason,
        events=event,
        orders=order,
        older_than=older_than,
        newer_than=newer_than,
    )
    _list(session, peek(_queues(session, function), meant, limit), "there are no dead letters")


def show(
    session: Session,
    function: Annotated[str, typer.Argument()],
    message_id: Annotated[str, typer.Argument(metavar="ID", help="A message id, or how it begins.")],
) -> None:
    """Show one dead letter whole."""
    from scripts.ops.dlq.dlq import peek
    from scripts.ops.dlq.messages import Filter, dead_letter_view

    letters = peek(_queues(session, function), Filter())
    found = [dead_letter for dead_letter in letters if dead_letter.message_id.startswith(message_id)]
    if len(found) != 1:
        many = (
            f"{len(found)} dead letters of {function} begin with"
            if found
            else f"{function} has no dead letter"
        )
        raise ToolError(f"{many} {message_id!r}.")
    dead_letter = found[0]
    event_fields = dead_letter_view(dead_letter)
    body = dead_letter.envelope
    text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
    session.out.show(
        {**event_fields, "body": body},
        "\n".join(f"{name + ':':<12}{value}" for name, value in event_fields.items()),
        "",
        text,
    )


def redrive(
    session: Session,
    *,
    function: Function = None,
    reason: Reasons = None,
    event: Events = None,
    order: Orders = None,
    message_id: Ids = None,
    older_than: Older = None,
    newer_than: Newer = None,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Messages a second at most.")] = None,
    yes: Yes = False,
) -> None:
    """Send dead letters to their function once more. Says only what would be sent, unless --yes.

    It can be interrupted or killed, and run again: a letter is deleted only after it was sent. What a killed
    run had in hand is hidden for half a minute, and as long more as ten letters take at the --rate.
    """
    from scripts.ops.dlq.dlq import Handled
    from scripts.ops.dlq.dlq import redrive as send_again

    meant = _filter(
        session,
        reasons=reason,
        events=event,
        orders=order,
        ids=message_id,
        older_than=older_than,
        newer_than=newer_than,
    )
    queues = _queues(session, function)
    if not yes:
        _would(session, queues, meant, "sent again")
        return
    handled = Handled()
    for queue in queues:
        with session.out.progress(f"Redriving {queue.function}", 0) as advance:
            part = send_again(session.ops, queue, meant, rate=rate, seen=advance)
        _gather(handled, part)
    _report(session, handled, "sent again")


def drop(
    session: Session,
    *,
    function: Function = None,
    reason: Reasons = None,
    event: Events = None,
    order: Orders = None,
    message_id: Ids = None,
    older_than: Older = None,
    newer_than: Newer = None,
    yes: Yes = False,
) -> None:
    """Delete dead letters; the audit log keeps their words. Says only what would go, unless --yes."""
    from scripts.ops.dlq.dlq import Handled
    from scripts.ops.dlq.dlq import drop as throw_away

    meant = _filter(
        session,
        reasons=reason,
        events=event,
        orders=order,
        ids=message_id,
        older_than=older_than,
        newer_than=newer_than,
    )
    queues = _queues(session, function)
    if not yes:
        _would(session, queues, meant, "dropped")
        return
    handled = Handled()
    for queue in queues:
        with session.out.progress(f"Dropping from {queue.function}", 0) as advance:
            part = throw_away(session.ops, queue, meant, seen=advance)
        _gather(handled, part)
    _report(session, handled, "dropped")


def _queues(session: Session, function: str | None) -> "list[DeadLetterQueue]":
    ops = session.ops
    if function is not None:
        ops.topology.consumer(function)
    names = list(ops.topology.consumers) if function is None else [function]
    return [ops.dlq(name) for name in names]


def _filter(
    session: Session,
    *,
    reasons: list[str] | None,
    events: list[str] | None,
    orders: list[str] | None,
    older_than: str | None,
    newer_than: str | None,
    ids: list[str] | None = None,
) -> "Filter":
    from scripts.common.times import moment
    from scripts.ops.dlq.messages import Filter

    now = session.ops.clock.now()
    return Filter(
        reasons=frozenset(reasons or ()),
        events=frozenset(events or ()),
        ids=frozenset(ids or ()),
        orders=frozenset(orders or ()),
        before=moment(older_than, now) if older_than else None,
        after=moment(newer_than, now) if newer_than else None,
    )


def _would(session: Session, queues: "list[DeadLetterQueue]", meant: "Filter", done: str) -> None:
    from scripts.ops.dlq.dlq import peek

    letters = peek(queues, meant)
    _list(session, letters, f"no dead letter would be {done}")
    if letters:
        session.out.note(f"{len(letters)} would be {done}; say --yes to do it.")


def _list(session: Session, letters: "list[DeadLetter]", empty: str) -> None:
    from scripts.common.times import ago
    from scripts.ops.dlq.messages import dead_letter_view

    now = session.ops.clock.now()
    rows = [
        (
            dead_letter.function,
            dead_letter.message_id,
            dead_letter.event,
            dead_letter.order_id,
            dead_letter.why,
            ago(dead_letter.sent_at, now),
            dead_letter.receives,
        )
        for dead_letter in letters
    ]
    columns = ("function", "message id", "event", "order", "reason", "age", "receives")
    session.out.show(
        [dead_letter_view(dead_letter) for dead_letter in letters],
        Table(columns, rows, frozenset({"age", "receives"}), empty=empty),
    )


def _gather(whole: "Handled", part: "Handled") -> None:
    whole.done += part.done
    whole.failed += part.failed
    whole.doubled += part.doubled


def _report(session: Session, handled: "Handled", done: str) -> None:
    session.out.show(handled.counts(), f"{len(handled.done)} {done}.")
    if handled.doubled:
        session.out.note(
            f"{len(handled.doubled)} of them are still in the dead-letter queue as well; "
            "sending them once more has no second effect."
        )
    if handled.failed:
        raise ToolError(f"{len(handled.failed)} could not be {done}, and are where they were.")

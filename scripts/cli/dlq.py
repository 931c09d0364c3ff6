"""`pulsequeue dlq`: list, show, redrive or drop dead letters."""

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.cli.output import Advance
    from scripts.ops.dlq.dlq import DlqResult
    from scripts.ops.dlq.messages import DeadLetter, DeadLetterQueue, Filter


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The options that select dead letters; all that are given must match."""

    function: Annotated[
        str | None,
        typer.Argument(metavar="FUNCTION", help="Function whose dead letters to select; default all."),
    ] = None
    reason: Annotated[
        list[str] | None,
        typer.Option("--reason", metavar="REASON", help="Only with this reason; repeatable."),
    ] = None
    event: Annotated[
        list[str] | None, typer.Option("--event", metavar="EVENT", help="Only this event; repeatable.")
    ] = None
    order: Annotated[
        list[str] | None,
        typer.Option("--order", metavar="ORDER_ID", help="Only of this order; repeatable."),
    ] = None
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="TIME", help="Sent before: 2h (ago), or a time.")
    ] = None
    newer_than: Annotated[
        str | None, typer.Option("--newer-than", metavar="TIME", help="Sent since: 2h (ago), or a time.")
    ] = None

    @property
    def ids(self) -> list[str]:
        return []

    def filter(self, session: Session) -> "Filter":
        from scripts.common.times import parse_time
        from scripts.ops.dlq.messages import Filter

        now = session.ops.clock.now()
        return Filter(
            reasons=frozenset(self.reason or ()),
            events=frozenset(self.event or ()),
            ids=frozenset(self.ids),
            orders=frozenset(self.order or ()),
            before=parse_time(self.older_than, now) if self.older_than else None,
            after=parse_time(self.newer_than, now) if self.newer_than else None,
        )


@dataclass(frozen=True, kw_only=True)
class SelectionWithIds(Selection):
    message_id: Annotated[
        list[str] | None,
        typer.Option("--id", metavar="ID", help="Only this message id, or its beginning; repeatable."),
    ] = None

    @property
    def ids(self) -> list[str]:
        return self.message_id or []


_COUNTED = "Reading counts as a receive."

Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this, only list the messages.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="List, show, redrive or drop dead letters.", no_args_is_help=True)
    command(group, examples=("dlq ls", "dlq ls payment --reason retries_exhausted --env prod"))(ls)
    command(group, examples=("dlq show payment 4f0c",))(show)
    command(group, examples=("dlq redrive payment", "dlq redrive payment --rate 10 --yes"))(redrive)
    command(group, examples=("dlq drop order --reason invalid_json --older-than 2d --yes",))(drop)
    app.add_typer(group, name="dlq")


def ls(
    session: Session,
    *,
    selection: Selection,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Maximum number of messages.")] = 1_000,
) -> None:
    """List dead letters, oldest first. Reading counts as a receive."""
    from scripts.ops.dlq.dlq import peek

    found = peek(_queues(session, selection.function), selection.filter(session), limit)
    _list(session, found, "no dead letters")


def show(
    session: Session,
    function: Annotated[
        str, typer.Argument(metavar="FUNCTION", help="Function that could not process the message.")
    ],
    message_id: Annotated[str, typer.Argument(metavar="ID", help="Message id, or its beginning.")],
) -> None:
    """Show one dead letter with its body. Reading counts as a receive."""
    from scripts.ops.dlq.dlq import peek
    from scripts.ops.dlq.messages import Filter, dead_letter_view

    messages = peek(_queues(session, function), Filter())
    found = [message for message in messages if message.message_id.startswith(message_id)]
    if not found:
        raise ToolError(f"dead letter {message_id!r} of {function} not found.")
    if len(found) > 1:
        raise ToolError(
            f"{len(found)} dead letters of {function} begin with {message_id!r}; give more of it."
        )
    (message,) = found
    fields, body = dead_letter_view(message), message.envelope
    session.out.show(
        {**fields, "body": body},
        "\n".join(f"{name + ':':<12}{value}" for name, value in fields.items()),
        "",
        body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False),
    )
    session.out.note(_COUNTED)


def redrive(
    session: Session,
    *,
    selection: SelectionWithIds,
    rate: Annotated[
        float | None, typer.Option(min=0.1, metavar="N", help="Maximum messages per second.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Send dead letters to their function again; without --yes, only list them.

    It can be interrupted or killed, and run again: a message is deleted only after it was sent. Messages of a
    killed run stay hidden for half a minute, plus the time that ten messages take at --rate.
    """
    from scripts.ops.dlq.dlq import redrive as redrive_queue

    def redrive_one(queue: "DeadLetterQueue", selected: "Filter", advance: "Advance") -> "DlqResult":
        return redrive_queue(session.ops, queue, selected, rate=rate, on_progress=advance)

    _change(session, selection, "redriven", redrive_one, yes=yes)


def drop(session: Session, *, selection: SelectionWithIds, yes: Yes = False) -> None:
    """Delete dead letters, recording their bodies in the operations log; without --yes, only list them."""
    from scripts.ops.dlq.dlq import drop as drop_from_queue

    def drop_one(queue: "DeadLetterQueue", selected: "Filter", advance: "Advance") -> "DlqResult":
        return drop_from_queue(session.ops, queue, selected, on_progress=advance)

    _change(session, selection, "dropped", drop_one, yes=yes)


def _change(
    session: Session,
    selection: Selection,
    done: str,
    change: "Callable[[DeadLetterQueue, Filter, Advance], DlqResult]",
    *,
    yes: bool,
) -> None:
    """Change the selected messages of every queue, or list them as a dry run."""
    from scripts.ops.dlq.dlq import DlqResult, peek

    selected, queues = selection.filter(session), _queues(session, selection.function)
    # With ids also to change something: only a list of all shows which message a beginning means.
    found = peek(queues, replace(selected, ids=frozenset())) if selected.ids or not yes else []
    selected = replace(selected, ids=frozenset(_whole_id(it, found) for it in selected.ids))
    if not yes:
        found = [message for message in found if selected.matches(message)]
        _list(session, found, f"no dead letter would be {done}")
        if found:
            session.out.note(f"{len(found)} would be {done}; repeat with --yes to do it.")
        return
    result = DlqResult()
    for queue in queues:
        with session.out.progress(f"{done.capitalize()} of {queue.function}", None) as advance:
            result.add(change(queue, selected, advance))
    session.out.show(result.counts(), f"{len(result.done)} {done}.")
    if result.duplicated:
        session.out.note(
            f"{len(result.duplicated)} of them are still in the dead-letter queue as well; "
            "redriving them again has no second effect."
        )
    if result.failed:
        raise ToolError(f"{len(result.failed)} could not be {done} and stay in the queue; run it again.")


def _whole_id(given: str, messages: "list[DeadLetter]") -> str:
    """Return the message id that begins as given, or else what is given."""
    known = {message.message_id for message in messages}
    matching = [it for it in known if given and it.startswith(given)]
    if given in known or not matching:
        return given
    if len(matching) > 1:
        raise ToolError(f"{len(matching)} dead letters begin with {given!r}; give more of it.")
    return matching[0]


def _beginnings(ids: "list[str]") -> list[str]:
    """Shorten ids as far as they differ, to eight characters at least."""
    length = 8
    while len({it[:length] for it in ids}) < len(set(ids)):
        length += 1
    return [it[:length] for it in ids]


def _queues(session: Session, function: str | None) -> "list[DeadLetterQueue]":
    ops = session.ops
    if function is not None:
        ops.topology.consumer(function)
    names = list(ops.topology.consumers) if function is None else [function]
    return [ops.dlq(name) for name in names]


def _list(session: Session, messages: "list[DeadLetter]", empty: str) -> None:
    from scripts.common.times import ago
    from scripts.ops.dlq.messages import dead_letter_view

    now = session.ops.clock.now()
    rows = [
        (
            message.function,
            beginning,
            message.order_id,
            message.event,
            message.why,
            ago(message.sent_at, now),
            message.receives,
        )
        for message, beginning in zip(messages, _beginnings([it.message_id for it in messages]), strict=True)
    ]
    columns = ("function", "id", "order", "event", "reason", "age", "receives")
    session.out.show(
        [dead_letter_view(message) for message in messages],
        Table(
            columns,
            rows,
            frozenset({"age", "receives"}),
            empty=empty,
            dispensable=("receives", "event", "age"),
        ),
    )
    if messages:
        session.out.note(_COUNTED)

"""`pulsequeue events tail`: events as they pass over the bus, also forwarded to a developer's program."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.session import Session
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from datetime import timedelta

    from scripts.ops.webhooks.forwarding import Forwarded, Forwarder

EXAMPLES = (
    "events tail",
    "events tail --type OrderConfirmed --tenant shop",
    "events tail --forward http://localhost:3000/hooks",
)
_LONGEST_HOURS = 12


def tail(
    session: Session,
    *,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="NAME", help="OrderConfirmed or order.confirmed; all by default."),
    ] = None,
    tenant: Annotated[
        str | None, typer.Option("--tenant", metavar="ID", help="Only events of this tenant.")
    ] = None,
    forward: Annotated[
        str | None, typer.Option(metavar="URL", help="Post them there, signed as webhooks are.")
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(
            envvar="PULSEQUEUE_WEBHOOK_SECRET",
            metavar="whsec_...",
            help="Sign with this; a new one by default.",
            show_envvar=True,
        ),
    ] = None,
    cloudevents: Annotated[bool, typer.Option("--cloudevents", help="Forward CloudEvents.")] = False,
    span: Annotated[
        str, typer.Option("--for", metavar="SPAN", help="Stop after 90s, 5m or 2h; at most 12h.")
    ] = "1h",
) -> None:
    """Print events as they happen, until Ctrl-C; with --json one a line."""
    from scripts.environment.environment import open_environment
    from scripts.ops import event_tail
    from services.shared.events import CATALOGUE
    from services.webhooks.model import TYPES

    lifetime = _lifetime(span)
    names = event_tail.names_of(types or (), CATALOGUE)
    forwarder = _forwarder(forward, secret, cloudevents=cloudevents)
    if forwarder is not None:
        carried = [it.detail_type() for it in TYPES]
        if unheard := sorted(set(names) - set(carried)):
            raise ToolError(f"webhooks do not carry {', '.join(unheard)}; omit --forward.", exit_code=2)
        names = names or carried
    environment = open_environment(session.env)
    note = f"Listening in {session.env} for {span}; Ctrl-C ends it."
    if not environment.is_local:
        note += " The first events may be missed: AWS needs up to a minute."
    if forwarder is not None:
        note += f"\nForwarding to {forward}, signed with "
        note += "the given secret." if secret else f"this secret:\n  {forwarder.secret}"
    events = event_tail.tail(
        environment,
        event_tail.pattern(names, tenant),
        lifetime,
        listening=lambda: session.out.note(note),
    )
    for envelope in events:
        forwarded = forwarder.forward(envelope) if forwarder else None
        print(_line(envelope, forwarded, as_json=session.as_json), flush=True)


def _lifetime(span: str) -> "timedelta":
    from datetime import timedelta

    from scripts.common.times import parse_duration

    lifetime = parse_duration(span)
    if not timedelta(minutes=1) <= lifetime <= timedelta(hours=_LONGEST_HOURS):
        raise ToolError(f"--for must be from 1m to {_LONGEST_HOURS}h.", exit_code=2)
    return lifetime


def _forwarder(url: str | None, secret: str | None, *, cloudevents: bool) -> "Forwarder | None":
    if url is None:
        if cloudevents:
            raise ToolError("--cloudevents needs --forward.", exit_code=2)
        return None
    from scripts.ops.webhooks.forwarding import Forwarder

    return Forwarder(url, secret, "cloudevents" if cloudevents else "standard")


def _line(envelope: Mapping[str, Any], forwarded: "Forwarded | None", *, as_json: bool) -> str:
    answer = forwarded.answer if forwarded else None
    if as_json:
        came = answer and {"httpStatus": answer.http_status, "error": answer.error}
        return json.dumps({**envelope, "forwarded": came} if came else envelope, ensure_ascii=False)
    detail = envelope["detail"]
    about = detail.get("orderId") or detail.get("sku") or detail.get("subscriptionId") or ""
    parts = [str(envelope["time"])[11:19], f"{envelope['detail-type']:<20}", str(about)]
    if (tenant := detail.get("tenantId", "default")) != "default":
        parts.append(f"({tenant})")
    if answer is not None:
        parts.append(f"-> {answer.http_status or answer.error} in {answer.seconds * 1_000:.0f} ms")
    # Publishers may send control characters, which must not reach the terminal.
    text = " ".join(parts)
    return "".join(it if it.isprintable() else "\N{REPLACEMENT CHARACTER}" for it in text)

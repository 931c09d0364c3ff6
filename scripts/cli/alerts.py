"""`pulsequeue alerts`: whom alarms are sent to."""

import sys
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from services.notifications.domain import Kind

if TYPE_CHECKING:
    from scripts.ops.alerts import Alerts

KindArgument = Annotated[Kind, typer.Argument(metavar="KIND", help="slack, teams or webhook.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Choose whom alarms are sent to, and test it.", no_args_is_help=True)
    command(group, examples=("alerts ls --env prod",))(ls)
    command(
        group,
        examples=(
            "alerts add slack --env prod < slack-url.txt",
            "alerts add webhook https://example.com/alarms --env prod",
        ),
    )(add)
    command(group, examples=("alerts rm slack --env prod",))(rm)
    command(group, "test", examples=("alerts test --env prod",))(send_test)
    app.add_typer(group, name="alerts")


def ls(session: Session) -> None:
    """List everybody who is notified. Addresses of webhooks are secrets: they are shortened."""
    alerts = _alerts(session)
    rows = [
        (it.protocol, it.endpoint, "confirmed" if it.confirmed else "not confirmed yet")
        for it in alerts.subscribers()
    ]
    rows += [(it.kind.value, _shortened(it.url), "sent by notify") for it in alerts.receivers()]
    shown = [dict(zip(("by", "to", "state"), row, strict=True)) for row in rows]
    session.out.show(shown, Table(("by", "to", "state"), rows))


def add(
    session: Session,
    kind: KindArgument,
    url: Annotated[
        str | None,
        typer.Argument(metavar="URL", help="Its https address; read from stdin if absent."),
    ] = None,
) -> None:
    """Send alarms to a webhook of Slack or Microsoft Teams, or to one that takes JSON."""
    from services.notifications.domain import Receiver

    receiver = Receiver(kind, url or (session.stdin or sys.stdin).readline().strip())
    new = _alerts(session).add(receiver)
    text = f"Alarms are sent to {kind.value} {_shortened(receiver.url)}"
    session.out.show(
        {"kind": kind.value, "new": new},
        f"{text}. Try it: pulsequeue alerts test --env {session.env}" if new else f"{text} already.",
    )


def rm(session: Session, kind: KindArgument) -> None:
    """Stop sending alarms to all receivers of a kind."""
    removed = _alerts(session).remove(kind)
    session.out.show({"removed": removed}, f"{removed} {kind.value} receivers removed.")


def send_test(session: Session) -> None:
    """Publish a test notification to the topic of alarms; everybody who is notified should get it."""
    alerts = _alerts(session)
    message_id = alerts.test()
    unconfirmed = [it.endpoint for it in alerts.subscribers() if not it.confirmed]
    text = "A test notification is on its way to everybody that `pulsequeue alerts ls` lists."
    if unconfirmed:
        text += f" Not to {', '.join(unconfirmed)}: the subscription is not confirmed yet."
    session.out.show({"messageId": message_id, "unconfirmed": unconfirmed}, text)


def _alerts(session: Session) -> "Alerts":
    from scripts.environment.environment import open_environment
    from scripts.ops.alerts import Alerts

    return Alerts(open_environment(session.env))


def _shortened(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"

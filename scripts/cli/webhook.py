"""`pulsequeue webhook`: where subscribers hear of orders."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import DEFAULT_TENANT, Session, Tenant, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from services.webhooks.model import Delivery, Subscription
    from services.webhooks.service import Webhooks

Id = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id, as `webhook ls` lists it.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Manage webhooks, which tell other systems of orders.", no_args_is_help=True)
    command(
        group,
        examples=(
            "webhook add https://shop.example/hooks",
            "webhook add https://shop.example/hooks --type order.confirmed",
        ),
    )(add)
    command(group, examples=("webhook ls --tenant shop",))(ls)
    command(group, name="test", examples=("webhook test ID",))(send_test)
    command(group, examples=("webhook log ID",))(log)
    command(group, examples=("webhook redeliver ID msg_1",))(redeliver)
    command(group, examples=("webhook enable ID",))(enable)
    command(group, examples=("webhook rotate ID",))(rotate)
    command(group, examples=("webhook rm ID",))(rm)
    app.add_typer(group, name="webhook")


def add(
    session: Session,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to post messages; https on AWS.")],
    *,
    types: Annotated[
        list[str] | None, typer.Option("--type", metavar="TYPE", help="A type to hear of; all by default.")
    ] = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.")] = "",
    cloudevents: Annotated[bool, typer.Option("--cloudevents", help="Send CloudEvents.")] = False,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Add a webhook and print the secret that signs its messages."""
    from scripts.ops.webhooks.webhooks import OPERATOR, explained
    from services.webhooks.model import TYPES
    from services.webhooks.service import EndpointSpec

    if unknown := sorted(set(types or ()) - set(TYPES.values())):
        raise ToolError(
            f"there is no type {', '.join(unknown)}; the types are {', '.join(TYPES.values())}.", exit_code=2
        )
    with explained():
        endpoint = _webhooks(session).add(
            tenant,
            OPERATOR,
            EndpointSpec(
                url=url,
                types=tuple(types or ()),
                description=description,
                format="cloudevents" if cloudevents else "standard",
            ),
        )
    secret = endpoint.secrets[0].value
    session.out.show(
        {"id": endpoint.id, "url": endpoint.url, "secret": secret},
        f"Webhook {endpoint.id} is added. Its secret, shown once:\n  {secret}",
    )


def ls(session: Session, *, tenant: Tenant = DEFAULT_TENANT) -> None:
    """List webhooks and how they are doing."""
    found = _webhooks(session).all(tenant)
    session.out.show(
        [_webhook_json(it) for it in found],
        Table(
            ("id", "url", "types", "state"),
            [
                (it.endpoint.id, it.endpoint.url, ", ".join(it.endpoint.types) or "all", _state(it))
                for it in found
            ],
        )
        if found
        else "There are no webhooks; add one with `pulsequeue webhook add URL`.",
    )


def send_test(session: Session, webhook: Id, *, tenant: Tenant = DEFAULT_TENANT) -> None:
    """Send a test message."""
    from scripts.ops.webhooks.webhooks import explained

    with explained():
        message = _webhooks(session).test(tenant, webhook)
    session.out.show(
        {"messageId": message.id},
        f"Message {message.id} is on its way; `pulsequeue webhook log {webhook}` shows what came of it.",
    )


def log(
    session: Session,
    webhook: Id,
    *,
    limit: Annotated[
        int, typer.Option(min=1, max=1_000, metavar="N", help="The most entries; 20 by default.")
    ] = 20,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Show what came of its messages, the newest first."""
    from scripts.ops.webhooks.webhooks import explained

    with explained():
        entries = _webhooks(session).log(tenant, webhook, limit)
    session.out.show(
        [_delivery_json(it) for it in entries],
        Table(
            ("message", "type", "status", "response", "attempts", "last attempt", "request id"),
            [
                (
                    it.message.id,
                    it.message.type,
                    it.status,
                    it.http_status or it.error or "",
                    it.attempts,
                    f"{it.last_at:%m-%d %H:%M:%S}" if it.last_at else "",
                    it.request_id or "",
                )
                for it in entries
            ],
            numbers=frozenset({"attempts"}),
            dispensable=("request id", "last attempt", "type"),
        )
        if entries
        else "Nothing was sent to this webhook in the last 30 days.",
    )


def redeliver(
    session: Session,
    webhook: Id,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="Its id, as `webhook log` shows it.")],
    *,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Deliver a message of the log again, under the same id."""
    from scripts.ops.webhooks.webhooks import explained

    with explained():
        _webhooks(session).redeliver(tenant, webhook, message)
    session.out.show({"messageId": message}, f"Message {message} is on its way again.")


def enable(session: Session, webhook: Id, *, tenant: Tenant = DEFAULT_TENANT) -> None:
    """Enable a webhook that was disabled."""
    from scripts.ops.webhooks.webhooks import explained

    with explained():
        changed = _webhooks(session).change(tenant, webhook, enabled=True)
    session.out.show(_webhook_json(changed), f"Webhook {webhook} is enabled.")


def rotate(session: Session, webhook: Id, *, tenant: Tenant = DEFAULT_TENANT) -> None:
    """Make a new secret; for 24 hours the one before signs beside it."""
    from scripts.ops.webhooks.webhooks import explained

    with explained():
        secret = _webhooks(session).rotate(tenant, webhook)
    session.out.show(
        {"id": webhook, "secret": secret},
        f"Webhook {webhook} has a new secret, shown once:\n  {secret}\n"
        "Until this time tomorrow, messages also carry a signature of the one before.",
    )


def rm(session: Session, webhook: Id, *, tenant: Tenant = DEFAULT_TENANT) -> None:
    """Delete a webhook; messages on their way to it are dropped."""
    from scripts.ops.webhooks.webhooks import explained

    with explained():
        _webhooks(session).remove(tenant, webhook)
    session.out.show({"id": webhook}, f"Webhook {webhook} is deleted.")


def _webhooks(session: Session) -> "Webhooks":
    from scripts.environment.environment import open_environment
    from scripts.ops.webhooks.webhooks import webhooks_of

    return webhooks_of(open_environment(session.env))


def _state(subscription: "Subscription") -> str:
    health = subscription.health
    if health.disabled_at is not None:
        return f"disabled: {'gone' if health.disabled_reason == 'gone' else 'failed for a week'}"
    if not subscription.endpoint.enabled:
        return "disabled"
    return f"failing since {_text(health.failing_since)}" if health.failing_since else "ok"


def _webhook_json(subscription: "Subscription") -> dict[str, Any]:
    endpoint = subscription.endpoint
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "types": list(endpoint.types),
        "format": endpoint.format,
        "description": endpoint.description,
        "state": _state(subscription),
    }


def _delivery_json(delivery: "Delivery") -> dict[str, Any]:
    return {
        "messageId": delivery.message.id,
        "type": delivery.message.type,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "lastAttemptAt": _text(delivery.last_at),
        "httpStatus": delivery.http_status,
        "error": delivery.error,
        "requestId": delivery.request_id,
        "durationMs": delivery.duration_ms,
    }


def _text(moment: datetime | None) -> str | None:
    from services.shared.events import rfc3339

    return rfc3339(moment) if moment else None

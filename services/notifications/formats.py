"""A notification in the format of each kind of receiver."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from services.notifications.domain import Kind, Notification, State

Body = Mapping[str, Any]

_SLACK_COLORS: Final = {State.ALARM: "danger", State.OK: "good", State.UNKNOWN: "warning"}
_TEAMS_COLORS: Final = {State.ALARM: "Attention", State.OK: "Good", State.UNKNOWN: "Warning"}


def body(kind: Kind, notification: Notification) -> Body:
    """Return what a receiver of a kind is sent."""
    return _FORMATS[kind](notification)


def _slack(notification: Notification) -> Body:
    attachment = {
        "color": _SLACK_COLORS.get(notification.state, ""),
        "fallback": notification.title,
        "title": _escaped(notification.title),
        "text": _escaped(notification.text),
        "footer": notification.at,
        **({"title_link": notification.link} if notification.link else {}),
    }
    return {"text": "", "attachments": [attachment]}


def _teams(notification: Notification) -> Body:
    color = _TEAMS_COLORS.get(notification.state, "Default")
    title = {"text": notification.title, "weight": "Bolder", "size": "Medium", "color": color}
    actions = [{"type": "Action.OpenUrl", "title": "Open", "url": notification.link}]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "wrap": True, **it}
            for it in (title, {"text": notification.text}, {"text": notification.at, "isSubtle": True})
        ],
        "actions": actions if notification.link else [],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _webhook(notification: Notification) -> Body:
    return asdict(notification)


def _escaped(text: str) -> str:
    """Slack reads these three characters as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_FORMATS: Final[Mapping[Kind, Callable[[Notification], Body]]] = {
    Kind.SLACK: _slack,
    Kind.TEAMS: _teams,
    Kind.WEBHOOK: _webhook,
}

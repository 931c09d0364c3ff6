"""Sends each notification to every receiver; one that fails does not keep it from the others."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.notifications.domain import Receiver, read
from services.notifications.formats import Body, body
from services.shared.log_events import LogEvent
from services.shared.telemetry import Telemetry

Post = Callable[[str, Body], None]
"""Sends JSON to a URL; raises OSError if the receiver does not accept it."""


class NotDeliveredError(Exception):
    """A receiver did not accept a notification; Lambda invokes again."""


class Notifier:
    def __init__(self, receivers: Callable[[], Sequence[Receiver]], post: Post, telemetry: Telemetry) -> None:
        self._receivers, self._post, self._telemetry = receivers, post, telemetry

    def notify(self, event: Mapping[str, Any]) -> int:
        """Send the messages of one invocation; return how many were sent."""
        receivers = self._receivers()
        notifications = [read(record["Sns"]) for record in event["Records"]]
        failed = [
            receiver.kind
            for notification in notifications
            for receiver in receivers
            if not self._sent(receiver, body(receiver.kind, notification))
        ]
        if failed:
            raise NotDeliveredError(f"not delivered to {', '.join(failed)}")
        return len(notifications) * len(receivers)

    def _sent(self, receiver: Receiver, content: Body) -> bool:
        try:
            self._post(receiver.url, content)
        except OSError as error:
            # The address is a secret: whoever knows it can post.
            self._telemetry.warning(
                LogEvent.NOTIFICATION_FAILED, receiver=receiver.kind, error=type(error).__name__
            )
            return False
        self._telemetry.info(LogEvent.NOTIFICATION_SENT, receiver=receiver.kind)
        return True

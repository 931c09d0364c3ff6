"""Wires notifications to AWS, once per process."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from services.notifications.domain import Receiver, receivers
from services.notifications.http_post import post
from services.notifications.service import Notifier
from services.notifications.settings import NotifySettings
from services.shared.adapters.clients import Clients
from services.shared.adapters.telemetry import PowertoolsTelemetry


@cache
def notify() -> Callable[[dict[str, Any], object], dict[str, int]]:
    settings = NotifySettings.from_environment()
    telemetry = PowertoolsTelemetry("notify", settings.metrics_namespace)
    ssm = Clients().ssm()

    def current() -> Sequence[Receiver]:
        # Read at each notification: they are few, and a new receiver is used at once.
        response = ssm.get_parameter(Name=settings.receivers_parameter, WithDecryption=True)
        return receivers(response["Parameter"]["Value"])

    notifier = Notifier(current, post, telemetry)

    def invoke(event: dict[str, Any], context: object) -> dict[str, int]:
        with telemetry.invocation(context):
            return {"sent": notifier.notify(event)}

    return invoke

"""Wires the payment service to AWS, once per process."""

import base64
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from services.payment.gateway import PaymentGateway
from services.payment.service import PaymentService
from services.payment.settings import GatewaySettings, WebhookSettings
from services.payment.simulated_gateway import SimulatedGateway
from services.shared.adapters.clients import Clients
from services.shared.adapters.eventbridge import EventBridgeBus
from services.shared.adapters.rotated_secret import rotated_secret
from services.shared.adapters.telemetry import PowertoolsTelemetry
from services.shared.errors import GatewayUnavailableError
from services.shared.events import OrderCancelled, PaymentAnswered, PaymentRequested, RefundRequested
from services.shared.settings import LedgerSettings
from services.shared.wiring import Runtime, utc_now


def gateway(settings: LedgerSettings, chosen: GatewaySettings) -> PaymentGateway:
    """Make the payment gateway that the environment chooses; bind another one here."""
    if chosen.gateway == "stripe":
        # The package takes a quarter of a second to import.
        from services.payment.stripe_gateway import gateway_of  # noqa: PLC0415

        return gateway_of(_secret(Clients(), chosen.stripe_key_parameter), chosen.stripe_url)
    return SimulatedGateway(
        failure_rate=settings.gateway_failure_rate, slow_seconds=settings.gateway_slow_seconds
    )


def _secret(clients: Clients, parameter: str) -> Callable[[], str]:
    read = rotated_secret(clients.ssm(), parameter, time.monotonic)

    def current() -> str:
        try:
            return read()
        except (ClientError, BotoCoreError) as error:
            raise GatewayUnavailableError(f"{parameter} cannot be read: {type(error).__name__}") from error

    return current


@cache
def payment() -> Callable[[Any, Any], Any]:
    runtime = Runtime("payment")
    service = PaymentService(
        runtime.ledger,
        runtime.bus,
        gateway(runtime.settings, GatewaySettings.from_environment()),
        runtime.telemetry,
        clock=utc_now,
        run=runtime.in_parallel,
        waits=runtime.deadline.waits,
        out_of_time=runtime.deadline.passed,
    )
    return runtime.entry([PaymentRequested, PaymentAnswered, OrderCancelled, RefundRequested], service.handle)


@cache
def stripe_webhook() -> Callable[[Any, Any], dict[str, Any]]:
    # What only the webhook needs stays out of the cold start of payments.
    from services.payment.stripe_webhook import StripeWebhook  # noqa: PLC0415

    settings, clients = WebhookSettings.from_environment(), Clients()
    telemetry = PowertoolsTelemetry("payment", settings.metrics_namespace)
    webhook = StripeWebhook(
        _secret(clients, settings.secret_parameter),
        EventBridgeBus(clients.events(), bus_name=settings.bus_name, source="pulsequeue.payment"),
        telemetry,
        clock=utc_now,
    )

    def invoke(event: dict[str, Any], context: object) -> dict[str, Any]:
        body = event.get("body") or ""
        content = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        with telemetry.invocation(context):
            status = webhook.handle(content, headers.get("stripe-signature", ""))
        return {"statusCode": int(status)}

    return invoke

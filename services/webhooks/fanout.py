"""Events in, messages out: one for each endpoint that hears of an event."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.shared.errors import StoreUnavailableError
from services.shared.log_events import LogEvent
from services.shared.messages import Delivery
from services.shared.telemetry import Telemetry
from services.webhooks.model import Message, Subscription, message_for
from services.webhooks.queues import MessageQueue
from services.webhooks.store import WebhookStore


@dataclass(frozen=True, kw_only=True)
class FanOut:
    store: WebhookStore
    queue: MessageQueue
    telemetry: Telemetry

    def handle(self, deliveries: Sequence[Delivery]) -> Collection[str]:
        """Queue the messages of a batch of events; returns the ids of the SQS messages to retry."""
        subscriptions, retry = self._subscriptions(deliveries)
        messages: list[Message] = []
        sources: list[str] = []
        for delivery in deliveries:
            for it in subscriptions.get(delivery.event.tenant_id, ()):
                message = message_for(it.endpoint, delivery.event) if it.active else None
                if message is not None:
                    messages.append(message)
                    sources.append(delivery.message_id)
        # An event that is retried is queued again for every endpoint: with the same message id.
        failed = self.queue.send(messages)
        return retry | {sources[index] for index in failed}

    def _subscriptions(
        self, deliveries: Sequence[Delivery]
    ) -> tuple[dict[str, Sequence[Subscription]], set[str]]:
        """Read the endpoints of each tenant; a failed read concerns that tenant's events only."""
        found: dict[str, Sequence[Subscription]] = {}
        retry: set[str] = set()
        for tenant_id in {it.event.tenant_id for it in deliveries}:
            try:
                found[tenant_id] = self.store.subscriptions(tenant_id)
            except StoreUnavailableError as error:
                self.telemetry.warning(LogEvent.WEBHOOK_ENDPOINTS_UNREAD, tenant=tenant_id, why=str(error))
                retry |= {it.message_id for it in deliveries if it.event.tenant_id == tenant_id}
        return found, retry

"""What members do with webhooks: add and change endpoints, test them, read their log, deliver again."""

import base64
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from services.shared.http import problems
from services.webhooks.addresses import AddressError, checked_url
from services.webhooks.model import (
    HEALTHY,
    OLD_SECRET_LIFETIME,
    TEST_TYPE,
    Delivery,
    Endpoint,
    Format,
    Message,
    Secret,
    Subscription,
)
from services.webhooks.queues import MessageQueue
from services.webhooks.store import WebhookStore

MOST_ENDPOINTS: Final = 50
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the same of every secret
_TRIES: Final = 5


def new_secret() -> str:
    """Make a secret as Standard Webhooks writes it: 32 random bytes."""
    return f"{SECRET_PREFIX}{base64.b64encode(secrets.token_bytes(32)).decode()}"


def new_id() -> str:
    return uuid4().hex[:24]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSpec:
    """What members choose of an endpoint."""

    url: str
    types: tuple[str, ...] = ()
    description: str = ""
    format: Format = "standard"


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    store: WebhookStore
    queue: MessageQueue
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    new_secret: Callable[[], str]
    allow_local: bool = False

    def all(self, tenant_id: str) -> Sequence[Subscription]:
        return self.store.subscriptions(tenant_id)

    def one(self, tenant_id: str, endpoint_id: str) -> Subscription:
        found = self.store.subscription(tenant_id, endpoint_id)
        if found is None:
            raise problems.not_found("Your organization has no webhook with this id.")
        return found

    def add(self, tenant_id: str, by: str, spec: EndpointSpec) -> Endpoint:
        if len(self.all(tenant_id)) >= MOST_ENDPOINTS:
            raise problems.wrong_state(
                f"An organization has at most {MOST_ENDPOINTS} webhooks; delete some first."
            )
        endpoint = Endpoint(
            tenant_id=tenant_id,
            id=self.new_id(),
            url=self._checked(spec.url),
            types=spec.types,
            description=spec.description,
            format=spec.format,
            enabled=True,
            secrets=(Secret(self.new_secret()),),
            created_at=self.clock(),
            created_by=by,
        )
        self.store.create(endpoint)
        return endpoint

    def change(self, tenant_id: str, endpoint_id: str, **fields: Any) -> Subscription:  # noqa: ANN401 - as in dataclasses.replace
        """Change some fields; enabling one that was disabled forgets why."""
        if "url" in fields:
            fields["url"] = self._checked(fields["url"])
        self._update(tenant_id, endpoint_id, lambda it: replace(it, **fields))
        if fields.get("enabled"):
            self.store.set_health(self.one(tenant_id, endpoint_id).endpoint, HEALTHY)
        return self.one(tenant_id, endpoint_id)

    def remove(self, tenant_id: str, endpoint_id: str) -> None:
        self.store.remove(self.one(tenant_id, endpoint_id).endpoint)

    def rotate(self, tenant_id: str, endpoint_id: str) -> str:
        """Make a new secret; the one before signs beside it for a day."""
        secret = self.new_secret()
        until = self.clock() + OLD_SECRET_LIFETIME

        def rotated(endpoint: Endpoint) -> Endpoint:
            before = replace(endpoint.secrets[0], expires_at=until)
            return replace(endpoint, secrets=(Secret(secret), before))

        self._update(tenant_id, endpoint_id, rotated)
        return secret

    def test(self, tenant_id: str, endpoint_id: str) -> Message:
        """Send a message that tells of nothing, on the same way as all others."""
        self._active(tenant_id, endpoint_id)
        message = Message(
            tenant_id=tenant_id,
            endpoint_id=endpoint_id,
            id=f"msg_{self.new_id()}",
            type=TEST_TYPE,
            timestamp=self.clock(),
            data={"message": "This is a test of your webhook."},
            by_hand=True,
        )
        self._send(message)
        return message

    def log(self, tenant_id: str, endpoint_id: str, most: int) -> Sequence[Delivery]:
        self.one(tenant_id, endpoint_id)
        return self.store.log(tenant_id, endpoint_id, most)

    def redeliver(self, tenant_id: str, endpoint_id: str, message_id: str) -> Message:
        """Deliver a message of the log again, under the same id."""
        self._active(tenant_id, endpoint_id)
        found = next(
            (it for it in self.log(tenant_id, endpoint_id, 1_000) if it.message.id == message_id), None
        )
        if found is None:
            raise problems.not_found("The log of the webhook has no message with this id.")
        message = found.message.model_copy(update={"attempts": 0, "by_hand": True})
        waiting = replace(found, status="waiting", attempts=0)
        if not self.store.record(waiting, self.clock(), after=found):
            raise problems.wrong_state("The message is being delivered at this moment; look at it again.")
        self._send(message)
        return message

    def _active(self, tenant_id: str, endpoint_id: str) -> None:
        if not self.one(tenant_id, endpoint_id).active:
            raise problems.wrong_state("The webhook is disabled; enable it first.")

    def _send(self, message: Message) -> None:
        if self.queue.send([message]):
            raise problems.unavailable()

    def _checked(self, url: str) -> str:
        try:
            return checked_url(url, allow_local=self.allow_local)
        except AddressError as error:
            raise problems.bad_parameters(problems.invalid_parameter("url", str(error))) from None

    def _update(self, tenant_id: str, endpoint_id: str, change: Callable[[Endpoint], Endpoint]) -> None:
        for _ in range(_TRIES):
            if self.store.replace(change(self.one(tenant_id, endpoint_id).endpoint)):
                return
        raise problems.unavailable()

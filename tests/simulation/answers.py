"""The gateway's asynchronous answers: signed requests to the webhook, repeated until one is accepted."""

import hashlib
import hmac
import json
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from services.payment.stripe_webhook import StripeWebhook
from services.shared.ledger import Key
from tests.simulation.consumers import bus_of
from tests.simulation.faults import Fault
from tests.simulation.scheduler import Killed
from tests.simulation.story import label

if TYPE_CHECKING:
    from tests.simulation.world import World

SECRET: Final = "whsec_of_the_simulation"
_KINDS: Final = {True: "payment_intent.succeeded", False: "payment_intent.payment_failed"}
ATTEMPTS: Final = 12


class Answers:
    """What the bank decided, told by the gateway; and what strangers tell in its name."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._sent = 0

    def tell(self, key: Key, succeeded: bool) -> None:
        world, about = self._world, (label(*key),)
        if world.network.strikes(Fault.ANSWER_LOST, orders=about):
            return
        false = world.network.strikes(Fault.ANSWER_FALSE, orders=about)
        body = self._body(key, succeeded is not false)
        world.scheduler.after(world.random.uniform(0.05, 1), partial(self._attempt, key, body, SECRET, 1))
        if world.network.strikes(Fault.ANSWER_TWICE, orders=about):
            again = world.random.choice((0.1, 5.0, 400.0))
            world.scheduler.after(again, partial(self._attempt, key, body, SECRET, ATTEMPTS))

    def forge(self, key: Key) -> None:
        """Claim in the gateway's name, without its secret, that an order was paid."""
        self._attempt(key, self._body(key, succeeded=True), "whsec_of_a_stranger", ATTEMPTS)

    def _body(self, key: Key, succeeded: bool) -> bytes:
        self._sent += 1
        metadata = {"tenant_id": key.tenant_id, "order_id": key.id}
        return json.dumps(
            {
                "id": f"evt_{self._sent}",
                "type": _KINDS[succeeded],
                "created": int(self._now()),
                "data": {"object": {"object": "payment_intent", "metadata": metadata}},
            }
        ).encode()

    def _now(self) -> float:
        return self._world.scheduler.clock().timestamp()

    def _attempt(self, key: Key, body: bytes, secret: str, attempt: int) -> None:
        self._world.scheduler.spawn(
            f"webhook/{json.loads(body)['id']}", lambda: self._request(key, body, secret, attempt)
        )

    def _request(self, key: Key, body: bytes, secret: str, attempt: int) -> None:
        world = self._world
        stamp = str(int(self._now()))
        mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        webhook = StripeWebhook(
            lambda: SECRET, bus_of(world, "payment"), world.telemetry, clock=world.scheduler.clock
        )
        try:
            status = int(webhook.handle(body, f"t={stamp},v1={mac}"))
        except Killed:
            world.story.info("is gone")
            status = 0
        except Exception as error:  # noqa: BLE001 - the gateway sees a 500, whatever it was
            world.story.info(f"fails: {error}")
            status = 500
        world.story.info(f"answers {status}", (label(*key),))
        world.watch.on_webhook(key, status, signed=secret == SECRET)
        if status != HTTPStatus.OK and secret == SECRET and attempt < ATTEMPTS:
            pause = world.random.uniform(5, 30) * attempt
            world.scheduler.after(pause, partial(self._attempt, key, body, secret, attempt + 1))

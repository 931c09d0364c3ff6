"""The links that an order itself takes: shelf, bus, the functions, the books, and what is told of it."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from scripts.ops.reconcile.rules import impossible
from scripts.verify.bus_probe import SOURCE
from scripts.verify.checks import BrokenLinkError, told
from scripts.verify.diagnostics import Evidence
from scripts.verify.scenarios import STOCK
from services.shared.events import OrderCancellationRequested, event_id
from services.shared.ledger import Key, Price, Status
from services.shared.log_events import LogEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scripts.environment.environment import Environment
    from scripts.ops.context import OpsContext
    from scripts.verify.bus_probe import Heard, Listening
    from scripts.verify.checks import Patience
    from scripts.verify.scenarios import Scenario, Scenarios
    from services.shared.ledger import Order

PRICE: Final = Price(1, "USD")
"""What is sold in a verification is sold, and told so: it had better not count."""
_PLACED: Final = "OrderPlaced"
_REQUESTED: Final = "PaymentRequested"


class Orders:
    def __init__(
        self,
        environment: Environment,
        ops: OpsContext,
        scenarios: Scenarios,
        listening: Listening,
        patience: Patience,
    ) -> None:
        self._environment = environment
        self._ops = ops
        self._scenarios = scenarios
        self._listening = listening
        self._patience = patience
        self._began = ops.clock.now()
        self._stocked: Sequence[Key] = ()
        self.were_sent = False

    def heard_by_a_rule(self) -> str:
        """Have the bus carry an event to a rule and a queue of our own."""
        self._listening.begin()
        bus, rule = self._environment.names.bus, self._listening.name
        self._patience.until(
            lambda: self._listening.probe() or None,
            lambda: f"of the events sent to bus {bus} none came to rule {rule}",
        )
        return f"an event sent came to {self._listening.name}"

    def shelved(self) -> str:
        """Put an inventory of the run's own on the shelf."""
        skus = self._stocked = self._scenarios.skus
        for key in skus:
            self._ops.store.set_stock(key, stock=STOCK, price=PRICE, name="verification")
        short = [key.id for key, it in self._ops.store.read_stock(skus).items() if it.available != STOCK]
        if short:
            raise BrokenLinkError(f"{told(short)} did not become {STOCK} units")
        return f"{told([key.id for key in skus])}: {STOCK} units"

    def placed(self) -> str:
        """Send every scenario in one call."""
        self.were_sent = True
        placed = [it for it in self._scenarios.all for _ in range(it.copies)]
        answer = self._environment.client("events").put_events(
            Entries=[
                {
                    "Source": SOURCE,
                    "DetailType": _PLACED,
                    "Detail": json.dumps(it.detail),
                    "EventBusName": self._environment.names.bus,
                }
                for it in placed
            ]
        )
        refused = [entry.get("ErrorMessage", "") for entry in answer["Entries"] if "ErrorCode" in entry]
        if refused:
            raise BrokenLinkError(f"the bus refused {len(refused)} of {len(placed)}: {told(refused, 1)}")
        return f"{len(placed)} events sent"

    def decided(self) -> str:
        """Wait until the order function has decided on every order that can be read, and has said so."""
        wanted = self._scenarios.readable
        self._come("order", wanted, lambda it: it is not None)
        self._say("order", {it: it.order_log for it in wanted})
        return f"{len(wanted)} orders decided and logged"

    def paid(self) -> str:
        """Wait until the payment function has settled what was reserved, and has said so."""
        wanted = [it for it in self._scenarios.readable if it.payment_log]
        self._come("payment", wanted, lambda it: it is not None and it.payment is not None)
        self._say("payment", {it: it.payment_log for it in wanted})
        return f"{len(wanted)} payments settled and logged"

    def booked(self) -> str:
        """Hold both tables against what must have become of the orders."""
        wanted = self._scenarios.readable
        orders = self._ops.store.read_orders([it.key for it in wanted])
        faults = [fault for it in wanted for fault in _faults(it, orders.get(it.key))]
        for key, stock in self._ops.store.read_stock(self._scenarios.skus).items():
            levels, left = (stock.stock, stock.reserved, stock.available), self._scenarios.left(key.id)
            if levels != (left, 0, left):
                faults.append(
                    "{} has {} on hand, {} reserved, {} available".format(key.id, *levels)
                    + f"; {left} should be left"
                )
        if faults:
            raise BrokenLinkError("; ".join(faults))
        return ", ".join(f"{it.name} {it.status}" for it in wanted) + "; the stock agrees"

    def announced(self) -> str:
        """Wait for all that has to be told of the orders; the same thing is told under one event id."""
        self._patience.until_whole(
            self._unheard, lambda missing: f"the bus did not carry {'; '.join(missing)}"
        )
        heard = self._listening.heard()
        faults = [
            f"{it.name}: {event} was told under {len(ids)} event ids"
            for it in self._scenarios.readable
            for event in sorted(it.events)
            if len(ids := _ids(heard, it, event)) != 1
        ]
        faults += [
            f"{it.name}: unexpectedly told {told(more)}"
            for it in self._scenarios.all
            if (more := _more(heard, it))
        ]
        if faults:
            raise BrokenLinkError("; ".join(faults))
        kinds = sorted({it.event for it in heard if it.order_id in self._scenarios.order_ids})
        return told(kinds, len(kinds))

    def held_late(self) -> str:
        """See that the payment requests lie in the late queue, or came out of it."""
        consumers = self._environment.topology.consumers
        late = [name for name, spec in consumers.items() if spec.delay]
        reserved = [it for it in self._scenarios.readable if it.payment_log]
        for name in late:
            self._patience.until(partial(self._held, name, reserved), partial(self._unheld, name))
        return f"{told(late)}: holds them until their time is over"

    def left_alone(self) -> str:
        """Have requests come out of the late queue at once: what is settled has to be left as it is."""
        consumers = self._environment.topology.consumers
        late = [name for name, spec in consumers.items() if spec.delay]
        reserved = [it for it in self._scenarios.readable if it.payment_log]
        requests = {it.order_id: _overdue(it) for it in self._listening.heard() if it.event == _REQUESTED}
        for name in late:
            if self._ops.work_queue(name).send([requests[it.order_id] for it in reserved]):
                raise BrokenLinkError(
                    f"queue {self._environment.names.queue(name)} took not all that was sent"
                )
            self._say(name, dict.fromkeys(reserved, (LogEvent.EXPIRY_SKIPPED,)))
        return f"{told(late)}: {len(reserved)} settled orders left alone and logged"

    # --- afterwards -----------------------------------------------------------------------------------

    def called_off(self) -> None:
        """Have what a broken chain left reserved released, as far as the order function still works."""
        if not self.were_sent or not (stuck := self._reserved()):
            return
        now = self._ops.clock.now()
        self._ops.bus.publish(
            [
                OrderCancellationRequested(
                    event_id=event_id(key.tenant_id, key.id, "OrderCancellationRequested", "verified"),
                    correlation_id=key.id,
                    occurred_at=now,
                    tenant_id=key.tenant_id,
                    order_id=key.id,
                    reason="verification",
                )
                for key in stuck
            ]
        )
        with suppress(BrokenLinkError):
            self._patience.until(lambda: None if self._reserved() else True, lambda: "still reserved")

    def unshelved(self) -> list[str]:
        """Take the run's inventory off the shelf, but for what is reserved; returns that."""
        dynamodb, kept = self._environment.client("dynamodb"), []
        for key in self._stocked:
            try:
                dynamodb.delete_item(
                    TableName=self._environment.names.inventory_table,
                    Key={"pk": {"S": key.pk}},
                    ConditionExpression="attribute_not_exists(pk) OR reserved = :none",
                    ExpressionAttributeValues={":none": {"N": "0"}},
                )
            except dynamodb.exceptions.ConditionalCheckFailedException:
                kept.append(key.id)
        return kept

    # --- looking --------------------------------------------------------------------------------------

    def _reserved(self) -> list[Key]:
        orders = self._ops.store.read_orders([it.key for it in self._scenarios.readable])
        return [key for key, order in orders.items() if order.status is Status.RESERVED]

    def _come(
        self, function: str, wanted: Sequence[Scenario], so_far: Callable[[Order | None], bool]
    ) -> None:
        def behind() -> list[str]:
            orders = self._ops.store.read_orders([it.key for it in wanted])
            return [it.order_id for it in wanted if not so_far(orders.get(it.key))]

        self._patience.until_whole(
            behind, lambda late: f"nothing became of {told(late)}: {self._evidence(function).excuse()}"
        )

    def _say(self, function: str, events: Mapping[Scenario, Sequence[LogEvent]]) -> None:
        evidence, missing = self._evidence(function), dict(events)

        def unlogged() -> list[str]:
            for it in list(missing):
                missing[it] = evidence.missing(it, missing[it])
                if not missing[it]:
                    del missing[it]
            return [f"{it.order_id}: {event.value}" for it, events in missing.items() for event in events]

        self._patience.until_whole(
            unlogged, lambda events: f"its log lacks {told(events)}: {evidence.excuse()}"
        )

    def _evidence(self, function: str) -> Evidence:
        return Evidence(self._environment, function, self._began)

    def _unheard(self) -> list[str]:
        heard = self._listening.heard()
        return [f"{it.name}: {told(events)}" for it in self._scenarios.all if (events := _unheard(heard, it))]

    def _held(self, function: str, reserved: Sequence[Scenario]) -> bool | None:
        counts = self._environment.client("sqs").get_queue_attributes(
            QueueUrl=self._environment.queue_url(function),
            AttributeNames=["ApproximateNumberOfMessagesDelayed"],
        )["Attributes"]
        if int(counts["ApproximateNumberOfMessagesDelayed"]) >= len(reserved):
            return True
        evidence = self._evidence(function)
        came = all(not evidence.missing(it, [LogEvent.EXPIRY_SKIPPED]) for it in reserved)
        return came or None

    def _unheld(self, function: str) -> str:
        queue = self._environment.names.queue(function)
        return f"queue {queue} holds fewer than were reserved: {self._evidence(function).excuse()}"


def _overdue(request: Heard) -> str:
    """Spell a request for payment as if its time were over: what comes too early goes back."""
    envelope = json.loads(request.body)
    envelope["detail"]["expiresAt"] = envelope["detail"]["placedAt"]
    return json.dumps(envelope)


def _faults(scenario: Scenario, order: Order | None) -> list[str]:
    if order is None:
        return [f"{scenario.name}: there is no order {scenario.order_id}"]
    is_, should = (order.status, order.reason), (scenario.status, scenario.reason)
    faults = [] if is_ == should else [f"{scenario.name}: is {is_}, should be {should}"]
    lines = Counter({line.sku: line.quantity for line in order.lines})
    if lines != scenario.quantities:
        faults.append(f"{scenario.name}: has the items {dict(lines)}")
    return [*faults, *(f"{scenario.name}: {says}" for says in impossible(order))]


def _ids(heard: Sequence[Heard], scenario: Scenario, event: str) -> set[str | None]:
    return {it.event_id for it in heard if (it.order_id, it.event) == (scenario.order_id, event)}


def _unheard(heard: Sequence[Heard], scenario: Scenario) -> list[str]:
    counted = Counter(it.event for it in heard if it.order_id == scenario.order_id)
    missing = sorted(scenario.events - counted.keys())
    return missing if counted[_PLACED] >= scenario.copies else [_PLACED, *missing]


def _more(heard: Sequence[Heard], scenario: Scenario) -> list[str]:
    events = {it.event for it in heard if it.order_id == scenario.order_id}
    return sorted(events - scenario.events - {_PLACED})

"""Checks on the path of an order: bus, inventory, functions, tables, published events, and expiry."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from scripts.verify.bus_probe import SOURCE
from scripts.verify.checks import CheckFailedError, listed
from scripts.verify.diagnostics import FunctionDiagnostics
from scripts.verify.scenarios import STOCK
from services.order.consistency import impossible
from services.shared.events import OrderCancellationRequested, event_id
from services.shared.ledger import Key, Price, Status
from services.shared.log_events import LogEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scripts.environment.environment import Environment
    from scripts.ops.context import OpsContext
    from scripts.verify.bus_probe import BusProbe, RecordedEvent
    from scripts.verify.checks import Poller
    from scripts.verify.scenarios import Scenario, Scenarios
    from services.shared.ledger import Order

PRICE: Final = Price(1, "USD")
"""Verification orders count as sales, so they cost as little as possible."""
_PLACED: Final = "OrderPlaced"
_REQUESTED: Final = "PaymentRequested"


class OrderChecks:
    def __init__(
        self,
        environment: Environment,
        ops: OpsContext,
        scenarios: Scenarios,
        bus_probe: BusProbe,
        poller: Poller,
    ) -> None:
        self._environment = environment
        self._ops = ops
        self._scenarios = scenarios
        self._bus_probe = bus_probe
        self._poller = poller
        self._started_at = ops.clock.now()
        self._stocked: Sequence[Key] = ()
        self.were_placed = False

    def bus_delivers(self) -> str:
        """Send events until a rule and a queue of our own receive them."""
        self._bus_probe.start()
        bus, rule = self._environment.names.bus, self._bus_probe.name
        self._poller.until(
            lambda: self._bus_probe.probe() or None,
            lambda: f"rule {rule} received none of the events sent to bus {bus}",
        )
        return f"an event reached {rule}"

    def stock_is_set(self) -> str:
        """Set the stock of SKUs that belong to this run alone."""
        skus = self._stocked = self._scenarios.skus
        for key in skus:
            self._ops.store.set_stock(key, stock=STOCK, price=PRICE, name="verification")
        short = [key.id for key, it in self._ops.store.read_stock(skus).items() if it.available != STOCK]
        if short:
            raise CheckFailedError(f"{listed(short)} do not have {STOCK} units available")
        return f"{listed([key.id for key in skus])}: {STOCK} units"

    def orders_are_placed(self) -> str:
        """Publish every scenario in one call."""
        self.were_placed = True
        details = [it.detail for it in self._scenarios.all for _ in range(it.copies)]
        response = self._environment.client("events").put_events(
            Entries=[
                {
                    "Source": SOURCE,
                    "DetailType": _PLACED,
                    "Detail": json.dumps(detail),
                    "EventBusName": self._environment.names.bus,
                }
                for detail in details
            ]
        )
        errors = [entry.get("ErrorMessage", "") for entry in response["Entries"] if "ErrorCode" in entry]
        if errors:
            raise CheckFailedError(f"the bus rejected {len(errors)} of {len(details)}: {listed(errors, 1)}")
        return f"{len(details)} events sent"

    def orders_are_decided(self) -> str:
        """Wait until the order function has decided on every valid order, and logged it."""
        scenarios = self._scenarios.readable
        self._wait_for_orders("order", scenarios, lambda it: it is not None)
        self._wait_for_log("order", {it: it.order_log for it in scenarios})
        return f"{len(scenarios)} orders decided and logged"

    def orders_are_paid(self) -> str:
        """Wait until the payment function has settled every reservation, and logged it."""
        reserved = self._reserved_scenarios()
        self._wait_for_orders("payment", reserved, lambda it: it is not None and it.payment is not None)
        self._wait_for_log("payment", {it: it.payment_log for it in reserved})
        return f"{len(reserved)} payments settled and logged"

    def tables_are_consistent(self) -> str:
        """Compare orders and stock with what the scenarios expect."""
        scenarios = self._scenarios.readable
        orders = self._ops.store.read_orders([it.key for it in scenarios])
        problems = [problem for it in scenarios for problem in _problems(it, orders.get(it.key))]
        for key, stock in self._ops.store.read_stock(self._scenarios.skus).items():
            levels, left = (stock.stock, stock.reserved, stock.available), self._scenarios.left(key.id)
            if levels != (left, 0, left):
                problems.append(
                    "{} has {} on hand, {} reserved, {} available".format(key.id, *levels)
                    + f"; expected {left} on hand and available"
                )
        if problems:
            raise CheckFailedError("; ".join(problems))
        return ", ".join(f"{it.name} {it.status}" for it in scenarios) + "; stock as expected"

    def events_are_published(self) -> str:
        """Wait for every expected event; each must have one event id, and no other event may come."""
        self._poller.until_no_problems(
            self._unpublished, lambda missing: f"the bus did not deliver {'; '.join(missing)}"
        )
        recorded = self._bus_probe.recorded()
        problems = [
            f"{it.name}: {event} was published under {len(ids)} event ids"
            for it in self._scenarios.readable
            for event in sorted(it.events)
            if len(ids := _ids(recorded, it, event)) != 1
        ]
        problems += [
            f"{it.name}: unexpected {listed(unexpected)}"
            for it in self._scenarios.all
            if (unexpected := _unexpected(recorded, it))
        ]
        if problems:
            raise CheckFailedError("; ".join(problems))
        events = sorted({it.event for it in recorded if it.order_id in self._scenarios.order_ids})
        return ", ".join(events)

    def expiry_is_queued(self) -> str:
        """Check that the payment requests wait in the expiry queue, or have been through it."""
        reserved, delayed = self._reserved_scenarios(), self._delayed_consumers()
        for name in delayed:
            self._poller.until(partial(self._is_queued, name, reserved), partial(self._not_queued, name))
        return f"{listed(delayed)}: messages wait until their delay is over"

    def expiry_is_skipped(self) -> str:
        """Deliver overdue payment requests now; the settled orders must stay as they are."""
        reserved, delayed = self._reserved_scenarios(), self._delayed_consumers()
        recorded = self._bus_probe.recorded()
        requests = {it.order_id: _overdue(it) for it in recorded if it.event == _REQUESTED}
        for name in delayed:
            if self._ops.work_queue(name).send([requests[it.order_id] for it in reserved]):
                raise CheckFailedError(
                    f"queue {self._environment.names.queue(name)} did not accept all messages"
                )
            self._wait_for_log(name, dict.fromkeys(reserved, (LogEvent.EXPIRY_SKIPPED,)))
        return f"{listed(delayed)}: {len(reserved)} settled orders skipped and logged"

    def _reserved_scenarios(self) -> list[Scenario]:
        return [it for it in self._scenarios.readable if it.payment_log]

    def _delayed_consumers(self) -> list[str]:
        return [name for name, spec in self._environment.topology.consumers.items() if spec.delay]

    # --- cleanup --------------------------------------------------------------------------------------

    def cancel_reserved(self) -> None:
        """Cancel orders that a failed run left reserved, as far as the order function still works."""
        if not self.were_placed or not (stuck := self._reserved()):
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
        with suppress(CheckFailedError):
            self._poller.until(lambda: None if self._reserved() else True, lambda: "still reserved")

    def remove_stock(self) -> list[str]:
        """Delete the inventory items of this run; return those that are still reserved."""
        dynamodb, reserved = self._environment.client("dynamodb"), []
        for key in self._stocked:
            try:
                dynamodb.delete_item(
                    TableName=self._environment.names.inventory_table,
                    Key={"pk": {"S": key.pk}},
                    ConditionExpression="attribute_not_exists(pk) OR reserved = :none",
                    ExpressionAttributeValues={":none": {"N": "0"}},
                )
            except dynamodb.exceptions.ConditionalCheckFailedException:
                reserved.append(key.id)
        return reserved

    # --- reading --------------------------------------------------------------------------------------

    def _reserved(self) -> list[Key]:
        orders = self._ops.store.read_orders([it.key for it in self._scenarios.readable])
        return [key for key, order in orders.items() if order.status is Status.RESERVED]

    def _wait_for_orders(
        self, function: str, scenarios: Sequence[Scenario], is_done: Callable[[Order | None], bool]
    ) -> None:
        def pending() -> list[str]:
            orders = self._ops.store.read_orders([it.key for it in scenarios])
            return [it.order_id for it in scenarios if not is_done(orders.get(it.key))]

        self._poller.until_no_problems(
            pending,
            lambda late: f"{listed(late)} not processed in time: {self._diagnostics(function).explain()}",
        )

    def _wait_for_log(self, function: str, events: Mapping[Scenario, Sequence[LogEvent]]) -> None:
        diagnostics, missing = self._diagnostics(function), dict(events)

        def not_logged() -> list[str]:
            for it in list(missing):
                missing[it] = diagnostics.missing(it, missing[it])
                if not missing[it]:
                    del missing[it]
            return [f"{it.order_id}: {event.value}" for it, events in missing.items() for event in events]

        self._poller.until_no_problems(
            not_logged, lambda events: f"its log lacks {listed(events)}: {diagnostics.explain()}"
        )

    def _diagnostics(self, function: str) -> FunctionDiagnostics:
        return FunctionDiagnostics(self._environment, function, self._started_at)

    def _unpublished(self) -> list[str]:
        recorded = self._bus_probe.recorded()
        return [
            f"{it.name}: {listed(missing)}"
            for it in self._scenarios.all
            if (missing := _missing(recorded, it))
        ]

    def _is_queued(self, function: str, reserved: Sequence[Scenario]) -> bool | None:
        attributes = self._environment.client("sqs").get_queue_attributes(
            QueueUrl=self._environment.queue_url(function),
            AttributeNames=["ApproximateNumberOfMessagesDelayed"],
        )["Attributes"]
        if int(attributes["ApproximateNumberOfMessagesDelayed"]) >= len(reserved):
            return True
        diagnostics = self._diagnostics(function)
        delivered = all(not diagnostics.missing(it, [LogEvent.EXPIRY_SKIPPED]) for it in reserved)
        return delivered or None

    def _not_queued(self, function: str) -> str:
        queue = self._environment.names.queue(function)
        explanation = self._diagnostics(function).explain()
        return f"queue {queue} has fewer delayed messages than there are reservations: {explanation}"


def _overdue(request: RecordedEvent) -> str:
    """Return a payment request whose hold is over: the expiry function hands back what comes too early."""
    envelope = json.loads(request.body)
    envelope["detail"]["expiresAt"] = envelope["detail"]["placedAt"]
    return json.dumps(envelope)


def _problems(scenario: Scenario, order: Order | None) -> list[str]:
    if order is None:
        return [f"{scenario.name}: order {scenario.order_id} does not exist"]
    actual, expected = (order.status, order.reason), (scenario.status, scenario.reason)
    problems = [] if actual == expected else [f"{scenario.name}: is {actual}, expected {expected}"]
    lines = Counter({line.sku: line.quantity for line in order.lines})
    if lines != scenario.quantities:
        problems.append(f"{scenario.name}: has the items {dict(lines)}")
    return [*problems, *(f"{scenario.name}: {rule}" for rule in impossible(order))]


def _ids(recorded: Sequence[RecordedEvent], scenario: Scenario, event: str) -> set[str | None]:
    return {it.event_id for it in recorded if (it.order_id, it.event) == (scenario.order_id, event)}


def _missing(recorded: Sequence[RecordedEvent], scenario: Scenario) -> list[str]:
    counted = Counter(it.event for it in recorded if it.order_id == scenario.order_id)
    missing = sorted(scenario.events - counted.keys())
    return missing if counted[_PLACED] >= scenario.copies else [_PLACED, *missing]


def _unexpected(recorded: Sequence[RecordedEvent], scenario: Scenario) -> list[str]:
    events = {it.event for it in recorded if it.order_id == scenario.order_id}
    return sorted(events - scenario.events - {_PLACED})

"""A client of a running stack: places orders, reads their state, and records events on the bus."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

from scripts.environment.environment import Environment
from scripts.ops.aws_context import AwsOpsContext
from scripts.ops.dlq.dlq import peek
from scripts.ops.dlq.messages import Filter
from services.shared.ledger import Key, Order, Price, Status, Stock
from tests.support.polling import wait_until


@dataclass
class PipelineClient:
    environment: Environment
    run: str = field(default_factory=lambda: uuid4().hex[:8])

    def __post_init__(self) -> None:
        self.ops = AwsOpsContext(self.environment)

    def create_sku(self, units: int, *, price: int = 500, currency: str = "USD") -> str:
        """Create a SKU with this stock; return its name."""
        sku = f"sku-{uuid4().hex[:8]}"
        self.ops.store.set_stock(Key("default", sku), stock=units, price=Price(price, currency))
        return sku

    def order_id(self, name: str) -> str:
        return f"{name}-{self.run}"

    def order(self, name: str, sku: str, quantity: int = 1, **more: object) -> dict[str, object]:
        """Return an OrderPlaced payload as outside publishers send it."""
        return {
            "orderId": self.order_id(name),
            "customerId": "customer-1",
            "items": [{"sku": sku, "quantity": quantity}],
            **more,
        }

    def publish(self, name: str, details: Iterable[Mapping[str, object]]) -> None:
        """Publish events to the bus as an outside client would, ten per call."""
        entries: list[Any] = [
            {
                "EventBusName": self.environment.names.bus,
                "Source": "tests.pipeline",
                "DetailType": name,
                "Detail": json.dumps(detail),
            }
            for detail in details
        ]
        for start in range(0, len(entries), 10):
            response = self.environment.client("events").put_events(Entries=entries[start : start + 10])
            assert response["FailedEntryCount"] == 0

    def place(self, *orders: Mapping[str, object]) -> None:
        self.publish("OrderPlaced", orders)

    def find(self, name: str) -> Order | None:
        key = Key("default", self.order_id(name))
        return self.ops.store.read_orders([key]).get(key)

    def get(self, name: str) -> Order:
        order = self.find(name)
        assert order is not None, f"order {name} not found"
        return order

    def wait_for_status(self, name: str, status: str) -> Order:
        """Wait for an order to reach a status, or a status and reason such as `REJECTED out_of_stock`."""

        def reached() -> bool:
            order = self.find(name)
            return order is not None and status in (
                order.status.value,
                f"{order.status.value} {order.reason}",
            )

        wait_until(reached, f"{name} reaches {status}; it is {self.find(name)}")
        return self.get(name)

    def confirm(self, name: str) -> str:
        """Have an order paid; return its id.

        On a busy machine the hold of an order may end before it is charged: then another one is placed.
        """
        for number in range(5):
            chosen = f"{name}-{number}"
            self.place(self.order(chosen, self.create_sku(5)))
            settled = self.wait_until_settled([chosen])[chosen]
            if settled.status is Status.CONFIRMED:
                return self.order_id(chosen)
            assert settled.reason == "reservation_expired", settled
        raise AssertionError(f"no order {name} was charged in time")

    def wait_until_settled(self, names: Collection[str]) -> dict[str, Order]:
        """Wait until every order is settled one way or another."""
        keys = {name: Key("default", self.order_id(name)) for name in names}

        def settled() -> dict[str, Order]:
            orders = self.ops.store.read_orders(list(keys.values()))
            ended = {key: order for key, order in orders.items() if order.status.value != "RESERVED"}
            return {name: ended[key] for name, key in keys.items() if key in ended}

        wait_until(lambda: len(settled()) == len(keys), f"{len(keys)} orders settle", timeout=150)
        return settled()

    def stock_of(self, sku: str) -> Stock:
        key = Key("default", sku)
        return self.ops.store.read_stock([key])[key]

    def levels(self, sku: str) -> tuple[int, int, int]:
        stock = self.stock_of(sku)
        return stock.stock, stock.reserved, stock.available

    def dlq(self, function: str) -> dict[str, str]:
        """Return the reason of each dead letter of this run, by message body."""
        dead_letters = peek([self.ops.dlq(function)], Filter())
        return {it.body: it.reason for it in dead_letters if self.run in it.body}


class EventRecorder:
    """Records every event on the bus from now on, through its own rule and queue."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._name = f"recorder-{uuid4().hex[:8]}"
        self._events: list[tuple[str, dict[str, Any]]] = []

    def __enter__(self) -> Self:
        events, sqs = self._environment.client("events"), self._environment.client("sqs")
        self._url = sqs.create_queue(QueueName=self._name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        bus = self._environment.names.bus
        events.put_rule(
            Name=self._name,
            EventBusName=bus,
            EventPattern=json.dumps({"source": [{"prefix": "pulsequeue."}]}),
        )
        events.put_targets(Rule=self._name, EventBusName=bus, Targets=[{"Id": "recorder", "Arn": arn}])
        return self

    def __exit__(self, *_: object) -> None:
        events, bus = self._environment.client("events"), self._environment.names.bus
        events.remove_targets(Rule=self._name, EventBusName=bus, Ids=["recorder"])
        events.delete_rule(Name=self._name, EventBusName=bus)
        self._environment.client("sqs").delete_queue(QueueUrl=self._url)

    def _receive(self) -> None:
        sqs = self._environment.client("sqs")
        while messages := sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                envelope = json.loads(message["Body"])
                self._events.append((envelope["detail-type"], envelope["detail"]))
            sqs.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]}
                    for n, message in enumerate(messages)
                ],
            )

    def all_events(self) -> list[tuple[str, dict[str, Any]]]:
        """Return each event with its name, as often as it was delivered."""
        self._receive()
        return list(self._events)

    def event_names_of(self, order_id: str) -> set[str]:
        self._receive()
        return {name for name, detail in self._events if detail.get("orderId") == order_id}

    def event_ids_of(self, order_id: str, event: str) -> set[str]:
        self._receive()
        return {
            detail["eventId"]
            for name, detail in self._events
            if name == event and detail.get("orderId") == order_id
        }

    def wait_for_events(self, order_id: str, *events: str) -> None:
        wait_until(lambda: set(events) <= self.event_names_of(order_id), f"{order_id} emits {events}")

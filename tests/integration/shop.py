"""A shop, and an observer beside it: places orders on a running stack and sees what becomes of them."""

import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

from scripts.environment.environment import Environment
from scripts.ops.aws_context import AwsOpsContext
from scripts.ops.dlq.dlq import peek
from scripts.ops.dlq.messages import Filter
from services.shared.ledger import Key, Order, Price, Stock

DEADLINE_SECONDS = 60.0


def until(met: Callable[[], bool], what: str, deadline: float = DEADLINE_SECONDS) -> None:
    """Wait for a condition; never for a time."""
    end = time.monotonic() + deadline
    while not met():
        assert time.monotonic() < end, f"it did not come to pass: {what}"
        time.sleep(0.1)


@dataclass
class Shop:
    environment: Environment
    run: str = field(default_factory=lambda: uuid4().hex[:8])

    def __post_init__(self) -> None:
        self.ops = AwsOpsContext(self.environment)

    def stocked(self, units: int, *, price: int = 500, currency: str = "USD") -> str:
        """Put a new SKU on the shelf."""
        sku = f"sku-{uuid4().hex[:8]}"
        self.ops.books.set_stock(Key("default", sku), stock=units, price=Price(price, currency))
        return sku

    def order_id(self, name: str) -> str:
        return f"{name}-{self.run}"

    def order(self, name: str, sku: str, quantity: int = 1, **more: object) -> dict[str, object]:
        """Spell out an order as publishers outside do."""
        return {
            "orderId": self.order_id(name),
            "customerId": "customer-1",
            "items": [{"sku": sku, "quantity": quantity}],
            **more,
        }

    def say(self, name: str, details: Iterable[Mapping[str, object]]) -> None:
        """Publish events as any outside client would, in tens."""
        entries: list[Any] = [
            {
                "EventBusName": self.environment.names.bus,
                "Source": "tests.shop",
                "DetailType": name,
                "Detail": json.dumps(detail),
            }
            for detail in details
        ]
        for start in range(0, len(entries), 10):
            response = self.environment.client("events").put_events(Entries=entries[start : start + 10])
            assert response["FailedEntryCount"] == 0

    def place(self, *orders: Mapping[str, object]) -> None:
        self.say("OrderPlaced", orders)

    def find(self, name: str) -> Order | None:
        key = Key("default", self.order_id(name))
        return self.ops.books.read_orders([key]).get(key)

    def found(self, name: str) -> Order:
        order = self.find(name)
        assert order is not None, f"{name} is not there"
        return order

    def comes_to(self, name: str, end: str) -> Order:
        """Wait for an order to reach a status, or a status and reason such as `REJECTED out_of_stock`."""

        def there() -> bool:
            order = self.find(name)
            return order is not None and end in (order.status.value, f"{order.status.value} {order.reason}")

        until(there, f"{name} is {end}, it is {self.find(name)}")
        return self.found(name)

    def all_end(self, names: Collection[str]) -> dict[str, Order]:
        """Wait until every order is settled one way or another."""
        keys = {name: Key("default", self.order_id(name)) for name in names}

        def settled() -> dict[str, Order]:
            orders = self.ops.books.read_orders(list(keys.values()))
            ended = {key: order for key, order in orders.items() if order.status.value != "RESERVED"}
            return {name: ended[key] for name, key in keys.items() if key in ended}

        until(lambda: len(settled()) == len(keys), f"{len(keys)} orders end", deadline=150)
        return settled()

    def shelf(self, sku: str) -> Stock:
        key = Key("default", sku)
        return self.ops.books.read_stock([key])[key]

    def levels(self, sku: str) -> tuple[int, int, int]:
        stock = self.shelf(sku)
        return stock.stock, stock.reserved, stock.available

    def dlq(self, function: str) -> dict[str, str]:
        """Return the reason of each dead letter of this shop, by what it is about."""
        letters = peek([self.ops.dlq(function)], Filter())
        return {
            dead_letter.body: dead_letter.reason for dead_letter in letters if self.run in dead_letter.body
        }


class Witness:
    """Sees every event on the bus from now on, through a rule and a queue of its own."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._name = f"witness-{uuid4().hex[:8]}"
        self._seen: list[tuple[str, dict[str, Any]]] = []

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
        events.put_targets(Rule=self._name, EventBusName=bus, Targets=[{"Id": "witness", "Arn": arn}])
        return self

    def __exit__(self, *_: object) -> None:
        events, bus = self._environment.client("events"), self._environment.names.bus
        events.remove_targets(Rule=self._name, EventBusName=bus, Ids=["witness"])
        events.delete_rule(Name=self._name, EventBusName=bus)
        self._environment.client("sqs").delete_queue(QueueUrl=self._url)

    def _listen(self) -> None:
        sqs = self._environment.client("sqs")
        while messages := sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                envelope = json.loads(message["Body"])
                self._seen.append((envelope["detail-type"], envelope["detail"]))
            sqs.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]}
                    for n, message in enumerate(messages)
                ],
            )

    def everything(self) -> list[tuple[str, dict[str, Any]]]:
        """Return each event as often as it came, by its name."""
        self._listen()
        return list(self._seen)

    def told_of(self, order_id: str) -> set[str]:
        self._listen()
        return {name for name, detail in self._seen if detail.get("orderId") == order_id}

    def event_ids_of(self, order_id: str, event: str) -> set[str]:
        self._listen()
        return {
            detail["eventId"]
            for name, detail in self._seen
            if name == event and detail.get("orderId") == order_id
        }

    def hears(self, order_id: str, *events: str) -> None:
        until(lambda: set(events) <= self.told_of(order_id), f"{order_id} tells {events}")

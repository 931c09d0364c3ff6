"""The orders that a verification places, and the expected result of each. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from services.shared.ledger import Key, Status
from services.shared.log_events import LogEvent
from services.shared.metric_names import Metric, OrderOutcome, PaymentOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TENANT: Final = "default"
STOCK: Final = 10
"""Units of each SKU that a run makes available."""
_MORE_THAN_STOCK: Final = 1_000

MetricKey = tuple[str, tuple[tuple[str, str], ...]]
"""A counter's name and labels."""


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """One order, as its publisher sends it, and its expected result."""

    name: str
    detail: Mapping[str, Any]
    status: Status | None
    """None for an order that does not validate."""
    order_log: tuple[LogEvent, ...] = ()
    """What the order function logs about it."""
    payment_log: tuple[LogEvent, ...] = ()
    reason: str | None = None
    events: frozenset[str] = frozenset()
    """Events expected on the bus besides OrderPlaced, each under one event id."""
    copies: int = 1
    """How often it is placed; it must take effect once."""

    @property
    def order_id(self) -> str:
        return str(self.detail["orderId"])

    @property
    def key(self) -> Key:
        return Key(TENANT, self.order_id)

    @property
    def quantities(self) -> Counter[str]:
        counted: Counter[str] = Counter()
        for item in self.detail["items"]:
            counted[item["sku"]] += item["quantity"]
        return counted

    @property
    def is_malformed(self) -> bool:
        return self.status is None


_PAID: Final = frozenset({"PaymentRequested", "PaymentProcessed", "OrderConfirmed"})
_DECLINED: Final = frozenset({"PaymentRequested", "PaymentFailed", "OrderCancelled"})


@dataclass(frozen=True, slots=True)
class Scenarios:
    """The orders of one run; every id contains the run's id, so that runs and other data do not mix."""

    run: str
    all: tuple[Scenario, ...]

    @classmethod
    def of(cls, run: str, published: Mapping[str, Any]) -> Scenarios:
        """Derive them from two published orders, `success` and `failure`."""
        success = _with_run(published["success"], run)
        item = {**success["items"][0], "quantity": 1}

        def order(name: str, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
            return {**success, "orderId": f"test-{name}-{run}", "items": list(items)}

        return cls(
            run,
            (
                Scenario(
                    "success",
                    success,
                    Status.CONFIRMED,
                    (LogEvent.ORDER_RESERVED,),
                    (LogEvent.ORDER_CONFIRMED,),
                    events=_PAID,
                ),
                Scenario(
                    "failure",
                    _with_run(published["failure"], run),
                    Status.CANCELLED,
                    (LogEvent.ORDER_RESERVED,),
                    (LogEvent.PAYMENT_DECLINED,),
                    reason="payment_failed",
                    events=_DECLINED,
                ),
                Scenario(
                    "out of stock",
                    order("short", [{**item, "quantity": _MORE_THAN_STOCK}]),
                    Status.REJECTED,
                    (LogEvent.ORDER_REJECTED,),
                    reason="out_of_stock",
                    events=frozenset({"OrderRejected"}),
                ),
                Scenario(
                    "duplicate",
                    order("twice", [item]),
                    Status.CONFIRMED,
                    (LogEvent.ORDER_RESERVED, LogEvent.ORDER_DUPLICATE),
                    (LogEvent.ORDER_CONFIRMED,),
                    events=_PAID,
                    copies=2,
                ),
                Scenario("malformed", order("malformed", []), None),
            ),
        )

    @property
    def readable(self) -> tuple[Scenario, ...]:
        return tuple(it for it in self.all if not it.is_malformed)

    @property
    def malformed(self) -> tuple[Scenario, ...]:
        return tuple(it for it in self.all if it.is_malformed)

    @property
    def order_ids(self) -> list[str]:
        return [it.order_id for it in self.all]

    @property
    def skus(self) -> list[Key]:
        return [Key(TENANT, sku) for sku in sorted({sku for it in self.all for sku in it.quantities})]

    def left(self, sku: str) -> int:
        """Units of a SKU that are left in the end."""
        sold = (it.quantities[sku] for it in self.all if it.status is Status.CONFIRMED)
        return STOCK - sum(sold)

    def counter_increases(self, consumers: Sequence[str]) -> Counter[MetricKey]:
        """Minimum increase of each counter; `consumers` are those that subscribe to OrderPlaced."""
        increases: Counter[MetricKey] = Counter()
        for it in self.readable:
            reserved = it.status is not Status.REJECTED
            increases[
                _labelled(Metric.ORDERS, outcome=OrderOutcome.RESERVED if reserved else OrderOutcome.REJECTED)
            ] += 1
            increases[_labelled(Metric.ORDERS, outcome=OrderOutcome.DUPLICATE)] += it.copies - 1
            if reserved:
                paid = it.status is Status.CONFIRMED
                increases[
                    _labelled(
                        Metric.PAYMENTS, outcome=PaymentOutcome.SUCCEEDED if paid else PaymentOutcome.FAILED
                    )
                ] += 1
            for event in it.events:
                increases[_labelled(Metric.EVENTS_PUBLISHED, event=event)] += 1
        for consumer in consumers:
            increases[_labelled(Metric.POISON_EVENTS, consumer=consumer)] += len(self.malformed)
        return increases


def _labelled(name: str, **labels: str) -> MetricKey:
    return str(name), tuple(sorted((label, str(value)) for label, value in labels.items()))


def _with_run(order: Mapping[str, Any], run: str) -> dict[str, Any]:
    return {
        **order,
        "orderId": f"{order['orderId']}-{run}",
        "customerId": f"{order['customerId']}-{run}",
        "items": [{**item, "sku": f"{item['sku']}-{run}"} for item in order["items"]],
    }

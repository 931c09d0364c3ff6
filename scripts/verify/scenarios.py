"""The orders that a verification places, and what has to become of each. Pure."""

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
"""Units of each SKU that a run puts on the shelf."""
_UNHEARD_OF: Final = 1_000
"""More than there is."""

Labelled = tuple[str, tuple[tuple[str, str], ...]]
"""A counter: its name, and its labels."""


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """One order, as its publisher writes it, and where it has to end."""

    name: str
    detail: Mapping[str, Any]
    status: Status | None
    """None where nobody can read the order."""
    order_log: tuple[LogEvent, ...] = ()
    """What the order function logs about it."""
    payment_log: tuple[LogEvent, ...] = ()
    reason: str | None = None
    events: frozenset[str] = frozenset()
    """What is told of it on the bus, each under one event id, beside its placing."""
    copies: int = 1
    """How often it is placed; it must count once."""

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
_REFUSED: Final = frozenset({"PaymentRequested", "PaymentFailed", "OrderCancelled"})


@dataclass(frozen=True, slots=True)
class Scenarios:
    """What one run places; its mark is in every id, so that it meets nobody else's data."""

    run: str
    all: tuple[Scenario, ...]

    @classmethod
    def of(cls, run: str, published: Mapping[str, Any]) -> Scenarios:
        """Make them from what publishers outside send: `success` and `failure`."""
        success = _marked(published["success"], run)
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
                    _marked(published["failure"], run),
                    Status.CANCELLED,
                    (LogEvent.ORDER_RESERVED,),
                    (LogEvent.PAYMENT_DECLINED,),
                    reason="payment_failed",
                    events=_REFUSED,
                ),
                Scenario(
                    "out of stock",
                    order("short", [{**item, "quantity": _UNHEARD_OF}]),
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
        """How much of a SKU is on the shelf when everything has ended."""
        sold = (it.quantities[sku] for it in self.all if it.status is Status.CONFIRMED)
        return STOCK - sum(sold)

    def counted(self, consumers: Sequence[str]) -> Counter[Labelled]:
        """By how much counters move at least; `consumers` are those that read placed orders."""
        moved: Counter[Labelled] = Counter()
        for it in self.readable:
            reserved = it.status is not Status.REJECTED
            moved[
                _labelled(Metric.ORDERS, outcome=OrderOutcome.RESERVED if reserved else OrderOutcome.REJECTED)
            ] += 1
            moved[_labelled(Metric.ORDERS, outcome=OrderOutcome.DUPLICATE)] += it.copies - 1
            if reserved:
                paid = it.status is Status.CONFIRMED
                moved[
                    _labelled(
                        Metric.PAYMENTS, outcome=PaymentOutcome.SUCCEEDED if paid else PaymentOutcome.FAILED
                    )
                ] += 1
            for event in it.events:
                moved[_labelled(Metric.EVENTS_PUBLISHED, event=event)] += 1
        for consumer in consumers:
            moved[_labelled(Metric.POISON_EVENTS, consumer=consumer)] += len(self.malformed)
        return moved


def _labelled(name: str, **labels: str) -> Labelled:
    return str(name), tuple(sorted((label, str(value)) for label, value in labels.items()))


def _marked(order: Mapping[str, Any], run: str) -> dict[str, Any]:
    return {
        **order,
        "orderId": f"{order['orderId']}-{run}",
        "customerId": f"{order['customerId']}-{run}",
        "items": [{**item, "sku": f"{item['sku']}-{run}"} for item in order["items"]],
    }

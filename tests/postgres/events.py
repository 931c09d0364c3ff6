"""Builders of events for tests of the read side."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from services.shared.events import (
    Event,
    InventoryAdjusted,
    OrderCancellationRequested,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    OrderRejected,
    PaymentFailed,
    PaymentProcessed,
    PaymentRequested,
    RefundProcessed,
    RefundRequested,
    SubscriptionCancelled,
    SubscriptionChanged,
    SubscriptionStarted,
)
from services.shared.messages import Delivery

E = TypeVar("E", bound=Event)
Interval = Literal["week", "month", "quarter", "year"]

TENANT = "acme"
Lines = Iterable[tuple[str, int, int]]
"""SKU, quantity, price."""
A_CUP: Lines = (("cup", 2, 500),)


def at(day: str, time: str = "12:00") -> datetime:
    """Read `2026-01-31` as noon of that day, UTC."""
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC)


NOON = at("2026-01-31")


class Shop:
    """Makes the events of one order, with ids derived from the order's."""

    def __init__(
        self,
        order_id: str = "order-1",
        *,
        tenant: str = TENANT,
        customer: str = "ann",
        lines: Lines = A_CUP,
        currency: str = "USD",
    ) -> None:
        self.order_id = order_id
        self.tenant = tenant
        self.customer = customer
        self.lines = tuple(lines)
        self.currency = currency

    @property
    def amount(self) -> int:
        return sum(quantity * price for _, quantity, price in self.lines)

    def placed(self, when: datetime = NOON, **more: object) -> OrderPlaced:
        items = [{"sku": sku, "quantity": quantity} for sku, quantity, _ in self.lines]
        return self._event(OrderPlaced, when, **{"customer_id": self.customer, "items": items, **more})

    def requested(self, when: datetime = NOON, **more: object) -> PaymentRequested:
        values = {"customer_id": self.customer, "placed_at": when, "expires_at": when}
        return self._event(PaymentRequested, when, **{**values, **self._money, "items": self._priced, **more})

    def processed(self, when: datetime = NOON, **more: object) -> PaymentProcessed:
        return self._event(PaymentProcessed, when, **{"charge_id": "ch-1", **self._money, **more})

    def failed(self, when: datetime = NOON, **more: object) -> PaymentFailed:
        return self._event(PaymentFailed, when, **{"reason": "card_declined", **self._money, **more})

    def confirmed(self, when: datetime = NOON, **more: object) -> OrderConfirmed:
        values = {"customer_id": self.customer, "items": self._priced}
        return self._event(OrderConfirmed, when, **{**values, **self._money, **more})

    def rejected(self, when: datetime = NOON, **more: object) -> OrderRejected:
        values = {"customer_id": self.customer, "reason": "out_of_stock"}
        return self._event(OrderRejected, when, **{**values, **more})

    def cancelled(self, when: datetime = NOON, **more: object) -> OrderCancelled:
        values = {"customer_id": self.customer, "reason": "reservation_expired"}
        return self._event(OrderCancelled, when, **{**values, **more})

    def cancellation_requested(self, when: datetime = NOON) -> OrderCancellationRequested:
        return self._event(OrderCancellationRequested, when)

    def refund_requested(self, when: datetime = NOON) -> RefundRequested:
        return self._event(RefundRequested, when)

    def refunded(self, when: datetime = NOON, **more: object) -> RefundProcessed:
        values = {"charge_id": "ch-1", "refund_id": "re-1", "restocked": False, "reason": "requested"}
        return self._event(RefundProcessed, when, **{**values, **self._money, **more})

    def sold(self, when: datetime = NOON) -> list[Event]:
        """Return the events of a successful order."""
        return [self.placed(when), self.requested(when), self.processed(when), self.confirmed(when)]

    @property
    def _money(self) -> dict[str, Any]:
        return {"amount_minor": self.amount, "currency": self.currency}

    @property
    def _priced(self) -> list[dict[str, Any]]:
        return [
            {"sku": sku, "quantity": quantity, "unit_price_minor": price}
            for sku, quantity, price in self.lines
        ]

    def _event(self, model: type[E], when: datetime, **more: object) -> E:
        values = {"event_id": f"{self.order_id}-{model.detail_type()}", "tenant_id": self.tenant, **more}
        return model.model_validate({"order_id": self.order_id, "occurred_at": when, **values})


class Contract:
    """Makes the events of one subscription, numbered in order of creation."""

    def __init__(
        self, subscription_id: str = "sub-1", *, tenant: str = TENANT, customer: str = "ann"
    ) -> None:
        self.subscription_id = subscription_id
        self.tenant = tenant
        self.customer = customer
        self._count = 0

    def started(
        self,
        day: str,
        amount: int,
        interval: Interval = "month",
        **more: object,
    ) -> SubscriptionStarted:
        return self._terms(SubscriptionStarted, day, amount, interval, **more)

    def changed(
        self,
        day: str,
        amount: int,
        interval: Interval = "month",
        **more: object,
    ) -> SubscriptionChanged:
        return self._terms(SubscriptionChanged, day, amount, interval, **more)

    def cancelled(self, day: str, **more: object) -> SubscriptionCancelled:
        return self._event(SubscriptionCancelled, day, **more)

    def _terms(
        self,
        model: type[E],
        day: str,
        amount: int,
        interval: str,
        **more: object,
    ) -> E:
        terms = {"plan": "basic", "interval": interval, "amount_minor": amount, "currency": "USD"}
        return self._event(model, day, **{**terms, **more})

    def _event(self, model: type[E], day: str, **more: object) -> E:
        self._count += 1
        return model.model_validate(
            {
                "event_id": f"{self.subscription_id}-{self._count}",
                "occurred_at": at(day),
                "tenant_id": self.tenant,
                "subscription_id": self.subscription_id,
                "customer_id": self.customer,
                **more,
            }
        )


def adjusted(
    sku: str = "cup",
    when: datetime = NOON,
    *,
    stock: int = 10,
    **more: object,
) -> InventoryAdjusted:
    values = {"event_id": f"{sku}-{when.isoformat()}", "tenant_id": TENANT, "sku": sku, "delta": stock}
    levels = {"stock": stock, "available": stock, "unit_price_minor": 500, "currency": "USD"}
    return InventoryAdjusted.model_validate({"occurred_at": when, **values, **levels, **more})


def messages(events: Iterable[Event]) -> Sequence[Delivery]:
    """Return one message per event: m0, m1, ..."""
    return [Delivery(f"m{number}", event) for number, event in enumerate(events)]

"""The commands: each checks, records what must not be forgotten, and publishes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

from pydantic import ValidationError

from services.commands import domain
from services.shared.events import Event
from services.shared.http import problems
from services.shared.http.params import body_problem
from services.shared.ledger import Key, Order, Payment, Status, Stock
from services.shared.log_events import LogEvent
from services.shared.metric_names import Metric
from services.shared.outbox import EventBus
from services.shared.receipts import Receipt, Receipts
from services.shared.stock_events import inventory_adjusted
from services.shared.telemetry import Telemetry

MAX_EVENT_BYTES = 250_000
"""An entry of PutEvents has at most 256 KB, the envelope included."""


class OrderStore(Protocol):
    def read_orders(self, keys: list[Key]) -> Mapping[Key, Order]: ...

    def read_stock(self, keys: list[Key]) -> Mapping[Key, Stock]: ...

    def adjust(self, key: Key, delta: int) -> Stock | None: ...


@dataclass(frozen=True, slots=True)
class StockChange:
    stock: Stock
    published: bool


@dataclass(frozen=True, kw_only=True)
class Commands:
    receipts: Receipts
    store: OrderStore
    bus: EventBus
    telemetry: Telemetry
    clock: Callable[[], datetime]

    def place(self, tenant_id: str, idempotency_key: str, body: Mapping[str, Any], canonical: str) -> Receipt:
        """Accept an order; the same key and body is the same order, whenever it is sent."""
        key = Key(tenant_id, domain.order_id(tenant_id, idempotency_key))
        digest = domain.digest(canonical)
        receipt = self.receipts.find(key) or self._accepted(key, digest, body)
        if receipt.digest != digest:
            raise problems.key_reused()
        # Also when the receipt was there: the first attempt may have ended before it published.
        self._publish(self._order_placed(receipt))
        self.telemetry.info(LogEvent.ORDER_ACCEPTED, key)
        return receipt

    def _accepted(self, key: Key, digest: str, body: Mapping[str, Any]) -> Receipt:
        order = self.store.read_orders([key]).get(key)
        if order is None:
            receipt = Receipt(key, digest, self.clock(), body)
            self._order_placed(receipt)  # what cannot be published is not accepted
            return self.receipts.keep(receipt)
        # The receipt has expired; the order has not.
        if not domain.is_same_order(order, body):
            raise problems.key_reused()
        return self.receipts.keep(Receipt(key, digest, order.placed_at, body))

    def _order_placed(self, receipt: Receipt) -> Event:
        try:
            return domain.order_placed(*receipt.key, receipt.body, receipt.accepted_at)
        except ValidationError as error:
            raise body_problem(error) from None

    def cancel(self, key: Key, reason: str | None) -> None:
        order, now = self._require(key, domain.CANCELLABLE, "cancelled"), self.clock()
        if order is not None and domain.is_too_late_to_cancel(order, now):
            raise problems.wrong_state("The order is paid and can no longer be cancelled; refund it instead.")
        self._publish(domain.cancellation(key, reason, now))

    def refund(
        self, key: Key, idempotency_key: str, *, amount_minor: int | None, restock: bool, reason: str | None
    ) -> None:
        event = domain.refund(
            key, idempotency_key, self.clock(), amount_minor=amount_minor, restock=restock, reason=reason
        )
        order = self._require(key, domain.REFUNDABLE, "refunded")
        if order is not None and amount_minor is not None:
            self._require_refundable(order, event.event_id, amount_minor)
        self._publish(event)

    def _require_refundable(self, order: Order, request_id: str, amount_minor: int) -> None:
        payment = order.payment or Payment()
        known = next((it for it in payment.refunds if it.request_id == request_id), None)
        left = order.amount_minor - payment.claimed_minor
        if known is not None and known.amount_minor != amount_minor:
            raise problems.key_reused()
        if known is None and amount_minor > left:
            raise problems.wrong_state(
                f"Only {left} of {order.amount_minor} minor units are left to refund; ask for no more."
            )

    def _require(self, key: Key, statuses: frozenset[Status], done: str) -> Order | None:
        """Refuse a request about an order that does not exist, or on which it would have no effect."""
        order = self.store.read_orders([key]).get(key)
        if order is None:
            if self.receipts.find(key) is None:
                raise problems.not_found("Check the id; your organization has no order with this one.")
            if Status.RESERVED not in statuses:
                raise problems.wrong_state(f"The order is RECEIVED and cannot be {done} yet; retry later.")
        elif order.status not in statuses:
            raise problems.wrong_state(f"The order is {order.status} and cannot be {done}.")
        return order

    def adjust(self, key: Key, delta: int) -> StockChange:
        stock = self.store.adjust(key, delta)
        if stock is None:
            current = self.store.read_stock([key]).get(key)
            if current is None:
                raise problems.not_found("Check the SKU; your organization has no product with this one.")
            raise problems.wrong_state(
                f"Only {current.available} of {current.stock} units are available; take fewer."
            )
        event = inventory_adjusted(stock, delta, str(uuid4()), self.clock())
        return StockChange(stock, published=not self.bus.publish([event]))

    def publish(self, tenant_id: str, idempotency_key: str, name: str, detail: Mapping[str, Any]) -> Event:
        model = domain.PUBLISHABLE[name]
        event = domain.shop_event(tenant_id, idempotency_key, model, detail, self.clock())
        if isinstance(event, ValidationError):
            raise body_problem(event, "detail")
        self._publish(event)
        return event

    def _publish(self, event: Event) -> None:
        if len(event.wire().encode()) > MAX_EVENT_BYTES:
            raise problems.too_large(MAX_EVENT_BYTES)
        if self.bus.publish([event]):
            self.telemetry.warning(LogEvent.PUBLISH_FAILED, events=1)
            raise problems.unavailable()
        self.telemetry.count(Metric.EVENTS_PUBLISHED, event=event.detail_type())

"""Orders that the projector has not processed yet: as the orders table has them, or as they were accepted."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from services.shared.ledger import Key, Line, Order
from services.shared.receipts import Receipt, Receipts

RECEIVED = "RECEIVED"


@dataclass(frozen=True, slots=True)
class UnprojectedOrder:
    order_id: str
    status: str
    customer_id: str
    lines: Sequence[Line]
    placed_at: datetime
    reason: str | None = None
    region: str | None = None
    channel: str | None = None
    payment_method: str | None = None
    amount_minor: int = 0
    currency: str | None = None
    """None: not priced yet."""


FindOrder: TypeAlias = Callable[[Key], UnprojectedOrder | None]


class OrderStore(Protocol):
    def read_orders(self, keys: Collection[Key]) -> Mapping[Key, Order]: ...


def find_unprojected(store: OrderStore, receipts: Receipts) -> FindOrder:
    def find(key: Key) -> UnprojectedOrder | None:
        order = store.read_orders([key]).get(key)
        if order is not None:
            return _stored(order)
        receipt = receipts.find(key)
        return _accepted(receipt) if receipt else None

    return find


def _stored(order: Order) -> UnprojectedOrder:
    return UnprojectedOrder(
        order_id=order.key.id,
        status=order.status,
        customer_id=order.customer_id,
        lines=order.lines,
        placed_at=order.placed_at,
        reason=order.reason,
        payment_method=order.payment_method,
        amount_minor=order.amount_minor,
        currency=order.currency,
    )


def _accepted(receipt: Receipt) -> UnprojectedOrder:
    body = receipt.body
    return UnprojectedOrder(
        order_id=receipt.key.id,
        status=RECEIVED,
        customer_id=body["customerId"],
        lines=[Line(it["sku"], it["quantity"], 0) for it in body["items"]],
        placed_at=receipt.accepted_at,
        region=body.get("region"),
        channel=body.get("channel"),
        payment_method=body.get("paymentMethod"),
    )

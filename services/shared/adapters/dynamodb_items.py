"""Ledger values as DynamoDB items and back: compact, readable in the console, a usual order under 1 KB."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from services.shared.events import rfc3339
from services.shared.ledger import Key, Line, Order, Payment, Price, Refund, Status, Stock, Transition

# Spelled out by hand: boto3's generic serializer costs several times as much per order.
Attribute = dict[str, Any]
Item = dict[str, Attribute]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that is not what it should be, so that no value could be made of it."""

    key: Key
    why: str


def readable(
    parse: Callable[[Mapping[str, Any]], T],
    items: Iterable[Mapping[str, Any]],
    report: Callable[[Unreadable], object] | None,
) -> Iterator[T]:
    """Parse row after row; one that cannot be read is reported and left out, or else ends the reading."""
    for item in items:
        try:
            value = parse(item)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if report is None:
                raise
            report(Unreadable(Key.of(item["pk"]["S"]), f"{type(error).__name__}: {error}"))
        else:
            yield value


def _text(value: str) -> Attribute:
    return {"S": value}


def _number(value: int) -> Attribute:
    return {"N": str(value)}


def _texts(values: Sequence[str]) -> Attribute:
    return {"L": [_text(value) for value in values]}


def stock_item(stock: Stock) -> Item:
    item = {
        "pk": _text(stock.key.pk),
        "stock": _number(stock.stock),
        "reserved": _number(stock.reserved),
        "available": _number(stock.available),
        "unitPriceMinor": _number(stock.price.minor),
        "currency": _text(stock.price.currency),
    }
    if stock.name is not None:
        item["name"] = _text(stock.name)
    return item


def stock_of(item: Mapping[str, Any]) -> Stock:
    return Stock(
        key=Key.of(item["pk"]["S"]),
        stock=int(item["stock"]["N"]),
        reserved=int(item["reserved"]["N"]),
        available=int(item["available"]["N"]),
        price=Price(int(item["unitPriceMinor"]["N"]), item["currency"]["S"]),
        name=item["name"]["S"] if "name" in item else None,
    )


def order_item(order: Order) -> Item:
    item: Item = {
        "pk": _text(order.key.pk),
        "status": _text(order.status.value),
        "version": _number(order.version),
        "customerId": _text(order.customer_id),
        "items": {"L": [_line(line, priced=order.currency is not None) for line in order.lines]},
        "placedAt": _text(rfc3339(order.placed_at)),
        "history": {"L": [_step(step) for step in order.history]},
    }
    if order.currency is not None:
        item["amountMinor"] = _number(order.amount_minor)
        item["currency"] = _text(order.currency)
    if order.payment_method is not None:
        item["paymentMethod"] = _text(order.payment_method)
    if order.expires_at is not None:
        item["expiresAt"] = _text(rfc3339(order.expires_at))
    if order.cancellable_until is not None:
        item["cancellableUntil"] = _text(rfc3339(order.cancellable_until))
    if order.reason is not None:
        item["reason"] = _text(order.reason)
    if order.blamed:
        item["blamed"] = _texts(order.blamed)
    if order.payment is not None:
        item["payment"] = {"M": _payment(order.payment)}
    return item


def order_of(item: Mapping[str, Any]) -> Order:
    history = tuple(_step_of(step["M"]) for step in item["history"]["L"])
    amount_minor = int(item["amountMinor"]["N"]) if "amountMinor" in item else 0
    return Order(
        key=Key.of(item["pk"]["S"]),
        status=Status(item["status"]["S"]),
        customer_id=item["customerId"]["S"],
        lines=tuple(_line_of(line["M"]) for line in item["items"]["L"]),
        placed_at=_moment(item["placedAt"]),
        history=history,
        amount_minor=amount_minor,
        currency=_optional(item, "currency"),
        payment_method=_optional(item, "paymentMethod"),
        expires_at=_moment(item["expiresAt"]) if "expiresAt" in item else None,
        cancellable_until=_moment(item["cancellableUntil"]) if "cancellableUntil" in item else None,
        reason=_optional(item, "reason"),
        blamed=tuple(sku["S"] for sku in item["blamed"]["L"]) if "blamed" in item else (),
        payment=_payment_of(item["payment"]["M"], amount_minor, history) if "payment" in item else None,
    )


def _optional(item: Mapping[str, Any], name: str) -> str | None:
    return item[name]["S"] if name in item else None


def _moment(attribute: Attribute) -> datetime:
    return datetime.fromisoformat(attribute["S"])


def _line(line: Line, *, priced: bool) -> Attribute:
    fields = {"sku": _text(line.sku), "quantity": _number(line.quantity)}
    if priced:
        fields["unitPriceMinor"] = _number(line.unit_price_minor)
    return {"M": fields}


def _line_of(fields: Mapping[str, Any]) -> Line:
    price = int(fields["unitPriceMinor"]["N"]) if "unitPriceMinor" in fields else 0
    return Line(fields["sku"]["S"], int(fields["quantity"]["N"]), price)


def _step(step: Transition) -> Attribute:
    return {
        "M": {
            "status": _text(step.status.value),
            "at": _text(rfc3339(step.at)),
            "eventId": _text(step.event_id),
        }
    }


def _step_of(fields: Mapping[str, Any]) -> Transition:
    return Transition(Status(fields["status"]["S"]), _moment(fields["at"]), fields["eventId"]["S"])


_PAYMENT_NAMES = {
    "charge_id": "chargeId",
    "declined": "declined",
    "intent_id": "intentId",
}


def _payment(payment: Payment) -> Item:
    named = {name: getattr(payment, field) for field, name in _PAYMENT_NAMES.items()}
    fields: Item = {name: _text(value) for name, value in named.items() if value is not None}
    if payment.pending:
        fields["pending"] = {"BOOL": True}
    if payment.refunds:
        fields["refunds"] = {"L": [_refund(refund) for refund in payment.refunds]}
    return fields


def _payment_of(fields: Mapping[str, Any], amount_minor: int, history: Sequence[Transition]) -> Payment:
    texts = {field: fields[name]["S"] for field, name in _PAYMENT_NAMES.items() if name in fields}
    refunds = (
        tuple(_refund_of(refund["M"]) for refund in fields["refunds"]["L"]) if "refunds" in fields else ()
    )
    if "refundId" in fields:
        refunds = (_whole_refund_of(fields, amount_minor, history),)
    return Payment(**texts, refunds=refunds, pending="pending" in fields)


def _refund(refund: Refund) -> Attribute:
    fields: Item = {
        "requestId": _text(refund.request_id),
        "amountMinor": _number(refund.amount_minor),
        "reason": _text(refund.reason),
    }
    if refund.restocked:
        fields["restocked"] = {"BOOL": True}
    if refund.id is not None:
        fields["id"] = _text(refund.id)
    if refund.at is not None:
        fields["at"] = _text(rfc3339(refund.at))
    return {"M": fields}


def _refund_of(fields: Mapping[str, Any]) -> Refund:
    return Refund(
        request_id=fields["requestId"]["S"],
        amount_minor=int(fields["amountMinor"]["N"]),
        reason=fields["reason"]["S"],
        restocked="restocked" in fields,
        id=_optional(fields, "id"),
        at=_moment(fields["at"]) if "at" in fields else None,
    )


def _whole_refund_of(fields: Mapping[str, Any], amount_minor: int, history: Sequence[Transition]) -> Refund:
    """Read a refund of before refunds could be partial: of all that was paid, by the last transition."""
    return Refund(
        request_id="",
        amount_minor=amount_minor,
        reason=fields["refundReason"]["S"] if "refundReason" in fields else "",
        restocked="restocked" in fields,
        id=fields["refundId"]["S"],
        at=history[-1].at,
    )

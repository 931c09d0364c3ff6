"""Orders and stock as `--json` prints them: field names as in events, absent fields left out."""

from typing import Any

from scripts.ops.dlq.messages import dead_letter_view
from scripts.ops.orders.timeline import OrderTimeline
from services.shared.events import rfc3339
from services.shared.ledger import Order, Payment, Refund, Stock

View = dict[str, Any]


def order_view(order: Order) -> View:
    return _present(
        {
            "orderId": order.key.id,
            "tenantId": order.key.tenant_id,
            "status": order.status.value,
            "reason": order.reason,
            "skus": list(order.blamed) or None,
            "customerId": order.customer_id,
            "items": [
                {"sku": line.sku, "quantity": line.quantity, "unitPriceMinor": line.unit_price_minor}
                for line in order.lines
            ],
            "amountMinor": order.amount_minor,
            "currency": order.currency,
            "paymentMethod": order.payment_method,
            "payment": _payment_view(order.payment) if order.payment else None,
            "placedAt": rfc3339(order.placed_at),
            "expiresAt": rfc3339(order.expires_at) if order.expires_at else None,
            "timeline": [
                {"status": step.status.value, "at": rfc3339(step.at), "eventId": step.event_id}
                for step in order.history
            ],
        }
    )


def timeline_view(timeline: OrderTimeline) -> View:
    """Add events, log lines and dead letters to an order."""
    key, order = timeline.key, timeline.order
    return {
        **(order_view(order) if order else {"orderId": key.id, "tenantId": key.tenant_id, "status": None}),
        "events": [
            {"event": event.detail_type(), "eventId": event.event_id, "at": rfc3339(event.occurred_at)}
            for event in timeline.events
        ],
        "logs": [
            {**line.fields, "at": rfc3339(line.at), "function": line.function, "message": line.message}
            for line in timeline.log_entries
        ],
        "traceIds": timeline.traces,
        "deadLetters": [dead_letter_view(dead_letter) for dead_letter in timeline.dlq_messages],
    }


def _payment_view(payment: Payment) -> View:
    return _present(
        {
            "chargeId": payment.charge_id,
            "declined": payment.declined,
            "refundedMinor": payment.refunded_minor or None,
            "refunds": [_refund_view(refund) for refund in payment.refunds] or None,
            "restocked": payment.restocked or None,
        }
    )


def _refund_view(refund: Refund) -> View:
    return _present(
        {
            "refundId": refund.id,
            "requestId": refund.request_id or None,
            "amountMinor": refund.amount_minor,
            "reason": refund.reason,
            "restocked": refund.restocked or None,
            "refundedAt": rfc3339(refund.at) if refund.at else None,
        }
    )


def stock_view(stock: Stock) -> View:
    return {
        "sku": stock.key.id,
        "tenantId": stock.key.tenant_id,
        "name": stock.name,
        "stock": stock.stock,
        "reserved": stock.reserved,
        "available": stock.available,
        "unitPriceMinor": stock.price.minor,
        "currency": stock.price.currency,
    }


def _present(view: View) -> View:
    return {name: value for name, value in view.items() if value is not None}


def money(minor: int, currency: str | None) -> str:
    """Format an amount in minor units: 1999 EUR is 19.99 EUR."""
    digits = _DIGITS.get(currency or "", 2)
    if digits == 0:
        return f"{minor} {currency or ''}".rstrip()
    whole, part = divmod(minor, 10**digits)
    return f"{whole}.{part:0{digits}} {currency or ''}".rstrip()


# ISO 4217 currencies whose minor unit is not two digits.
_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_DIGITS = {
    **{_NO_DIGITS[at : at + 3]: 0 for at in range(0, len(_NO_DIGITS), 4)},
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}

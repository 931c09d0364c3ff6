"""What a run asks of the system: a seeded mix of orders, what may become of each, and events that are none.

Pure: the same seed and number of orders give the same plan.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from services.shared.ledger import Key, Price, Stock

Detail = dict[str, Any]

CONFIRMED = "CONFIRMED"
REFUNDED = "REFUNDED"
DECLINED = "CANCELLED payment_failed"
EXPIRED = "CANCELLED reservation_expired"
CALLED_OFF = "CANCELLED customer_request"
OUT_OF_STOCK = "REJECTED out_of_stock"
UNKNOWN_SKU = "REJECTED unknown_sku"
MIXED = "REJECTED currency_mismatch"

TENANT = "default"
BUS = "bus"
_PLENTY, _SCARCE, _FOREIGN, _FREE = "plenty", "scarce", "foreign", "free"
_PLENTIFUL_SKUS = 20
_SCARCE_SKUS = 3


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """An order as it was placed, and the ends it may come to."""

    kind: str
    detail: Detail
    ends: frozenset[str]

    @property
    def order_id(self) -> str:
        return str(self.detail["orderId"])

    @property
    def quantities(self) -> dict[str, int]:
        totals: dict[str, int] = {}
        for item in self.detail["items"]:
            totals[item["sku"]] = totals.get(item["sku"], 0) + item["quantity"]
        return totals


@dataclass(frozen=True, slots=True)
class Poison:
    """A message nobody can read, recognised by its mark, and where it must end and why."""

    mark: str
    functions: frozenset[str]
    reason: str


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be sent: an event to the bus, or a body straight to the queue of a function."""

    to: str
    name: str
    detail: Detail
    body: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    stock: tuple[Stock, ...]
    orders: Mapping[str, PlannedOrder]
    poison: tuple[Poison, ...]
    messages: tuple[Message, ...]
    """In the order in which they are sent, which is not the order in which they make sense."""


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    weight: float
    ends: frozenset[str]
    method: str | None = None
    sku_group: str = _PLENTY
    then: str | None = None
    """What else is said of the order, before or after it."""
    late: bool = False
    """It is said when the order is likely to be paid, and more than once."""


def _ends(*ends: str) -> frozenset[str]:
    return frozenset(ends)


# A payment may come too late on a busy day, and while cards are refused every order may meet that.
_UNLUCKY = (EXPIRED, DECLINED)
_KINDS = (
    _Kind("plain", 50, _ends(CONFIRMED, *_UNLUCKY)),
    _Kind("plain card", 8, _ends(CONFIRMED, *_UNLUCKY), method="sim_ok"),
    _Kind("slow", 3, _ends(CONFIRMED, *_UNLUCKY), method="sim_slow"),
    _Kind("scarce", 10, _ends(CONFIRMED, OUT_OF_STOCK, *_UNLUCKY), sku_group=_SCARCE),
    _Kind("free", 2, _ends(CONFIRMED, EXPIRED), sku_group=_FREE),
    _Kind("declined", 5, _ends(*_UNLUCKY), method="sim_declined"),
    _Kind("no funds", 3, _ends(*_UNLUCKY), method="sim_insufficient_funds"),
    _Kind("unpayable", 3, _ends(EXPIRED), method="sim_unavailable"),
    _Kind("unknown sku", 2, _ends(UNKNOWN_SKU), sku_group="nowhere"),
    _Kind("two currencies", 2, _ends(MIXED), sku_group=_FOREIGN),
    _Kind("cancelled", 6, _ends(CALLED_OFF, REFUNDED, *_UNLUCKY), then="OrderCancellationRequested"),
    _Kind(
        "unpaid, cancelled",
        2,
        _ends(CALLED_OFF, EXPIRED),
        method="sim_unavailable",
        then="OrderCancellationRequested",
    ),
    _Kind(
        "regretted", 4, _ends(CALLED_OFF, REFUNDED, *_UNLUCKY), then="OrderCancellationRequested", late=True
    ),
    _Kind("refunded", 4, _ends(REFUNDED, *_UNLUCKY), then="RefundRequested"),
)
_OUTAGES = ((0.15, 0.22), (0.55, 0.62))
"""Parts of the run in which the gateway does not answer for many cards."""
_UNPAYABLE_IN_OUTAGE = 8
_EARLY = 40
_LATE = 250
_SHUFFLE = 25
_TWICE = 0.15
_POISON_EVERY = 25


def make_plan(orders: int, seed: int) -> Plan:
    dice = Random(seed)
    stock = _shelves(orders)
    planned: dict[str, PlannedOrder] = {}
    poison: list[Poison] = []
    timed: list[tuple[float, Message]] = []
    for n in range(orders):
        kind, one = _order(dice, n, n / orders)
        planned[one.order_id] = one
        timed += _timed(dice, n, Message(BUS, "OrderPlaced", one.detail))
        if kind.then is not None:
            more = _more(dice, kind.then, one)
            timed += _timed(dice, n + _LATE, more, twice=1.0) if kind.late else _timed(dice, n, more)
        if n % _POISON_EVERY == 0:
            bad, message = _MALFORMED[len(poison) % len(_MALFORMED)](f"poison-{seed}-{n}")
            poison.append(bad)
            timed.append((n + _SHUFFLE * dice.random(), message))
    timed.sort(key=lambda pair: pair[0])
    return Plan(stock, planned, tuple(poison), tuple(message for _, message in timed))


def _shelves(orders: int) -> tuple[Stock, ...]:
    def sku_group(sku: str, units: int, price: int, currency: str = "USD") -> Stock:
        return Stock(Key(TENANT, sku), units, 0, units, Price(price, currency))

    return (
        *(sku_group(f"{_PLENTY}-{n}", 20 * orders, 100 + n) for n in range(_PLENTIFUL_SKUS)),
        # About half of those who want it can have it.
        *(sku_group(f"{_SCARCE}-{n}", max(1, orders // 60), 999) for n in range(_SCARCE_SKUS)),
        sku_group(f"{_FREE}-0", 20 * orders, 0),
        sku_group(f"{_FOREIGN}-0", 20 * orders, 500, "EUR"),
    )


def _order(dice: Random, n: int, progress: float) -> tuple[_Kind, PlannedOrder]:
    outage = any(begin <= progress < end for begin, end in _OUTAGES)
    weights = [
        kind.weight * (_UNPAYABLE_IN_OUTAGE if outage and kind.method == "sim_unavailable" else 1)
        for kind in _KINDS
    ]
    (kind,) = dice.choices(_KINDS, weights)
    detail: Detail = {
        "orderId": f"order-{n}",
        "customerId": f"customer-{dice.randrange(200)}",
        "items": list(_items(dice, kind.sku_group)),
    }
    if kind.method is not None:
        detail["paymentMethod"] = kind.method
    if kind.name == "declined" and dice.random() < 1 / 2:
        detail = {**detail, "orderId": f"test-failure-{n}", "paymentMethod": "sim_ok"}
    return kind, PlannedOrder(kind.name, detail, kind.ends)


def _items(dice: Random, sku_group: str) -> Iterator[Detail]:
    if sku_group == _SCARCE:
        yield {"sku": f"{_SCARCE}-{dice.randrange(_SCARCE_SKUS)}", "quantity": 1}
        return
    if sku_group in (_FREE, "nowhere"):
        yield {"sku": f"{sku_group}-0", "quantity": dice.randint(1, 3)}
        return
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        # The same SKU may come twice, which the system has to add up.
        yield {"sku": f"{_PLENTY}-{dice.randrange(_PLENTIFUL_SKUS)}", "quantity": dice.randint(1, 3)}
    if sku_group == _FOREIGN:
        yield {"sku": f"{_FOREIGN}-0", "quantity": 1}


def _more(dice: Random, name: str, planned: PlannedOrder) -> Message:
    about = {"orderId": planned.order_id}
    if name == "RefundRequested":
        return Message(BUS, name, {**about, "restock": dice.random() < 1 / 2})
    return Message(BUS, name, {**about, "reason": "changed my mind"})


def _timed(
    dice: Random, n: float, message: Message, *, twice: float = _TWICE
) -> Iterator[tuple[float, Message]]:
    """Say when a message and its copies are sent, around its turn; what is about an order may precede it."""
    early = message.name != "OrderPlaced" and dice.random() < 1 / 2
    at = n - _EARLY * dice.random() if early else n + _SHUFFLE * dice.random()
    copies = 1 + (dice.randint(1, 3) if dice.random() < twice else 0)
    for copy in range(copies):
        yield at + _SHUFFLE * dice.random() * copy, message


# --- malformed ---------------------------------------------------------------------------------------

Malformed = Callable[[str], tuple[Poison, Message]]


def _event(name: str, functions: Sequence[str], fault: Detail) -> Malformed:
    """Make an event that goes through the bus like any other, and cannot be read."""

    def malformed(mark: str) -> tuple[Poison, Message]:
        order = {"orderId": mark, "customerId": "c", "items": [{"sku": f"{_PLENTY}-0", "quantity": 1}]}
        # The projector hears every event.
        return Poison(mark, frozenset({*functions, "projector"}), "invalid_event"), Message(
            BUS, name, {**order, "mark": mark, **fault}
        )

    return malformed


def _body(function: str, reason: str, template: str) -> Malformed:
    """Make a message that somebody put straight into a queue."""

    def malformed(mark: str) -> tuple[Poison, Message]:
        body = template.replace("MARK", mark)
        return Poison(mark, frozenset({function}), reason), Message(function, "", {}, body)

    return malformed


def _envelope(name: str, detail: object) -> str:
    return json.dumps({"id": "MARK", "time": "2026-01-31T12:00:00Z", "detail-type": name, "detail": detail})


_MALFORMED: tuple[Malformed, ...] = (
    _event("OrderPlaced", ["order", "webhook-fanout"], {"items": []}),
    _body("order", "invalid_json", "{not JSON MARK"),
    _event("OrderPlaced", ["order", "webhook-fanout"], {"items": [{"sku": "x", "quantity": "2"}]}),
    _body("payment", "unexpected_event", _envelope("OrderPlaced", {"orderId": "MARK"})),
    _event("RefundRequested", ["payment"], {"orderId": None}),
    _event("PaymentRequested", ["payment", "expiry"], {"amountMinor": -1}),
    _body("order", "invalid_envelope", _envelope("OrderPlaced", "MARK")),
    _event("OrderCancellationRequested", ["order"], {"orderId": "a#b"}),
    _body("expiry", "invalid_envelope", '["MARK"]'),
    _event("OrderPlaced", ["order", "webhook-fanout"], {"placedAt": "yesterday"}),
)

"""Orders as customers of the sample catalogue would place them: varied, most of them paid, some refused."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final, TypeVar

from scripts.ops.inventory import Product
from scripts.ops.orders.order_input import OrderInput

T = TypeVar("T")

_REGIONS: Final = {"eu-west": 5, "us-east": 4, "ap-south": 2}
_CHANNELS: Final = {"web": 6, "app": 3, "store": 1}
_PAYMENT_METHODS: Final = {"sim_ok": 90, "sim_declined": 5, "sim_insufficient_funds": 3, "sim_slow": 2}
_QUANTITIES: Final = {1: 7, 2: 2, 3: 1}
_CUSTOMERS: Final = 40
_MOST_ITEMS: Final = 3
_LEAST_WEIGHT: Final = 100
"""Of products that are scarce or sold out: some of their orders are to be seen refused."""


def demo_orders(run: str, count: int, products: Sequence[Product], rng: Random) -> Iterator[OrderInput]:
    """Generate orders whose ids begin with the id of the run; what is stocked most is ordered most."""
    width = len(str(count))
    for number in range(1, count + 1):
        order_id = f"{run}-{number:0{width}}"
        yield OrderInput(order_id, {"orderId": order_id, **_order(products, rng)})


def _order(products: Sequence[Product], rng: Random) -> dict[str, Any]:
    (first,) = _chosen(products, rng, 1)
    # An order has one currency.
    others = [it for it in products if it.currency == first.currency and it != first]
    more = _chosen(others, rng, rng.randrange(_MOST_ITEMS)) if others else []
    items = {it.sku: _drawn(_QUANTITIES, rng) for it in (first, *more)}
    return {
        "customerId": f"demo-customer-{rng.randint(1, _CUSTOMERS):02}",
        "items": [{"sku": sku, "quantity": quantity} for sku, quantity in items.items()],
        "region": _drawn(_REGIONS, rng),
        "channel": _drawn(_CHANNELS, rng),
        "paymentMethod": _drawn(_PAYMENT_METHODS, rng),
    }


def _chosen(products: Sequence[Product], rng: Random, count: int) -> list[Product]:
    return rng.choices(products, [max(it.stock, _LEAST_WEIGHT) for it in products], k=count)


def _drawn(weights: dict[T, int], rng: Random) -> T:
    (value,) = rng.choices(list(weights), list(weights.values()))
    return value

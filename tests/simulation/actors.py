"""People: customers who order, change their minds and misspell; publishers who repeat; an operator."""

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from services.shared.adapters.dynamodb_items import stock_item
from services.shared.adapters.dynamodb_store import DynamoDBStore
from services.shared.errors import StoreUnavailableError
from services.shared.events import rfc3339
from services.shared.ledger import Key, Price, Stock
from tests.simulation.consumers import store
from tests.simulation.dynamodb import INVENTORY, Change
from tests.simulation.faults import Fault
from tests.simulation.invariants import Wish
from tests.simulation.story import label
from tests.support.fakes import START

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.world import World

SKUS = ("apple", "pear", "plum", "fig")
_METHODS = (*("ok",) * 7, "declined", "declined", "never answered", "pending", "pending")
BANK_TRANSFER = "bank transfer"
RUSH = 20.0
"""Seconds within which most orders are placed."""
LATE = 1_600.0
"""When the last orders are placed, after the faults, with processes that have been through them."""
_QUEUES = {
    "OrderPlaced": ("order",),
    "OrderCancellationRequested": ("order",),
    "PaymentRequested": ("payment", "expiry"),
    "RefundRequested": ("payment",),
}
_UNREADABLE: tuple[tuple[str, dict[str, object]], ...] = (
    ("OrderPlaced", {"orderId": "poison-1"}),
    ("OrderPlaced", {"orderId": "poison-2", "customerId": "c", "items": []}),
    ("OrderPlaced", {"orderId": "poison-3", "customerId": "c", "items": [{"sku": "apple", "quantity": 0}]}),
    ("OrderPlaced", {"orderId": "a#b", "customerId": "c", "items": [{"sku": "apple", "quantity": 1}]}),
    ("OrderCancellationRequested", {"reason": "no order named"}),
    ("PaymentRequested", {"orderId": "poison-4", "amountMinor": "much"}),
    ("RefundRequested", {"orderId": "poison-5", "restock": "perhaps"}),
)
_NOT_EVEN_EVENTS = (
    "not json",
    "[]",
    '{"detail-type": "OrderPlaced"}',
    '{"detail-type": "Ghost", "detail": {}}',
)


class Shop:
    """Plans one day of business, from the seed."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._random: Random = world.random
        self._published = 0
        self._tenants = ("default", "default", "acme") if self._random.random() < 0.2 else ("default",)
        self._apart = world.fault_mix.kinds == {Fault.SKU_BUSY}
        """Whether most orders share no SKU: only then can one that is busy hold up a stranger's."""
        self._skus = SKUS if self._apart else SKUS[: self._random.randint(1, len(SKUS))]
        often = Fault.POSTPONEMENT_FAILED in world.fault_mix.kinds
        self._takes_transfers = self._random.random() < (0.3 if often else 0.05)
        self._currencies = ("USD", "EUR") if self._random.random() < 0.15 else ("USD",)

    def open(self) -> None:
        random = self._random
        for tenant in sorted(set(self._tenants)):
            for sku in self._skus:
                if not self._world.network.strikes(Fault.SKU_LAUNCHED, f"{sku} comes later"):
                    self._stock(
                        Key(tenant, sku), random.choice((0, 2, 5, 9, 20)), random.choice((0, 150, 999))
                    )
        for number in range(1, random.randint(2, 9)):
            at = random.uniform(0, RUSH) if random.random() < 0.5 else 1.0
            self._customer(Key(random.choice(self._tenants), f"order-{number}"), at)
        for number in range(random.choice((0, 0, 2))):
            self._customer(
                Key(random.choice(self._tenants), f"late-{number}"), LATE + random.uniform(0, RUSH)
            )
        for _ in range(random.choice((0, 0, 3, 12))):
            self._at(random.uniform(0, 30), self._operate)
        for _ in range(random.randint(0, 3)):
            self._at(random.uniform(0, RUSH), self._misspell)

    def _stock(self, key: Key, units: int, price: int) -> None:
        stock = Stock(key, units, 0, units, Price(price, self._random.choice(self._currencies)))
        item = stock_item(stock)
        self._world.database.tables[INVENTORY][key.pk] = item
        self._world.database.on_commit([Change(INVENTORY, None, item)])

    def _at(self, seconds: float, action: Callable[[], None]) -> None:
        self._world.scheduler.after(seconds, action)

    # --- customers ------------------------------------------------------------------------------------

    def _customer(self, key: Key, at: float) -> None:
        random, network = self._random, self._world.network
        self._at(at, partial(self._place, key))
        if network.strikes(Fault.ID_REUSED, orders=(label(*key),)):
            self._at(at + random.uniform(0, 5), partial(self._place, key))
        if network.strikes(Fault.FORGED, f"{Fault.FORGED}, soon", (label(*key),)):
            self._at(at + random.uniform(0, 60), partial(self._forge, key))
        if network.strikes(Fault.ANSWER_FORGED, f"{Fault.ANSWER_FORGED}, soon", (label(*key),)):
            self._at(at + random.uniform(0, 60), partial(self._world.answers.forge, key))
        for fault, act in (
            (Fault.CALLED_OFF, self._call_off),
            (Fault.REFUND_REQUESTED, self._ask_for_refund),
        ):
            while network.strikes(fault, f"{fault}, soon", (label(*key),)):
                moment = at + random.choice((-1, 0.3, 1, 3, 10, 60, 900)) * random.uniform(0.5, 1.5)
                self._at(max(0.0, moment), partial(act, key))

    def _place(self, key: Key) -> None:
        random = self._random
        skus = (*self._skus, *self._skus, *self._skus, "ghost") if random.random() < 0.3 else self._skus
        lines = [
            (random.choice(skus), random.choice((1, 1, 2, 3))) for _ in range(random.choice((1, 1, 2, 3)))
        ][: 1 if self._apart else None]
        totals: dict[str, int] = {}
        for sku, quantity in lines:
            totals[sku] = totals.get(sku, 0) + quantity
        customer = f"customer-{random.randint(1, 3)}"
        method = BANK_TRANSFER if self._takes_transfers and random.random() < 0.3 else random.choice(_METHODS)
        self._world.watch.wishes[key].append(Wish(customer, tuple(sorted(totals.items())), method))
        self._world.watch.accepted_at.setdefault(key, self._world.scheduler.now)
        self._world.story.info(f"orders {dict(totals)}", (label(*key),))
        self._publish(
            "OrderPlaced",
            key,
            customerId=customer,
            items=[{"sku": sku, "quantity": quantity} for sku, quantity in lines],
            paymentMethod=method,
        )

    def _call_off(self, key: Key) -> None:
        self._world.watch.called_off.add(key)
        self._publish("OrderCancellationRequested", key)

    def _ask_for_refund(self, key: Key) -> None:
        restock = self._random.random() < 0.5
        if self._random.random() < 0.5:
            self._world.watch.refunds_requested.add(key)
            self._publish("RefundRequested", key, restock=restock)
            return
        amount = self._random.choice((1, 150, 150, 300, 999, 2_000))
        parts = self._world.watch.parts_requested[key]
        request_id = f"part-{len(parts) + 1}"
        parts[request_id] = amount
        self._publish("RefundRequested", key, eventId=request_id, amountMinor=amount, restock=restock)

    def _forge(self, key: Key) -> None:
        """Ask for a payment as only the order service does, with an amount and a time of one's own."""
        self._world.watch.forged.add(key)
        self._publish(
            "PaymentRequested",
            key,
            customerId="a stranger",
            items=[{"sku": "apple", "quantity": 1, "unitPriceMinor": 1}],
            amountMinor=1,
            currency="USD",
            placedAt=rfc3339(START),
            expiresAt=rfc3339(START),
        )

    def _publish(self, name: str, key: Key, **fields: Any) -> None:  # noqa: ANN401 - what the event says
        detail = {"orderId": key.id, **fields}
        if key.tenant_id != "default":
            detail["tenantId"] = key.tenant_id
        if "eventId" not in detail and self._random.random() < 0.5:
            self._published += 1
            detail["eventId"] = f"published-{self._published}"
        text = json.dumps(detail)
        self._world.bus.accept("shop", name, text)
        if self._world.network.strikes(Fault.PUBLISHED_TWICE, orders=(label(*key),)):
            self._at(self._random.choice((0.0, 0.1, 5.0, 300.0)), lambda: self._republish(name, text))

    def _republish(self, name: str, text: str) -> None:
        self._world.bus.accept("shop", name, text)

    def _misspell(self) -> None:
        world, random = self._world, self._random
        if not world.network.strikes(Fault.MALFORMED):
            return
        if random.random() < 0.3:
            name, body = random.choice(("order", "payment", "expiry")), random.choice(_NOT_EVEN_EVENTS)
            world.watch.poison.add((name, body))
            world.queues[name].send(body, 0)
            return
        kind, detail = random.choice(_UNREADABLE)
        body = world.bus.accept("shop", kind, json.dumps(detail))
        world.watch.poison.update((name, body) for name in _QUEUES[kind])

    # --- the operator ---------------------------------------------------------------------------------

    def _operate(self) -> None:
        random = self._random
        key = Key(random.choice(self._tenants), random.choice(self._skus))
        network = self._world.network
        if key not in self._world.watch.stock or network.strikes(
            Fault.PRICE_CHANGED, f"{key.pk}: {Fault.PRICE_CHANGED}"
        ):
            price = Price(random.choice((0, 150, 500, 999)), random.choice(self._currencies))
            self._operator(lambda ops: ops.set_stock(key, price=price))
        if network.strikes(Fault.CURRENCY_CHANGED, f"{key.pk}: {Fault.CURRENCY_CHANGED}"):
            price = Price(random.choice((150, 500)), random.choice(("USD", "EUR")))
            # Often a shop changes the currency of all it sells, one SKU after the other.
            skus = self._skus if random.random() < 0.5 else (key.id,)
            for sku in skus:
                self._operator(partial(DynamoDBStore.set_stock, key=Key(key.tenant_id, sku), price=price))
        if network.strikes(Fault.STOCK_CHANGED, f"{key.pk}: {Fault.STOCK_CHANGED}"):
            units = random.choice((-2, 1, 3, 6))
            self._operator(lambda ops: ops.adjust(key, units))
        if network.strikes(Fault.STOCK_CHANGED, f"{key.pk}: {Fault.STOCK_CHANGED}"):
            units = random.randint(0, 9)
            self._operator(
                lambda ops: ops.set_stock(key, stock=units) if key in self._world.watch.stock else None
            )

    def _operator(self, act: Callable[[DynamoDBStore], object]) -> None:
        """Act from a desk where every call gets through: whether it did must be known to the books."""
        actor = self._world.scheduler.spawn("operator", lambda: self._log_result(self._insist(act)))
        actor.spared = True

    def _insist(self, act: Callable[[DynamoDBStore], object]) -> object:
        """Repeat an act that meets an order's transaction, as its message asks for."""
        while True:
            try:
                return act(store(self._world))
            except StoreUnavailableError:
                self._world.scheduler.sleep(0.1)

    def _log_result(self, result: object) -> None:
        self._world.story.info(f"now {result}" if result else "the operator is refused")

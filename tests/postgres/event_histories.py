"""Random event histories of a few orders, customers and SKUs."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

from services.shared.events import Event
from tests.postgres.events import Contract, Interval, Shop, adjusted, at

TENANTS = ("acme", "globex")
CURRENCIES = ("USD", "EUR", "JPY")
_FIRST = at("2025-11-20", "00:00")
_DAYS = 130
_INTERVALS: Final[Sequence[Interval]] = ("week", "month", "quarter", "year")


MakeEvent = Callable[[Shop], Event]


class DemoData:
    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)  # noqa: S311 - the same history for the same seed

    def events(self, *, orders: int, contracts: int) -> list[Event]:
        """Return the events in the order in which they happened."""
        values = [event for number in range(orders) for event in self._order(f"order-{number}")]
        values += [event for number in range(contracts) for event in self._contract(f"sub-{number}")]
        values += [self._adjusted(f"adjustment-{number}") for number in range(10)]
        return sorted(values, key=lambda event: (event.occurred_at, event.event_id))

    def batches(self, events: list[Event]) -> list[list[Event]]:
        """Return the events in no order, some of them more than once, in batches of any size."""
        chance = self._chance
        arrived = [*events, *chance.choices(events, k=len(events) // 3)]
        chance.shuffle(arrived)
        batches: list[list[Event]] = []
        while arrived:
            size = chance.choice((1, 2, 5, 20, 60))
            batches.append(arrived[:size])
            arrived = arrived[size:]
        return batches

    def _when(self) -> datetime:
        # Few enough moments for some to be the same, and ends of months among them.
        if self._chance.random() < 0.1:
            return at(self._chance.choice(("2025-12-01", "2026-01-01", "2026-02-01")), "00:00")
        return _FIRST + timedelta(
            days=self._chance.randrange(_DAYS), microseconds=self._chance.randrange(10**6)
        )

    def _order(self, order_id: str) -> list[Event]:
        """Make some of the possible events of an order, with contradicting contents."""
        chance = self._chance
        tenant = chance.choice(TENANTS)

        def shop_variant() -> Shop:
            lines = [
                (f"sku-{chance.randrange(5)}", chance.randint(1, 3), chance.choice((0, 250, 999)))
                for _ in range(chance.randint(1, 3))
            ]
            customer = f"customer-{chance.randrange(5)}"
            return Shop(
                order_id, tenant=tenant, customer=customer, lines=lines, currency=chance.choice(CURRENCIES)
            )

        region = chance.choice((None, "EU", "US"))
        channel = (None, "app", "web")[len(order_id) % 2 + (region == "EU")]
        makers: Sequence[MakeEvent] = [
            lambda shop: shop.placed(self._when(), region=region, channel=channel),
            lambda shop: shop.placed(self._when(), region="EU", event_id=f"{order_id}-again"),
            lambda shop: shop.requested(self._when()),
            lambda shop: shop.processed(self._when()),
            lambda shop: shop.failed(self._when()),
            lambda shop: shop.rejected(self._when()),
            lambda shop: shop.cancelled(self._when()),
            lambda shop: shop.refund_requested(self._when()),
            lambda shop: shop.refunded(self._when(), restocked=chance.random() < 0.5),
        ]
        some = chance.sample(makers, chance.randint(1, len(makers)))
        if chance.random() < 0.6:
            some.append(lambda shop: shop.confirmed(self._when()))
        events = [one(shop_variant()) for one in some]
        return [*events, *(self._part(shop_variant(), n) for n in range(chance.choice((0, 0, 0, 1, 3))))]

    def _part(self, shop: Shop, number: int) -> Event:
        """Give back a part of what was paid; two refunds may come under one id of the gateway."""
        return shop.refunded(
            self._when(),
            event_id=f"{shop.order_id}-part-{number}",
            refund_id=f"re-{self._chance.randrange(3)}",
            amount_minor=self._chance.randrange(1, 400),
        )

    def _contract(self, subscription_id: str) -> list[Event]:
        chance = self._chance
        contract = Contract(
            subscription_id, tenant=chance.choice(TENANTS), customer=f"customer-{chance.randrange(5)}"
        )
        events: list[Event] = []
        for _ in range(chance.randint(1, 6)):
            day = f"{self._when():%Y-%m-%d}"
            effective = {"effective_at": self._when() if chance.random() < 0.5 else None}
            if chance.random() < 0.3:
                events.append(contract.cancelled(day, **effective))
                continue
            makers = chance.choice((contract.started, contract.changed))
            amount = chance.choice((0, 999, 1_000, 12_000))
            interval = chance.choice(_INTERVALS)
            currency = chance.choice(CURRENCIES)
            events.append(makers(day, amount, interval, currency=currency, **effective))
        return events

    def _adjusted(self, event_id: str) -> Event:
        chance = self._chance
        return adjusted(
            f"sku-{chance.randrange(3)}",
            self._when(),
            stock=chance.randrange(50),
            tenant_id=chance.choice(TENANTS),
            event_id=event_id,
        )

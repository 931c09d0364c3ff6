"""The shops that a made-up past is about: what they sell, where, to whom, and for how much."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product as pairs
from random import Random
from typing import Final

from scripts.demo_data.rng import Weighted, chance

_KINDS: Final = {
    "Espresso beans": 1_290,
    "Filter beans": 1_190,
    "Grinder": 5_900,
    "Kettle": 3_900,
    "Dripper": 1_900,
    "Scale": 2_900,
    "Moka pot": 2_400,
    "Milk jug": 1_400,
}
"""Each with the price of its cheapest."""
_LINES: Final = ("Classic", "Compact", "Everyday", "Family", "Travel", "Studio", "Heritage", "Reserve")
_DEARER: Final = 2.5
_PRICE_STEP_MINOR: Final = 50

HOME_CURRENCY: Final = "USD"
OTHER_CURRENCY: Final = "EUR"


@dataclass(frozen=True, slots=True)
class Region:
    name: str
    share: float
    currency: str


@dataclass(frozen=True, slots=True)
class Product:
    sku: str
    name: str
    price_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Plan:
    name: str
    month_minor: int

    @property
    def year_minor(self) -> int:
        """Two months of twelve are free to whoever pays for the year."""
        return 10 * self.month_minor


@dataclass(frozen=True, slots=True)
class Customer:
    name: str
    region: Region
    channel: str


REGIONS: Final = (
    Region("us-east", 0.33, HOME_CURRENCY),
    Region("us-west", 0.21, HOME_CURRENCY),
    Region("eu-central", 0.23, OTHER_CURRENCY),
    Region("eu-west", 0.13, OTHER_CURRENCY),
    Region("ap-southeast", 0.10, HOME_CURRENCY),
)
CHANNELS: Final = Weighted(("web", "mobile", "marketplace", "store"), (0.54, 0.31, 0.10, 0.05))
PAYMENT_METHODS: Final = Weighted(("card", "wallet", "transfer"), (0.68, 0.21, 0.11))
PLANS: Final = (Plan("basic", 900), Plan("plus", 2_900), Plan("pro", 7_900), Plan("team", 19_900))


def products(seed: int) -> list[Product]:
    """Draw what is sold, of each currency the most popular first."""
    return [product for currency in (HOME_CURRENCY, OTHER_CURRENCY) for product in _range(seed, currency)]


def popularity(sold: Sequence[Product]) -> dict[str, Weighted[Product]]:
    """In each currency, the second sells half as often as the first, the third a third as often."""
    kinds = {
        currency: [product for product in sold if product.currency == currency]
        for currency in (HOME_CURRENCY, OTHER_CURRENCY)
    }
    return {
        currency: Weighted(kind, [1 / rank for rank in range(1, len(kind) + 1)])
        for currency, kind in kinds.items()
    }


def _range(seed: int, currency: str) -> list[Product]:
    draw = chance(seed, "products", currency)
    kinds = list(pairs(_KINDS, _LINES))
    draw.shuffle(kinds)
    return [
        Product(f"{currency.lower()}-{n:03}", f"{kind}, {of.lower()}", _price(_KINDS[kind], draw), currency)
        for n, (kind, of) in enumerate(kinds, 1)
    ]


def _price(cheapest: int, draw: Random) -> int:
    dear = int(cheapest * (1 + draw.random() * draw.random() * _DEARER))
    return dear // _PRICE_STEP_MINOR * _PRICE_STEP_MINOR + _PRICE_STEP_MINOR - 10


class Customers:
    """Everybody who ever bought. They come one after the other, but for some who are there from the first."""

    _THERE_AT_FIRST = 0.15

    def __init__(self, seed: int, count: int) -> None:
        self.count = count
        draw = chance(seed, "customers")
        regions = Weighted(range(len(REGIONS)), [region.share for region in REGIONS])
        # A byte each: there may be millions.
        self._regions, self._channels = bytearray(count), [""] * count
        for number in range(count):
            self._regions[number] = regions.pick(draw)
            self._channels[number] = CHANNELS.pick(draw)

    def __getitem__(self, number: int) -> Customer:
        return Customer(f"customer-{number:06}", REGIONS[self._regions[number]], self._channels[number])

    def one_of_those_there(self, share: float, luck: float) -> Customer:
        """Pick who buys when this share of everything has happened; who came of late buys more often."""
        there = max(1, int(self.count * (self._THERE_AT_FIRST + (1 - self._THERE_AT_FIRST) * share)))
        return self[there - 1 - int(there * luck * luck)]

    def came(self, number: int) -> float:
        """Return which share of everything had happened when this customer came."""
        return max(0.0, (number / self.count - self._THERE_AT_FIRST) / (1 - self._THERE_AT_FIRST))

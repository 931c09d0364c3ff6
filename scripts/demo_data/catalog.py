"""The catalogue of the demo data: products, regions, channels, plans and customers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product as pairs
from random import Random
from typing import Final

from scripts.demo_data.rng import Weighted, seeded_random

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
"""Product kinds with their lowest price."""
_LINES: Final = ("Classic", "Compact", "Everyday", "Family", "Travel", "Studio", "Heritage", "Reserve")
_MAX_MARKUP: Final = 2.5
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
        """Yearly plans cost ten months."""
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
    """Draw the products, of each currency the most popular first."""
    return [product for currency in (HOME_CURRENCY, OTHER_CURRENCY) for product in _range(seed, currency)]


def popularity(catalogue: Sequence[Product]) -> dict[str, Weighted[Product]]:
    """Weigh products by rank: the second sells half as often as the first, the third a third as often."""
    kinds = {
        currency: [product for product in catalogue if product.currency == currency]
        for currency in (HOME_CURRENCY, OTHER_CURRENCY)
    }
    return {
        currency: Weighted(kind, [1 / rank for rank in range(1, len(kind) + 1)])
        for currency, kind in kinds.items()
    }


def _range(seed: int, currency: str) -> list[Product]:
    random = seeded_random(seed, "products", currency)
    kinds = list(pairs(_KINDS, _LINES))
    random.shuffle(kinds)
    return [
        Product(f"{currency.lower()}-{n:03}", f"{kind}, {of.lower()}", _price(_KINDS[kind], random), currency)
        for n, (kind, of) in enumerate(kinds, 1)
    ]


def _price(cheapest: int, random: Random) -> int:
    price = int(cheapest * (1 + random.random() * random.random() * _MAX_MARKUP))
    return price // _PRICE_STEP_MINOR * _PRICE_STEP_MINOR + _PRICE_STEP_MINOR - 10


class Customers:
    """All customers: some from the start, the others joining over time."""

    _INITIAL_SHARE = 0.15

    def __init__(self, seed: int, count: int) -> None:
        self.count = count
        random = seeded_random(seed, "customers")
        regions = Weighted(range(len(REGIONS)), [region.share for region in REGIONS])
        # A byte each: there may be millions.
        self._regions, self._channels = bytearray(count), [""] * count
        for number in range(count):
            self._regions[number] = regions.pick(random)
            self._channels[number] = CHANNELS.pick(random)

    def __getitem__(self, number: int) -> Customer:
        return Customer(f"customer-{number:06}", REGIONS[self._regions[number]], self._channels[number])

    def pick(self, share: float, luck: float) -> Customer:
        """Pick a buyer at this share of the time range; recent customers buy more often."""
        joined = max(1, int(self.count * (self._INITIAL_SHARE + (1 - self._INITIAL_SHARE) * share)))
        return self[joined - 1 - int(joined * luck * luck)]

    def joined(self, number: int) -> float:
        """Return the share of the time range after which this customer joined."""
        return max(0.0, (number / self.count - self._INITIAL_SHARE) / (1 - self._INITIAL_SHARE))

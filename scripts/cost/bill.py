"""A bill: lines of quantity times price. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from scripts.cost.prices import MILLION, Price


class CostDriver(Enum):
    """What makes a cost grow."""

    FIXED = "without orders"
    TRAFFIC = "while there are orders"
    ORDER = "per order"


@dataclass(frozen=True, slots=True)
class BillLine:
    service: str
    name: str
    quantity: float
    price: Price
    driver: CostDriver

    @property
    def dollars(self) -> float:
        return self.quantity * self.price.each


@dataclass(frozen=True, slots=True)
class Bill:
    orders: float
    batches: Mapping[str, float]
    lines: Sequence[BillLine]

    @property
    def total(self) -> float:
        return self.sum()

    def sum(self, *, service: str | None = None, driver: CostDriver | None = None) -> float:
        return sum(
            line.dollars
            for line in self.lines
            if service in (None, line.service) and driver in (None, line.driver)
        )

    def per_million(self, service: str | None = None) -> float:
        """Cost that each million orders adds; 0 without orders."""
        added = self.sum(service=service, driver=CostDriver.ORDER)
        return added / self.orders * MILLION if self.orders else 0.0

    def services(self) -> list[str]:
        return list(dict.fromkeys(line.service for line in self.lines))

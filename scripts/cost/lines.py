"""A bill: lines of a quantity times a price each. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from scripts.cost.prices import MILLION, Price


class Nature(Enum):
    """Why a line is there."""

    FIXED = "without a single order"
    TRAFFIC = "while there are any"
    ORDER = "with each order"


@dataclass(frozen=True, slots=True)
class Line:
    service: str
    what: str
    quantity: float
    price: Price
    nature: Nature

    @property
    def dollars(self) -> float:
        return self.quantity * self.price.each


@dataclass(frozen=True, slots=True)
class Bill:
    orders: float
    batches: Mapping[str, float]
    lines: Sequence[Line]

    @property
    def total(self) -> float:
        return self.sum()

    def sum(self, *, service: str | None = None, nature: Nature | None = None) -> float:
        return sum(
            line.dollars
            for line in self.lines
            if service in (None, line.service) and nature in (None, line.nature)
        )

    def per_million(self, service: str | None = None) -> float:
        """Say what each million of orders adds; 0 without any orders."""
        added = self.sum(service=service, nature=Nature.ORDER)
        return added / self.orders * MILLION if self.orders else 0.0

    def services(self) -> list[str]:
        return list(dict.fromkeys(line.service for line in self.lines))

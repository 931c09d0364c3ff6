"""What an order takes, as the benchmark `per-order` measured it, for any batch and any number of SKUs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

from scripts.common.errors import ToolError
from scripts.environment.topology import CHECKOUT

MEASURED = CHECKOUT / "docs" / "benchmarks" / "summaries" / "per-order.json"

OUTCOMES = ("confirmed", "declined", "rejected")
MIXES = {"hot": 1, "spread": 1, "basket3": 3, "basket10": 10}
"""How many SKUs an order has. `hot`: always the same one; the others: any of a hundred."""
BATCHES = (1, 10, 99, 100)
METRICS = "metrics"
"""The scenario of the figures that belong to no order."""
_WIDTHS = {width: mix for mix, width in MIXES.items() if mix != "hot"}


def name(outcome: str, mix: str, batch: int, figure: str) -> str:
    return f"{outcome}/{mix}/{batch}/{figure}"


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians by the name of what was measured."""

    medians: Mapping[str, float]
    when: str

    @classmethod
    def load(cls, path: Path = MEASURED) -> Self:
        """Read what the benchmark wrote, or say in one sentence what is wrong with it."""
        try:
            summary = json.loads(path.read_text(encoding="utf-8"))
            medians = {
                figure if scenario == METRICS else f"{scenario}/{figure}": float(value)
                for scenario, figures in summary["medians"].items()
                for figure, value in figures.items()
            }
            when = str(summary["when"])
        except OSError as error:
            raise ToolError(
                f"{path} cannot be read: {error.strerror}; `make bench NAME=per-order` measures it."
            ) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ToolError(f"{path} is not what `make bench NAME=per-order` writes.") from error
        return cls.checked(medians, when, path)

    @classmethod
    def checked(cls, medians: Mapping[str, float], when: str, path: Path) -> Self:
        missing = [
            scenario
            for outcome in OUTCOMES
            for mix in MIXES
            for batch in BATCHES
            if (scenario := name(outcome, mix, batch, "events")) not in medians
        ]
        if missing:
            raise ToolError(f"{path} has no {missing[0]}; `make bench NAME=per-order` measures all there is.")
        return cls(medians, when)

    def upkeep(self, figure: str) -> float:
        """Return what one collection or one scrape takes."""
        return self.medians[figure]

    def per_order(self, outcome: str, figure: str, *, batch: float, skus: float, hot: bool = False) -> float:
        """Return a figure between those measured; beyond ten SKUs it goes on as from three to ten.

        What a call costs as such is shared by its batch, so between batches a figure is a line over 1/batch.
        """
        if hot:
            return self._at_batch(outcome, "hot", figure, batch)
        low, high = _neighbours(tuple(_WIDTHS), skus)
        at_low, at_high = (self._at_batch(outcome, _WIDTHS[width], figure, batch) for width in (low, high))
        return at_low + (at_high - at_low) * (skus - low) / (high - low)

    def _at_batch(self, outcome: str, mix: str, figure: str, batch: float) -> float:
        low, high = _neighbours(BATCHES, batch)
        at_low, at_high = (self.medians.get(name(outcome, mix, size, figure), 0.0) for size in (low, high))
        return at_high + (at_low - at_high) * (1 / batch - 1 / high) / (1 / low - 1 / high)


def _neighbours(measured: tuple[int, ...], wanted: float) -> tuple[int, int]:
    """Return the two measured points around a wanted one, or the last two."""
    pairs = list(pairwise(measured))
    return next((pair for pair in pairs if wanted <= pair[1]), pairs[-1])

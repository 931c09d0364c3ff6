"""What an order uses, as the benchmark `per-order` measured it, for any batch size and number of SKUs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

from scripts.common.errors import ToolError
from scripts.common.project_files import project_file

SUMMARY = project_file("docs/benchmarks/summaries/per-order.json")

METRICS = "metrics"
"""The scenario of the figures that belong to no order."""
OUTCOMES = ("confirmed", "declined", "rejected")
MIXES = {"hot": 1, "spread": 1, "basket3": 3, "basket10": 10}
"""SKUs of an order. `hot`: always the same one; the others: any of a hundred."""
BATCHES = (1, 10, 99, 100)
_WIDTHS = {width: mix for mix, width in MIXES.items() if mix != "hot"}


def name(outcome: str, mix: str, batch: int, figure: str) -> str:
    return f"{outcome}/{mix}/{batch}/{figure}"


@dataclass(frozen=True, slots=True)
class Figures:
    """Measured medians by name."""

    medians: Mapping[str, float]
    measured_on: str

    @classmethod
    def load(cls, path: Path = SUMMARY) -> Self:
        """Read the results of the benchmark `per-order`."""
        try:
            summary = json.loads(path.read_text(encoding="utf-8"))
            medians = {
                figure if scenario == METRICS else f"{scenario}/{figure}": float(value)
                for scenario, figures in summary["medians"].items()
                for figure, value in figures.items()
            }
            measured_on = str(summary["when"])
        except OSError as error:
            raise ToolError(
                f"{path} cannot be read: {error.strerror}; run `make bench NAME=per-order`."
            ) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ToolError(
                f"{path} is not a result of the benchmark; run `make bench NAME=per-order`."
            ) from error
        return cls.checked(medians, measured_on, path)

    @classmethod
    def checked(cls, medians: Mapping[str, float], measured_on: str, path: Path) -> Self:
        missing = [
            scenario
            for outcome in OUTCOMES
            for mix in MIXES
            for batch in BATCHES
            if (scenario := name(outcome, mix, batch, "events")) not in medians
        ]
        if missing:
            raise ToolError(f"{path} has no {missing[0]}; run `make bench NAME=per-order`.")
        return cls(medians, measured_on)

    def scheduled(self, figure: str) -> float:
        """Return a figure of one collection or one scrape."""
        return self.medians[figure]

    def per_order(self, outcome: str, figure: str, *, batch: float, skus: float, hot: bool = False) -> float:
        """Interpolate a figure; beyond ten SKUs it is extrapolated from three to ten.

        An invocation's own cost is shared by its batch, so a figure is linear in 1/batch.
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


def _neighbours(measured: tuple[int, ...], value: float) -> tuple[int, int]:
    """Return the two measured points around a value, or the last two."""
    pairs = list(pairwise(measured))
    return next((pair for pair in pairs if value <= pair[1]), pairs[-1])

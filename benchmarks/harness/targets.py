"""What is to be reached, said once: benchmarks say what was, and the index holds one against the other."""

from dataclasses import dataclass
from enum import Enum

from benchmarks.harness.statistics import Spread, number


class Bound(Enum):
    AT_LEAST = "≥"
    AT_MOST = "≤"


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    what: str
    bound: Bound
    wanted: float
    unit: str
    benchmark: str
    """Which one measures it."""

    def told(self) -> str:
        return f"{self.bound.value} {with_unit(number(self.wanted), self.unit)}"

    def met(self, value: float) -> bool:
        return value >= self.wanted if self.bound is Bound.AT_LEAST else value <= self.wanted


@dataclass(frozen=True, slots=True)
class Reached:
    """What was measured for a target, the least that it could be, and what others would have."""

    target: str
    ours: Spread
    floor: str = ""
    usual: str = ""


def with_unit(value: str, unit: str) -> str:
    return f"{value} {unit}".strip()


_LEAST, _MOST = Bound.AT_LEAST, Bound.AT_MOST

TARGETS = {
    target.name: target
    for target in (
        Target(
            "group-commit",
            "orders/s through reserve → pay → settle on one SKU: batches of 100 against one order at a time",
            _LEAST,
            5,
            "×",
            "group-commit",
        ),
        Target(
            "group-commit-spread",
            "the same, over 1,000 SKUs",
            _LEAST,
            5,
            "×",
            "group-commit",
        ),
        Target(
            "hot-sku",
            "orders/s on one SKU against 1,000 SKUs, handlers alone",
            _LEAST,
            0.9,
            "×",
            "group-commit",
        ),
        Target(
            "write-units",
            "DynamoDB write units per settled order, batches of 100, one SKU each",
            _MOST,
            5,
            "units",
            "per-order",
        ),
        Target(
            "own-cpu",
            "our CPU per order above bare botocore calls doing the same writes",
            _MOST,
            30,
            "%",
            "floor",
        ),
        Target("own-cpu-alike", "the same, above botocore with our settings", _MOST, 30, "%", "floor"),
        Target(
            "cold-start",
            "cold start above importing boto3 and making the same clients",
            _MOST,
            25,
            "%",
            "cold-start",
        ),
        Target("scrape-calls", "CloudWatch calls per scrape", _MOST, 0, "calls", "metrics"),
        Target(
            "render",
            "`/metrics` at 5,000 series: p99 render (by the collector, once a minute)",
            _MOST,
            50,
            "ms",
            "metrics",
        ),
        Target("scrape", "`/metrics` at 5,000 series: p99 of a scrape", _MOST, 50, "ms", "metrics"),
        Target("deep-page", "page 10,000 of orders against page 1, 1 M orders", _MOST, 1.2, "×", "analytics"),
        Target(
            "rollups",
            "MRR and cohorts over 1 M orders from rollups against raw tables",
            _LEAST,
            20,
            "×",
            "analytics",
        ),
    )
}

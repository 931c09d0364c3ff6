"""The targets of all benchmarks. A target is met only when the whole measured interval is within it."""

from dataclasses import dataclass
from enum import Enum, StrEnum

from benchmarks.harness.statistics import Spread, number


class Bound(Enum):
    AT_LEAST = "≥"
    AT_MOST = "≤"


class Verdict(StrEnum):
    MET = "met"
    MISSED = "missed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    what: str
    bound: Bound
    limit: float
    unit: str
    benchmark: str
    """Which one measures it."""

    def text(self) -> str:
        return f"{self.bound.value} {with_unit(number(self.limit), self.unit)}"

    def verdict(self, measured: Spread) -> Verdict:
        within = {self._holds(measured.low), self._holds(measured.high)}
        if len(within) > 1:
            return Verdict.INCONCLUSIVE
        return Verdict.MET if within.pop() else Verdict.MISSED

    def _holds(self, value: float) -> bool:
        return value >= self.limit if self.bound is Bound.AT_LEAST else value <= self.limit


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What was measured for a target, with the least that is possible and what the usual approach takes."""

    target: str
    measured: Spread
    """A quantile and its 95 % interval."""
    lower_bound: str = ""
    usual: str = ""

    @property
    def verdict(self) -> Verdict:
        return TARGETS[self.target].verdict(self.measured)


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
        Target("group-commit-spread", "the same, over 1,000 SKUs", _LEAST, 5, "×", "group-commit"),
        Target(
            "hot-sku",
            "orders/s on one SKU against 1,000 SKUs, handlers alone",
            _LEAST,
            0.9,
            "×",
            "group-commit",
        ),
        Target(
            "handed-back",
            "orders handed back: 10 workers, 1,000 SKUs, none hot, 25 ms a transaction",
            _MOST,
            0,
            "%",
            "packing",
        ),
        Target("handed-back-hot", "the same: 20 workers on one SKU", _MOST, 0, "%", "packing"),
        Target(
            "lone-order",
            "a lone order on AWS, placed to settled, p50 in the model, a gateway without delay",
            _MOST,
            0.4,
            "s",
            "latency",
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
            "http-orders",
            "orders/s that POST /api/orders accepts of 8 clients: what one caller may send",
            _LEAST,
            20,
            "orders/s",
            "http-orders",
        ),
        Target(
            "http-order-stages",
            "calls to AWS one after another until an order over HTTP is accepted",
            _MOST,
            6,
            "calls",
            "http-orders",
        ),
        Target(
            "cpu-overhead",
            "CPU per order above plain botocore calls for the same writes",
            _MOST,
            30,
            "%",
            "botocore-overhead",
        ),
        Target(
            "cpu-overhead-same-settings",
            "the same, above botocore with our client settings",
            _MOST,
            30,
            "%",
            "botocore-overhead",
        ),
        Target(
            "cold-start",
            "cold start above importing boto3 and creating the same clients",
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
        Target(
            "webhook-latency",
            "p99 of the time to a healthy webhook beside 20 dead and 20 slow of 200, above that with none",
            _MOST,
            2,
            "s",
            "webhooks",
        ),
        Target(
            "webhook-throughput",
            "messages/s to healthy webhooks in a burst, beside the same against none",
            _LEAST,
            0.8,
            "×",
            "webhooks",
        ),
    )
}

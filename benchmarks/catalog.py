"""Every benchmark there is, by name, with what it asks. Its module is loaded when it runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from benchmarks.harness.report import Report
from benchmarks.harness.statistics import Scale


class Run(Protocol):
    def __call__(self, scale: Scale, /) -> Report: ...


@dataclass(frozen=True, slots=True)
class Benchmark:
    module: str
    """Has `run(scale)`."""
    purpose: str

    def load(self) -> Run:
        return cast("Run", import_module(self.module).run)


CATALOGUE: Mapping[str, Benchmark] = {
    "per-order": Benchmark(
        "benchmarks.cases.per_order",
        "What one order takes: calls, bytes, DynamoDB units, events, log and handler time",
    ),
    "metrics": Benchmark(
        "benchmarks.cases.metrics",
        "What rendering and scraping the metrics takes, and what CloudWatch bills for it",
    ),
    "group-commit": Benchmark(
        "benchmarks.cases.group_commit", "What it brings to commit a batch of orders in few transactions"
    ),
    "cold-start": Benchmark(
        "benchmarks.cases.cold_start", "How long a function takes until its first order, beside bare boto3"
    ),
    "floor": Benchmark(
        "benchmarks.cases.botocore_overhead",
        "How much processor time an order takes of us, above bare botocore calls",
    ),
    "pipeline": Benchmark(
        "benchmarks.cases.pipeline",
        "What the whole local stack settles at a rising load, beside one order at a time",
    ),
    "growth": Benchmark(
        "benchmarks.cases.table_size", "Whether an order takes longer the more orders there have been"
    ),
    "projector": Benchmark(
        "benchmarks.cases.projector",
        "What projecting an event takes, and whether it takes more the more events there have been",
    ),
    "analytics": Benchmark(
        "benchmarks.cases.analytics",
        "How fast the analytics API answers, and what keyset pages and rollups are worth",
    ),
}

"""All benchmarks by name, each with the question it answers. A module is imported when its benchmark runs."""

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


CATALOG: Mapping[str, Benchmark] = {
    "per-order": Benchmark(
        "benchmarks.cases.per_order",
        "What does an order take: calls, bytes, DynamoDB units, events, log and handler time?",
    ),
    "http-orders": Benchmark(
        "benchmarks.cases.http_orders",
        "What does an order over HTTP take, and how many are accepted a second, beside PutEvents?",
    ),
    "metrics": Benchmark(
        "benchmarks.cases.metrics",
        "How long do rendering and scraping the metrics take, and what does CloudWatch bill for it?",
    ),
    "group-commit": Benchmark(
        "benchmarks.cases.group_commit",
        "How much faster is committing a batch of orders in few transactions?",
    ),
    "packing": Benchmark(
        "benchmarks.cases.packing",
        "Which orders should share a transaction, when several workers commit at once?",
    ),
    "latency": Benchmark(
        "benchmarks.cases.latency",
        "How long does an order take on AWS from placed to settled, by how messages are batched?",
    ),
    "surge": Benchmark(
        "benchmarks.cases.surge",
        "Which limit of AWS do orders meet first when their rate rises tenfold, and what comes after it?",
    ),
    "cold-start": Benchmark(
        "benchmarks.cases.cold_start",
        "How long does a function take until its first order, compared with plain boto3?",
    ),
    "botocore-overhead": Benchmark(
        "benchmarks.cases.botocore_overhead",
        "How much CPU time does an order take above plain botocore calls?",
    ),
    "pipeline": Benchmark(
        "benchmarks.cases.pipeline",
        "How many orders a second does the local stack settle under rising load, batched and one by one?",
    ),
    "table-size": Benchmark(
        "benchmarks.cases.table_size",
        "Does an order take longer when many orders are stored or many messages wait?",
    ),
    "projector": Benchmark(
        "benchmarks.cases.projector",
        "How long does projecting an event take, and does it take longer when many are stored?",
    ),
    "datasets": Benchmark(
        "benchmarks.cases.datasets",
        "How fast are files inspected and loaded, and how much memory does it take?",
    ),
    "analytics": Benchmark(
        "benchmarks.cases.analytics",
        "How fast does the analytics API respond, and what do keyset pages and rollups save?",
    ),
    "webhooks": Benchmark(
        "benchmarks.cases.webhooks",
        "What do dead and slow webhooks cost the healthy ones?",
    ),
}

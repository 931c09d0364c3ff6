"""Finds the limits of AWS that orders meet as their rate rises, in a model, and what lifting them brings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from benchmarks.fixtures.latency_model import BUS_MEDIAN
from benchmarks.fixtures.surge_model import Deployment, Instances, Outcome, Place, Stage, Table, simulate
from benchmarks.harness.report import Report
from benchmarks.harness.report import Table as ReportTable
from benchmarks.harness.statistics import Scale
from scripts.cost import quotas
from scripts.cost.limits import hot_sku
from scripts.cost.measurements import Figures
from scripts.cost.model import Model
from scripts.environment.topology import Topology

RATES = (10, 100, 1_000, 10_000, 100_000)
OBJECTIVE = 5.0
"""Seconds from placed to settled, at p99."""
_HOT_SHARE = 0.1
_SPARE = 1.5
_MAPPING_MOST, _PROVISIONED_MOST = 1_000, 20_000
_PROVISIONED_MORE, _PROVISIONED_READY = 1_000, 2_000
"""A mapping with provisioned pollers adds so many instances a minute; 200 pollers serve ten each at once."""
_MOST_CHANGES = 40
_PUT, _DELIVERED, _ACCOUNT = "EventBridge: events put", "EventBridge: deliveries", "Lambda: instances"
_CAPACITY, _CONTENTION = "hot SKU: write units of its item", "hot SKU: one transaction at a time"
_ORDERS, _INVENTORY = "DynamoDB: orders", "DynamoDB: inventory"

Needs: TypeAlias = Mapping[str, float]
"""What a rate uses of each resource, a second."""


@dataclass(frozen=True, slots=True)
class Met:
    """A limit that held orders up, and what was changed."""

    rate: int
    resource: str
    after: float
    p99: float
    change: str


def run(scale: Scale) -> Report:
    model = Model(Figures.load(), Topology.load())
    lines, deployment = places(model), today(model)
    seconds = scale.pick(60, 600)
    met: list[Met] = []
    settled: dict[int, float] = {}
    for index, rate in enumerate(RATES):
        stages = [Stage(it, seconds) for it in RATES[: index + 1]]
        while True:
            outcome = simulate(lines, SHARES, deployment, stages)[-1]
            settled[rate] = outcome.quantile(0.99)
            if settled[rate] <= OBJECTIVE or len(met) == _MOST_CHANGES:
                break
            resource = _held_longest(outcome)
            deployment, change = lift(deployment, resource, _needs(lines, rate)[resource])
            met.append(Met(rate, resource, outcome.first_short[resource], settled[rate], change))
    return _report(met, settled, seconds)


SHARES = {"spread": 1 - _HOT_SHARE, "hot": _HOT_SHARE}


def places(model: Model) -> Mapping[str, Sequence[Place]]:
    """What an order uses at each place, alone in its SKU or as one of many for the hot one."""
    spread, size = model, model.full_batch
    hot = replace(model, mix=replace(model.mix, hot=True))
    return {
        "spread": _line(spread, size, 0.0),
        "hot": _line(hot, size, 1 / hot_sku(model).orders_per_transaction),
    }


def _line(model: Model, size: float, transactions: float) -> list[Place]:
    events, messages = model.each("events", size), model.each("messages", size)
    halves = {
        _ORDERS: model.each("writeUnits.orders", size) / 2,
        _INVENTORY: model.each("writeUnits.inventory", size) / 2,
    }
    once = {_CAPACITY: transactions, _CONTENTION: transactions} if transactions else {}
    line = [Place("bus", {_PUT: 1, _DELIVERED: 1}, BUS_MEDIAN)]
    for name, put, delivered in (("order", 1, messages - 1), ("payment", events - 2, 0)):
        busy = model.busy_seconds(name, size)
        uses = {name: busy, _ACCOUNT: busy, _PUT: put, **halves, **once}
        uses |= {_DELIVERED: delivered} if delivered else {}
        line.append(Place(name, uses, busy * size + BUS_MEDIAN))
    return line


def today(model: Model) -> Deployment:
    """A new account, deployed as functions.yaml says."""
    hot = hot_sku(model)
    return Deployment(
        {
            _ACCOUNT: quotas.LAMBDA_CONCURRENCY.value,
            _PUT: quotas.PUT_EVENTS.value,
            _DELIVERED: quotas.RULE_INVOCATIONS.value,
            _CAPACITY: hot.transactions_by_capacity,
            _CONTENTION: hot.transactions_by_contention,
        },
        {it: Instances(model.topology.consumer(it).maximum_concurrency) for it in ("order", "payment")},
        {it: Table(quotas.TABLE_WRITES.value) for it in (_ORDERS, _INVENTORY)},
    )


def _needs(lines: Mapping[str, Sequence[Place]], rate: float) -> Needs:
    needs: dict[str, float] = {}
    for line, each in lines.items():
        for place in each:
            for resource, used in place.uses.items():
                needs[resource] = needs.get(resource, 0.0) + rate * SHARES[line] * used
    return needs


def _held_longest(outcome: Outcome) -> str:
    return max(outcome.short, key=lambda it: (outcome.short[it], -outcome.first_short[it]))


def lift(deployment: Deployment, resource: str, needed: float) -> tuple[Deployment, str]:
    """Give a resource what a rate needs and half as much again; returns what was changed."""
    enough = _SPARE * needed
    if resource in deployment.functions:
        spec, change = _more_instances(deployment.functions[resource], enough)
        return replace(deployment, functions={**deployment.functions, resource: spec}), change
    if resource in deployment.tables:
        table = deployment.tables[resource]
        quota = max(table.quota, _rounded(enough))
        changed = replace(table, warm=_rounded(enough), quota=quota)
        raised = f", quota {quota:,.0f}" if quota > table.quota else ""
        return (
            replace(deployment, tables={**deployment.tables, resource: changed}),
            f"warm throughput {changed.warm:,.0f} units/s{raised}",
        )
    if resource in (_CAPACITY, _CONTENTION):
        return _shard(deployment, resource, enough)
    fixed = {**deployment.fixed, resource: _rounded(enough)}
    return replace(deployment, fixed=fixed), f"quota {fixed[resource]:,.0f}"


def _more_instances(spec: Instances, enough: float) -> tuple[Instances, str]:
    most = math.ceil(enough)
    if most > spec.most and most <= _MAPPING_MOST:
        return replace(spec, most=most), f"maximumConcurrency {most:,}"
    ready = min(_PROVISIONED_READY, max(most, 2))
    changed = Instances(min(_PROVISIONED_MOST, max(spec.most, most)), ready, _PROVISIONED_MORE)
    return changed, f"provisioned pollers for {ready:,} instances"


def _shard(deployment: Deployment, resource: str, enough: float) -> tuple[Deployment, str]:
    """More items: both limits of one item grow with their number."""
    shards = math.ceil(enough / deployment.fixed[resource])
    fixed = {
        it: there * (shards if it in (_CAPACITY, _CONTENTION) else 1)
        for it, there in deployment.fixed.items()
    }
    return replace(deployment, fixed=fixed), f"{shards} shards of its stock"


def _rounded(number: float) -> float:
    """Up to two digits."""
    unit = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return float(math.ceil(number / unit) * unit)


def _report(met: Sequence[Met], settled: Mapping[int, float], seconds: int) -> Report:
    firsts = {it.rate: it for it in reversed(met)}
    sharded = next((it.rate for it in met if it.resource in (_CAPACITY, _CONTENTION)), None)
    return Report(
        name="surge",
        title="Limits on the way to 100,000 orders a second",
        question="Which limit of AWS do orders meet first when their rate rises tenfold, and what comes "
        "after it?",
        method=[
            (
                f"A model in virtual time, in steps of half a second. The rate rises from {RATES[0]} to "
                f"{RATES[-1]:,} orders/s, tenfold at once, and stays for {seconds} s each. What an order "
                "uses is measured (per-order); the quotas are those of a new account in us-east-1, as in "
                "docs/scale.md."
            ),
            (
                f"When p99 from placed to settled is above {OBJECTIVE:g} s, the resource that held orders "
                f"up for the longest time gets {_SPARE:g} times what the rate needs, and all begins again. "
                "Resources are shared by demand; what they refuse waits and is tried again."
            ),
            (
                f"{_HOT_SHARE:.0%} of all orders are for one SKU. Batches are full. An event source "
                "mapping begins with five instances and adds 300 a minute; with provisioned pollers "
                f"{_PROVISIONED_MORE:,}, and up to {_PROVISIONED_READY:,} are kept. A function adds 1,000 in "
                "ten seconds, which never is the limit behind a queue. A table takes 4,000 write units at "
                "first, and twice the peak of half an hour ago."
            ),
            (
                "Left out: expiry, cold starts, the read side, partitions that split, and a gateway's "
                "own limit."
            ),
        ],
        findings=_findings(firsts, settled, sharded),
        tables=(
            ReportTable(
                "Limits in the order in which they are met",
                ("orders/s", "limit", "after", "p99 until then", "changed to"),
                [
                    (f"{it.rate:,}", it.resource, f"{it.after:.0f} s", f"{it.p99:,.1f} s", it.change)
                    for it in met
                ],
            ),
            ReportTable(
                "With all changes up to there",
                ("orders/s", "p99 from placed to settled"),
                [(f"{rate:,}", f"{p99:.2f} s") for rate, p99 in settled.items()],
            ),
        ),
        series={f"{rate} orders/s: p99 s": [p99] for rate, p99 in settled.items()},
    )


def _findings(firsts: Mapping[int, Met], settled: Mapping[int, float], sharded: int | None) -> list[str]:
    free = [rate for rate in settled if rate not in firsts]
    found = [f"Nothing has to be changed up to {max(free):,} orders/s."] if free else []
    found += [
        f"At {rate:,} orders/s the first limit is {it.resource}, after {it.after:.0f} s."
        for rate, it in sorted(firsts.items())
    ]
    found.append(
        f"Sharded stock pays at {sharded:,} orders/s, of which {sharded * _HOT_SHARE:,.0f} are for one SKU."
        if sharded
        else "One item for the stock of a SKU suffices at every rate."
    )
    last = RATES[-1]
    found.append(f"With all changes, {last:,} orders/s are settled within {settled[last]:.1f} s at p99.")
    return found

"""What one collection of the metrics takes, and one scrape, over the workshop's emulator."""

import random
import time
from collections.abc import Mapping, Sequence

from benchmarks import wiretap
from benchmarks.workshop import METRICS, Ran, Workshop
from scripts.cost.deployed import deployment
from scripts.topology import Topology
from services.metrics.access import Gate
from services.metrics.cloudwatch import Reading
from services.metrics.collection import Collector
from services.metrics.counters import Minute
from services.metrics.dynamodb_snapshots import DynamoDBSnapshots
from services.metrics.series import Series
from services.metrics.serving import Exposition
from services.shared.telemetry import PowertoolsTelemetry

_WARM_UPS = 3
"""From the third collection on, what the one before retired is deleted, too."""


class Bustle:
    """A CloudWatch in which every series has had a value in every minute."""

    def __init__(self) -> None:
        self._chance = random.Random(2026)
        self.asked = 0

    def read(self, series: Sequence[Series], start: Minute, end: Minute) -> Reading:
        self.asked += len(series)
        values = {
            it.key: {minute: self._chance.randrange(1, 10_000) for minute in range(start, end)}
            for it in series
        }
        return Reading(values, frozenset(), len(series))


def upkeep(shop: Workshop) -> Mapping[str, float]:
    """Return figures of a collection while everything moves, and of the first scrape after it."""
    telemetry = PowertoolsTelemetry("collector", "bench-pulsequeue")
    shelf = DynamoDBSnapshots(shop.functions.calls.dynamodb, table=METRICS, clock=time.time)
    bustle = Bustle()
    collector = Collector(deployment(Topology.load()), bustle, shelf, telemetry, clock=time.time)
    for _ in range(_WARM_UPS):
        collector.collect()
    bustle.asked = 0
    with shop.listening() as ended, telemetry.invocation(None):
        collector.collect()
    collected = ended()
    exposition = Exposition(
        Gate(lambda: "token", clock=time.monotonic), shelf, telemetry, stale_seconds=300, clock=time.time
    )
    with shop.listening() as ended, telemetry.invocation(None):
        answer = exposition.answer({"authorization": "Bearer token", "accept-encoding": "gzip"})
    scraped = ended()
    return (
        _told("collection", collected)
        | _told("scrape", scraped)
        | {"collection.metricsAsked": float(bustle.asked), "scrape.pageBytes": float(len(answer.body))}
    )


def _told(name: str, ran: Ran) -> dict[str, float]:
    calls = ran.heard.calls
    return {
        f"{name}.writeUnits": wiretap.plain_write_units(calls),
        f"{name}.readUnits": wiretap.consistent_read_units(calls),
        f"{name}.cpuMs": 1000 * ran.cpu_seconds,
        f"{name}.stages": ran.heard.stages,
        f"{name}.logBytes": ran.log_bytes,
    }

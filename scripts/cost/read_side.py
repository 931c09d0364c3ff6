"""What the read side costs: each event is projected by Lambda, and its rows are stored in Aurora. Pure.

Processor times by batch size are measured (benchmark `projector`), as are rows and write-ahead log of
PostgreSQL. The capacity of an ACU cannot be measured locally; it follows from what AWS documents.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

from scripts.common.errors import ToolError
from scripts.common.project_files import project_file
from scripts.cost import prices
from scripts.cost.bill import BillLine, CostDriver
from scripts.cost.environments import AuroraSize
from scripts.cost.model import Model, batch_size, requests
from scripts.cost.prices import GIB, HOURS_A_MONTH, SECONDS_A_MONTH

SUMMARY = project_file("docs/benchmarks/summaries/projector.json")
BATCHES = (1, 10, 100)

BYTES_PER_ORDER = 5_000
"""Size of an order in the database: events, rows, indexes, share of the rollups. A test measures it."""
_LOG_BYTES, _LOG_BYTES_A_BATCH = 1_600, 1_400
"""Write-ahead log per event and per transaction, without full-page images: Aurora writes none."""
_LOG_RECORD = 4_096
"""Aurora bills log writes in units of so many bytes."""
PAGES_READ = 2.5
"""Pages read from storage per event. Assumed: index leaves of random ids."""
STATEMENTS = 18
"""Round trips in a batch: 10 to 16 statements were counted, plus begin and commit."""
ROUND_TRIP_MS = 1.0
"""Between function and database. Assumed, inside one region."""
CPU_OF_AN_ACU = 0.25
"""Processors. Provisioned instances have 2 per 16 GiB, and an ACU has 2 GiB. Assumed for ACUs."""
BUSY_AT_MOST = 0.7
"""Processor utilisation at which Aurora scales up. Assumed."""
_ACU_STEP = 0.5
_PROXY_ACU = 8
"""The least that a proxy is billed for."""


@dataclass(frozen=True, slots=True)
class ProjectionTimes:
    """Processor time per event in microseconds, by batch size."""

    function: Mapping[int, float]
    database: Mapping[int, float]

    @classmethod
    def load(cls, path: Path = SUMMARY) -> Self:
        """Read the results of the benchmark `projector`."""
        try:
            medians = json.loads(path.read_text(encoding="utf-8"))["medians"]
            function, database = (
                {size: float(medians[f"batches of {size}"][f"{processor}, µs per event"]) for size in BATCHES}
                for processor in ("our CPU", "PostgreSQL CPU")
            )
        except OSError as error:
            raise ToolError(
                f"{path} cannot be read: {error.strerror}; run `make bench NAME=projector`."
            ) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ToolError(
                f"{path} is not a result of the benchmark; run `make bench NAME=projector`."
            ) from error
        return cls(function, database)

    def seconds(self, batch: float) -> tuple[float, float]:
        """Return seconds per event in the function and in PostgreSQL, interpolated over 1/batch."""
        return _at(self.function, batch) / 1e6, _at(self.database, batch) / 1e6


@dataclass(frozen=True, slots=True)
class ReadSideMonth:
    """A month of the read side."""

    model: Model
    database: AuroraSize
    orders: float
    events: float
    batch: float
    function_seconds: float
    database_seconds: float

    @staticmethod
    def of(model: Model, database: AuroraSize, times: ProjectionTimes, orders: float) -> "ReadSideMonth":
        events = orders * model.each("events", model.full_batch)

        def month(batch: float) -> ReadSideMonth:
            return ReadSideMonth(model, database, orders, events, batch, *times.seconds(batch))

        consumer = model.topology.consumer("projector")
        return month(batch_size(events / SECONDS_A_MONTH, consumer, lambda batch: month(batch).busy_seconds))

    @property
    def calls(self) -> float:
        return self.events / self.batch

    @property
    def needed_acu(self) -> float:
        """ACUs that keep up: PostgreSQL's processor time per second over what an ACU provides."""
        return self.events / SECONDS_A_MONTH * self.database_seconds / CPU_OF_AN_ACU / BUSY_AT_MOST

    @property
    def acu(self) -> float:
        """Average capacity of each instance over the month."""
        stepped = math.ceil(self.needed_acu / _ACU_STEP) * _ACU_STEP
        return min(max(self.database.min_acu, stepped), self.database.max_acu)

    @property
    def busy_seconds(self) -> float:
        """How long the function is busy per event."""
        slowed = self.database_seconds / min(1.0, max(self.acu, _ACU_STEP) * CPU_OF_AN_ACU)
        waiting = STATEMENTS * ROUND_TRIP_MS / 1000 / self.batch
        return self.model.seconds("projector", self.function_seconds * 1000, 0) + slowed + waiting

    def lines(self) -> Iterator[BillLine]:
        order, gigabytes = CostDriver.ORDER, self.model.topology.function("projector").memory_mb / 1024
        busy = self.events * self.busy_seconds * gigabytes
        yield BillLine("Lambda", "projector: GB-s", busy, prices.LAMBDA_GB_SECOND, order)
        yield BillLine("Lambda", "projector: invocations", self.calls, prices.LAMBDA_REQUEST, order)
        requested = self.events * requests(self.batch)
        yield BillLine("SQS", "projector: send, receive, delete", requested, prices.SQS_REQUEST, order)
        # It logs about as much as the expiry function does for a settled order.
        log = self.calls * self.model.each("expiry.logBytes", 1) / GIB
        yield BillLine("CloudWatch", "projector: log", log, prices.LOGS_INGESTED, order)
        yield from (*self.capacity(), *self._proxy(), *self.io(), *self.storage())

    def capacity(self) -> Iterator[BillLine]:
        hours = self.database.instances * HOURS_A_MONTH
        minimum = hours * self.database.min_acu
        yield BillLine(
            "Aurora", "capacity, at the minimum", minimum, prices.AURORA_CAPACITY, CostDriver.FIXED
        )
        # A database that pauses runs as soon as there are orders all day, with half an ACU at least.
        awake = hours * _ACU_STEP if self.orders and not self.database.min_acu else 0.0
        yield BillLine("Aurora", "capacity while awake", awake, prices.AURORA_CAPACITY, CostDriver.TRAFFIC)
        more = hours * self.acu - minimum - awake
        yield BillLine("Aurora", "capacity above the minimum", more, prices.AURORA_CAPACITY, CostDriver.ORDER)

    def io(self) -> Iterator[BillLine]:
        """Costs of reads and writes."""
        log = self.events * _LOG_BYTES + self.calls * _LOG_BYTES_A_BATCH
        written = log / _LOG_RECORD + self.calls
        yield BillLine("Aurora", "log writes", written, prices.AURORA_IO, CostDriver.ORDER)
        yield BillLine("Aurora", "reads", self.events * PAGES_READ, prices.AURORA_IO, CostDriver.ORDER)

    def storage(self) -> Iterator[BillLine]:
        """Costs that recur each month, for data that stays."""
        stored = self.orders * BYTES_PER_ORDER / GIB
        yield BillLine(
            "Aurora", "storage of the month's orders", stored, prices.AURORA_STORAGE, CostDriver.ORDER
        )
        if self.database.backup_days > 1:
            yield BillLine("Aurora", "backups of these", stored, prices.AURORA_BACKUP, CostDriver.ORDER)

    def _proxy(self) -> Iterator[BillLine]:
        if self.database.proxy:
            hours = max(_PROXY_ACU, self.database.instances * self.acu) * HOURS_A_MONTH
            yield BillLine(
                "RDS Proxy", "capacity of the proxy", hours, prices.PROXY_CAPACITY, CostDriver.FIXED
            )


def _at(measured: Mapping[int, float], batch: float) -> float:
    pairs = list(pairwise(BATCHES))
    low, high = next((pair for pair in pairs if batch <= pair[1]), pairs[-1])
    share = (1 / batch - 1 / high) / (1 / low - 1 / high)
    return measured[high] + (measured[low] - measured[high]) * share

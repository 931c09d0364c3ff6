"""What the read side takes of Lambda and Aurora: each event is projected, and its rows are kept. Pure.

Measured are processor times by batch (the benchmark `projector`), and rows and log of PostgreSQL. What an ACU
does is not, as there is none on this machine: that is reckoned from what AWS says of it.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

from scripts.common.errors import ToolError
from scripts.cost import prices
from scripts.cost.environment import Database
from scripts.cost.lines import Line, Nature
from scripts.cost.model import Model, gathered, requests
from scripts.cost.prices import GIB, HOURS_A_MONTH, SECONDS_A_MONTH
from scripts.environment.topology import CHECKOUT

MEASURED = CHECKOUT / "docs" / "benchmarks" / "summaries" / "projector.json"
BATCHES = (1, 10, 100)

BYTES_KEPT = 5_000
"""Of an order in the database, its events, rows, indexes and share of the sums; a test measures it again."""
_LOG_BYTES, _LOG_BYTES_A_BATCH = 1_600, 1_400
"""Write-ahead log of an event, and of a transaction besides; no images of whole pages: Aurora has none."""
_LOG_RECORD = 4_096
"""Aurora bills what it writes of the log in pieces of so many bytes."""
PAGES_READ = 2.5
"""Pages that an event finds not in memory. Assumed: leaves of the indexes on ids that come in no order."""
STATEMENTS = 18
"""Waits for the database in a batch; 10 to 16 statements were counted, and a transaction's begin and end."""
ROUND_TRIP_MS = 1.0
"""Until the database has the statement and the function its answer. Assumed, inside of a region."""
CPU_OF_AN_ACU = 0.25
"""Processors. Provisioned instances have 2 for 16 GiB, an ACU has 2 GiB. Assumed to hold for an ACU."""
BUSY_AT_MOST = 0.7
"""Share of its processors at which Aurora is taken to grow. Assumed."""
_ACU_STEP = 0.5
_PROXY_ACU = 8
"""A proxy is billed for no less."""


@dataclass(frozen=True, slots=True)
class Projected:
    """Microseconds that an event takes, by how many are projected at once."""

    ours: Mapping[int, float]
    server: Mapping[int, float]
    """PostgreSQL's processor."""

    @classmethod
    def load(cls, path: Path = MEASURED) -> Self:
        """Read what the benchmark wrote, or say in one sentence what is wrong with it."""
        try:
            medians = json.loads(path.read_text(encoding="utf-8"))["medians"]
            ours, server = (
                {size: float(medians[f"batches of {size}"][f"{whose}, µs per event"]) for size in BATCHES}
                for whose in ("our CPU", "PostgreSQL CPU")
            )
        except OSError as error:
            raise ToolError(
                f"{path} cannot be read: {error.strerror}; `make bench NAME=projector` measures it."
            ) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ToolError(f"{path} is not what `make bench NAME=projector` writes.") from error
        return cls(ours, server)

    def seconds(self, batch: float) -> tuple[float, float]:
        """Return processor time of an event, ours and PostgreSQL's: between batches a line over 1/batch."""
        return _at(self.ours, batch) / 1e6, _at(self.server, batch) / 1e6


@dataclass(frozen=True, slots=True)
class Projection:
    """A month of the read side."""

    model: Model
    database: Database
    orders: float
    events: float
    batch: float
    ours: float
    server: float

    @classmethod
    def of(cls, model: Model, database: Database, projected: Projected, orders: float) -> Self:
        events = orders * model.each("events", model.full_batch)
        batch = gathered(events / SECONDS_A_MONTH, model.topology.consumer("projector"))
        return cls(model, database, orders, events, batch, *projected.seconds(batch))

    @property
    def calls(self) -> float:
        return self.events / self.batch

    @property
    def needed_acu(self) -> float:
        """Say how many ACU keep up: processor time of PostgreSQL in a second, over what an ACU has of it."""
        return self.events / SECONDS_A_MONTH * self.server / CPU_OF_AN_ACU / BUSY_AT_MOST

    @property
    def acu(self) -> float:
        """Say how large each instance is, on average over the month."""
        stepped = math.ceil(self.needed_acu / _ACU_STEP) * _ACU_STEP
        return min(max(self.database.least_acu, stepped), self.database.most_acu)

    @property
    def busy_seconds(self) -> float:
        """Say how long the function is busy for each event."""
        slowed = self.server / min(1.0, self.acu * CPU_OF_AN_ACU)
        waiting = STATEMENTS * ROUND_TRIP_MS / 1000 / self.batch
        return self.model.seconds("projector", self.ours * 1000, 0) + slowed + waiting

    def lines(self) -> Iterator[Line]:
        order, gigabytes = Nature.ORDER, self.model.topology.function("projector").memory_mb / 1024
        busy = self.events * self.busy_seconds * gigabytes
        yield Line("Lambda", "projector: GB-s", busy, prices.LAMBDA_GB_SECOND, order)
        yield Line("Lambda", "projector: calls", self.calls, prices.LAMBDA_REQUEST, order)
        asked = self.events * requests(self.batch)
        yield Line("SQS", "projector: sent, received, deleted", asked, prices.SQS_REQUEST, order)
        # It says about as much as the function that finds nothing to do any more.
        log = self.calls * self.model.each("expiry.logBytes", 1) / GIB
        yield Line("CloudWatch", "projector: log", log, prices.LOGS_INGESTED, order)
        yield from (*self.capacity(), *self._proxy(), *self.passing(), *self.kept())

    def capacity(self) -> Iterator[Line]:
        hours = self.database.instances * HOURS_A_MONTH
        least = hours * self.database.least_acu
        yield Line("Aurora", "capacity, at its least", least, prices.AURORA_CAPACITY, Nature.FIXED)
        more = hours * self.acu - least
        yield Line("Aurora", "capacity beyond", more, prices.AURORA_CAPACITY, Nature.ORDER)

    def passing(self) -> Iterator[Line]:
        """Price what is read and written in passing."""
        log = self.events * _LOG_BYTES + self.calls * _LOG_BYTES_A_BATCH
        written = log / _LOG_RECORD + self.calls
        yield Line("Aurora", "writes of the log", written, prices.AURORA_IO, Nature.ORDER)
        yield Line("Aurora", "reads", self.events * PAGES_READ, prices.AURORA_IO, Nature.ORDER)

    def kept(self) -> Iterator[Line]:
        """Price what stays, and is paid for again each month."""
        kept = self.orders * BYTES_KEPT / GIB
        yield Line("Aurora", "the month's orders, kept", kept, prices.AURORA_KEPT, Nature.ORDER)
        if self.database.backup_days > 1:
            yield Line("Aurora", "the same, in backups", kept, prices.AURORA_BACKUP, Nature.ORDER)

    def _proxy(self) -> Iterator[Line]:
        if self.database.proxy:
            hours = max(_PROXY_ACU, self.database.instances * self.acu) * HOURS_A_MONTH
            yield Line("RDS Proxy", "capacity behind it", hours, prices.PROXY_CAPACITY, Nature.FIXED)


def _at(measured: Mapping[int, float], batch: float) -> float:
    pairs = list(pairwise(BATCHES))
    low, high = next((pair for pair in pairs if batch <= pair[1]), pairs[-1])
    share = (1 / batch - 1 / high) / (1 / low - 1 / high)
    return measured[high] + (measured[low] - measured[high]) * share

"""The functions of the order pipeline in this process under a wiretap: what each call takes and says."""

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from benchmarks.emulated import emulated
from benchmarks.functions import Functions, Place, envelope
from benchmarks.wiretap import Heard, Wiretap

METRICS = "bench-pulsequeue-metrics"
_PLATFORM = (
    "START RequestId: {id} Version: $LATEST\n"
    "END RequestId: {id}\n"
    "REPORT RequestId: {id}\tDuration: 123.45 ms\tBilled Duration: 124 ms\t"
    "Memory Size: 1024 MB\tMax Memory Used: 120 MB\t\n"
)
"""What Lambda itself writes for each call."""
_LOG_EVENT_BYTES = 26
"""What CloudWatch Logs adds to each line when it bills."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One call of a function: what it took, and what it said."""

    cpu_seconds: float
    wall_seconds: float
    heard: Heard
    log: str

    @property
    def log_bytes(self) -> int:
        whole = self.log + _PLATFORM.format(id=uuid4())
        return len(whole.encode()) + _LOG_EVENT_BYTES * whole.count("\n")


class Workshop:
    def __init__(self, place: Place, log: io.StringIO) -> None:
        self.place = place
        self.functions = Functions(place)
        self._tap, self._log = Wiretap(), log
        self._tap.listen("dynamodb", self.functions.calls.dynamodb.meta.events)
        self._tap.listen("events", self.functions.calls.events.meta.events)

    def run(self, function: str, bodies: Sequence[str]) -> Ran:
        """Call a function with one batch, which must go through whole."""
        deliver = {
            "order": self.functions.place,
            "payment": self.functions.pay,
            "expiry": self.functions.expire,
        }[function]
        with self.listening() as ended:
            deliver(bodies, len(bodies))
        return ended()

    @contextmanager
    def listening(self) -> Iterator[Callable[[], Ran]]:
        """Measure what happens inside; what is yielded tells it afterwards."""
        self._tap.take()
        start = self._log.tell()
        cpu, wall = time.process_time(), time.perf_counter()
        ran: list[Ran] = []
        yield lambda: ran[0]
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        ran.append(Ran(cpu, wall, self._tap.take(), self._log.getvalue()[start:]))


@contextmanager
def open_workshop() -> Iterator[Workshop]:
    """Start an emulator with the tables and the bus, and catch what is logged."""
    log = io.StringIO()
    with emulated() as aws, redirect_stdout(log):
        aws.table(METRICS)
        yield Workshop(Place.on(aws), log)


def message(entry: Mapping[str, Any]) -> str:
    """Write the body that a queue gets of an entry put on the bus."""
    return envelope(entry["DetailType"], json.loads(entry["Detail"]), entry["Source"])

"""An AWS of one's own for a benchmark: the emulator on a free port, gone when the benchmark is."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from scripts.environment import Clients
from scripts.local import emulator


@dataclass(frozen=True)
class Emulated:
    endpoint: str
    clients: Clients
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """How long the emulator itself has computed so far."""
        times = self.process.cpu_times()
        return times.user + times.system

    def table(self, name: str) -> str:
        dynamodb = self.clients.client("dynamodb")
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    def credentials(self) -> dict[str, str]:
        """What Lambda tells a function of where and who it is."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": emulator.REGION,
            "AWS_DEFAULT_REGION": emulator.REGION,
            "AWS_ACCESS_KEY_ID": emulator.ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": emulator.SECRET_ACCESS_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def emulated() -> Iterator[Emulated]:
    """Start an emulator; while it runs, this process has the environment of a function on it."""
    with tempfile.TemporaryDirectory(prefix="pulsequeue-bench-") as home:
        started = emulator.start(Path(home), emulator.free_port())
        try:
            running = Emulated(
                started.endpoint,
                Clients.of_emulator(
                    started.endpoint, emulator.REGION, emulator.ACCESS_KEY_ID, emulator.SECRET_ACCESS_KEY
                ),
                psutil.Process(started.process.pid),
            )
            with told({**running.credentials(), "POWERTOOLS_TRACE_DISABLED": "true"}):
                yield running
        finally:
            emulator.stop(started)


@contextmanager
def told(variables: Mapping[str, str]) -> Iterator[None]:
    """Have these environment variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

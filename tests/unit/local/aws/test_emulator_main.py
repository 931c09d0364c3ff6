"""The emulator reads a function's log output once all of it has arrived."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from scripts.local.aws.emulator_main import wait_for_output


@dataclass
class Process:
    stderr: IO[bytes]


@dataclass
class Worker:
    """The part of the emulator's worker that holds its pipe."""

    _proc: Process


@contextmanager
def worker_with_output(text: bytes) -> Iterator[tuple[Worker, IO[bytes]]]:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering=0) as stderr, os.fdopen(writer, "wb", buffering=0) as output:
        output.write(text)
        yield Worker(Process(stderr)), stderr


def test_what_is_in_the_pipe_is_waited_for() -> None:
    read: list[bytes] = []

    def drain(*_: object) -> str:
        return b"".join(read).decode()

    with worker_with_output(b"the last line") as (worker, stderr):
        late = threading.Timer(0.1, lambda: read.append(stderr.read(100)))
        late.start()
        output = wait_for_output(drain)(worker)
        late.join()

    assert output == "the last line"


def test_a_worker_that_is_gone_is_not_waited_for() -> None:
    worker = Worker(Process(os.fdopen(os.dup(0), "rb")))
    worker._proc.stderr.close()  # noqa: SLF001 - the emulator's

    assert wait_for_output(lambda *_: "what there was")(worker) == "what there was"

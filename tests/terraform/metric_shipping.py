"""Numbers brought to CloudWatch while something else goes on: the emulator does not do so by itself."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.environment.environment import Environment
from scripts.local.aws import cloudwatch_shipper
from scripts.local.aws.queue_peek import QueuePeek

_EVERY_SECONDS = 1.0


@contextmanager
def numbers_carried(environment: Environment, endpoint: str, folder: Path) -> Iterator[None]:
    """Carry what the environment's functions log and its queues hold until the block is left."""
    over = threading.Event()
    carrier = cloudwatch_shipper.CloudWatchShipper(
        environment, folder / "log-cursors.json", QueuePeek(endpoint)
    )
    thread = threading.Thread(
        target=cloudwatch_shipper.run,
        args=(carrier, lambda: not over.is_set()),
        kwargs={"every": _EVERY_SECONDS},
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()

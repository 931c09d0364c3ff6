"""Ships metrics to CloudWatch in the background, which the emulator does not do itself."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.environment.environment import Environment
from scripts.local.aws import cloudwatch_shipper
from scripts.local.aws.queue_peek import QueuePeek

_INTERVAL_SECONDS = 1.0


@contextmanager
def metrics_shipped(environment: Environment, endpoint: str, folder: Path) -> Iterator[None]:
    """Ship the functions' embedded metrics and the queue depths while the block runs."""
    stopped = threading.Event()
    shipper = cloudwatch_shipper.CloudWatchShipper(
        environment, folder / "log-cursors.json", QueuePeek(endpoint)
    )
    thread = threading.Thread(
        target=cloudwatch_shipper.run,
        args=(shipper, lambda: not stopped.is_set()),
        kwargs={"every": _INTERVAL_SECONDS},
    )
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()

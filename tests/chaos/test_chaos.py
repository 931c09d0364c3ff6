"""A small storm over a whole stack; `make chaos` raises a larger one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from scripts.common.project_files import CHECKOUT
from tests.chaos.run import Scale, run

pytestmark = [pytest.mark.stack, pytest.mark.heavy]


def test_a_storm_loses_doubles_and_leaks_nothing() -> None:
    report = run(Scale.small(orders=150, seed=20_260_131))

    assert report.unfinished == ""
    assert report.findings == []
    assert report.faults.total() > 0
    assert report.killed > 0
    assert report.outcomes["CONFIRMED"] > 0


def test_a_storm_that_is_broken_off_leaves_nothing_behind(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.chaos", "--orders", "150", "--small"],
        cwd=CHECKOUT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Sending"):
                break
        started = psutil.Process(process.pid).children(recursive=True)

        # Not SIGINT: whoever runs the tests in the background has children that ignore it.
        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=30) == 130
    assert started
    assert not [process for process in started if _works(process)]
    assert list(tmp_path.iterdir()) == []


def _works(process: psutil.Process) -> bool:
    """Tell whether it is there, and not only because nobody has asked how it ended."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

"""The machine that a benchmark ran on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks.harness.report import Machine


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def machine(load_before: str) -> Machine:
    return Machine(
        cores=os.cpu_count() or 1,
        processor=_processor(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        emulator=version("ministack"),
        load=f"{load_before} at the start, {load()} at the end",
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )

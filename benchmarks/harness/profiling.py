"""CPU time by function and by package."""

import cProfile
import io
import pstats
import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import PurePath

from scripts.common.project_files import CHECKOUT

_TOP = 40
_PACKAGES = (
    ("services", "ours"),
    ("benchmarks", "the benchmark"),
    ("botocore", "botocore"),
    ("jmespath", "botocore"),
    ("urllib3", "urllib3"),
    ("aws_lambda_powertools", "powertools"),
    ("pydantic", "pydantic"),
    ("pydantic_core", "pydantic"),
    ("json", "json"),
    ("http", "http and sockets"),
    ("email", "http and sockets"),
    ("logging", "logging"),
)

_PATHS = (
    (r"/\S*/site-packages/", ""),
    (r"/\S*/lib/python[\d.]+/", "python/"),
    (re.escape(f"{CHECKOUT}/"), ""),
)

Function = tuple[str, int, str]
Timing = tuple[int, int, float, float, Mapping[Function, tuple[int, int, float, float]]]
Profile = tuple[Mapping[str, float], str]


class Profiler:
    """Profiles the CPU time of work in the calling thread."""

    def __init__(self) -> None:
        self._profile = cProfile.Profile(time.thread_time)

    def run(self, work: Callable[[], object]) -> None:
        self._profile.runcall(work)

    def result(self) -> Profile:
        """Return the share of each package, and the most expensive functions as text."""
        return _summarized(self._profile)


def _summarized(profiler: cProfile.Profile) -> Profile:
    text = io.StringIO()
    stats = pstats.Stats(profiler, stream=text)
    shares = _shares(stats)
    for name, share in shares.items():
        text.write(f"{share:6.1%}  {name}\n")
    stats.sort_stats("tottime").print_stats(_TOP)
    return shares, _portable(text.getvalue())


def _shares(stats: pstats.Stats) -> dict[str, float]:
    """Return own time by package; built-in functions count for their caller."""
    spent: defaultdict[str, float] = defaultdict(float)
    timed: Mapping[Function, Timing] = stats.stats  # type: ignore[attr-defined]
    for function, (_, _, own, _, callers) in timed.items():
        if function[0] != "~" or _known(function):
            spent[_owner(function)] += own
            continue
        for caller, (_, _, own_for_caller, _) in callers.items():
            spent[_owner(caller)] += own_for_caller
    total = sum(spent.values())
    return {name: spent[name] / total for name in sorted(spent, key=lambda name: -spent[name])}


def _known(function: Function) -> bool:
    return "pydantic_core" in function[2] or "_socket" in function[2]


def _owner(function: Function) -> str:
    path, _, name = function
    if "pydantic_core" in name:
        return "pydantic"
    if "_socket" in name or PurePath(path).name in {"socket.py", "selectors.py"}:
        return "http and sockets"
    parts = PurePath(path).parts
    return next((owner for package, owner in _PACKAGES if package in parts), "other")


def _portable(text: str) -> str:
    """Remove the local paths of packages."""
    for pattern, replacement in _PATHS:
        text = re.sub(pattern, replacement, text)
    return "\n".join(line.rstrip() for line in text.splitlines()).strip() + "\n"

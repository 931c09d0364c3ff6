"""Where processor time goes: by function, and by whose function it is."""

import cProfile
import io
import pstats
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import PurePath

_TOP = 40
_PACKAGES = (
    ("services", "ours"),
    ("benchmarks", "the benchmark"),
    ("botocore", "botocore"),
    ("urllib3", "urllib3"),
    ("aws_lambda_powertools", "powertools"),
    ("pydantic", "pydantic"),
    ("pydantic_core", "pydantic"),
    ("json", "json"),
    ("http", "http and sockets"),
    ("email", "http and sockets"),
    ("logging", "logging"),
)

Function = tuple[str, int, str]
Profile = tuple[Mapping[str, float], str]


def profiled(work: Callable[[], object]) -> Profile:
    """Run the work; return each package's share of the processor time of this thread, and all of it as text."""
    profiler = cProfile.Profile(time.thread_time)
    profiler.runcall(work)
    text = io.StringIO()
    stats = pstats.Stats(profiler, stream=text)
    shares = _shares(stats)
    for name, share in shares.items():
        text.write(f"{share:6.1%}  {name}\n")
    stats.sort_stats("tottime").print_stats(_TOP)
    return shares, _portable(text.getvalue())


def _shares(stats: pstats.Stats) -> dict[str, float]:
    """Own time by package; what is built into the interpreter counts for whoever called it."""
    spent: defaultdict[str, float] = defaultdict(float)
    timed: Mapping[Function, tuple[int, int, float, float, Mapping[Function, tuple[int, int, float, float]]]]
    timed = stats.stats  # type: ignore[attr-defined]
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
    """Leave out where on this machine the packages are."""
    kept = []
    for line in text.splitlines():
        before, separator, path = line.partition("/")
        for marker in ("site-packages/", "/lib/python3", "/services/", "/benchmarks/"):
            if separator and marker in path:
                tail = path.rpartition(marker)[2]
                path = tail if marker.startswith("site") else marker.strip("/") + "/" + tail
                separator = ""
                break
        kept.append((before + separator + path).rstrip())
    return "\n".join(kept).strip() + "\n"

"""`python -m tests.fuzz`: the fuzz targets in turn, until the time is over. Used by `make fuzz`."""

import argparse
import sys
import time
from random import SystemRandom

from hypothesis import HealthCheck, settings
from rich import box
from rich.console import Console
from rich.table import Table

from tests.fuzz.cases import keep
from tests.fuzz.harness import BATCHES, TARGETS, Target

LONG = settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    arguments = parser.parse_args()
    if not 0 < arguments.minutes <= 24 * 60:
        parser.error("--minutes must be more than 0, and a day at most")
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 120)
    started = time.monotonic()
    try:
        failed = _fuzz(started + 60 * arguments.minutes, console)
    except KeyboardInterrupt:
        failed = None
        console.print("Broken off.")
    _show(console, time.monotonic() - started)
    return 1 if failed else 0


def _fuzz(deadline: float, console: Console) -> Target | None:
    """Go round all targets with ever new numbers; returns the first that does not hold."""
    dice = SystemRandom()
    while True:
        for target in TARGETS:
            if time.monotonic() > deadline:
                return None
            number = dice.randrange(2**32)
            try:
                target.fuzz(LONG, number)
            except Exception:  # noqa: BLE001 - whatever it is, it is what was looked for
                console.print(f"{target} does not hold (seed {number}):")
                console.print_exception(max_frames=6)
                if target.name == BATCHES:
                    console.print(f"Kept as {keep(target.subject, target.last, 'found by make fuzz')}")
                return target


def _show(console: Console, seconds: float) -> None:
    table = Table("target", "", "examples", box=box.SIMPLE_HEAD, pad_edge=False)
    table.columns[2].justify = "right"
    for target in TARGETS:
        table.add_row(target.name, target.subject, f"{target.examples:,}")
    console.print(table)
    total = sum(target.examples for target in TARGETS)
    console.print(f"{total:,} examples in {seconds:.0f} s, {total / seconds:.0f}/s.")


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.chaos`: a storm over a stack of its own, and a verdict. Used by `make chaos`."""

import argparse
import json
import signal
import sys
from random import SystemRandom

from rich.console import Console

from tests.chaos.report import as_json, show
from tests.chaos.run import Scale, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--orders", type=int, default=3_000)
    parser.add_argument("--seed", type=int, help="the same seed makes the same plan; chosen when not given")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--small", action="store_true", help="a hold of seconds, as in the test suite")
    arguments = parser.parse_args()
    if not 1 <= arguments.orders <= 20_000:
        parser.error("--orders must be 1 to 20000")
    seed = SystemRandom().randrange(1_000_000) if arguments.seed is None else arguments.seed
    scale = (Scale.small if arguments.small else Scale.full)(arguments.orders, seed)
    # A request to stop is handled as Ctrl-C: what was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(stderr=True, highlight=False)
    try:
        report = run(scale, progress=console.print)
    except KeyboardInterrupt:
        console.print("Broken off; nothing is left running.")
        return 130
    if arguments.json:
        json.dump(as_json(report), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        width = None if sys.stdout.isatty() else 120
        show(report, Console(width=width, highlight=False, markup=False))
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())

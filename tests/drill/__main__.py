"""`python -m tests.drill`: a stack loses its data and comes back; used by `make drill`."""

import argparse
import json
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from tests.drill.run import Drill, Report


def main() -> int:
    parser = argparse.ArgumentParser(prog="drill", description=__doc__)
    parser.add_argument("--orders", type=int, default=300, help="orders that the backup has")
    parser.add_argument("--tail", type=int, default=100, help="orders placed after it")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    # A request to stop is handled as Ctrl-C: what was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(stderr=True, highlight=False)
    try:
        with TemporaryDirectory(prefix="pulsequeue-drill-") as home:
            report = Drill(Path(home) / "stack", console.print).run(
                orders=arguments.orders, tail=arguments.tail
            )
    except KeyboardInterrupt:
        console.print("Broken off; nothing is left running.")
        return 130
    text = json.dumps(report.as_json(), indent=2) if arguments.json else "\n".join(lines(report))
    sys.stdout.write(f"{text}\n")
    return 0 if report.ok else 1


def lines(report: Report) -> list[str]:
    seconds, tail = sum(report.steps.values()), report.orders - report.backed_up_orders
    audit = "clean" if report.audit_is_clean else "findings"
    return [
        f"Lost: every table and the database, {tail} orders after the backup.",
        *(f"  {took:6.1f} s  {name}" for name, took in report.steps.items()),
        f"RTO: {seconds:.1f} s, from the loss until everything was recounted.",
        f"RPO: {len(report.lost)} of {report.orders} orders lost or in another state"
        + (f": {', '.join(report.lost[:5])}" if report.lost else "."),
        f"Stock: {len(report.stock_differs)} products differ. Audit: {audit}.",
        f"Read side: {dict(report.rows_after)}, before {dict(report.rows_before)}.",
        "The drill passed." if report.ok else "The drill failed.",
    ]


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks`, behind `make bench`: runs benchmarks and writes their reports."""

import argparse
import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.catalog import CATALOG, Benchmark
from benchmarks.harness.machine import load, machine
from benchmarks.harness.report import Circumstances, Report
from benchmarks.harness.report_store import write
from benchmarks.harness.statistics import Scale
from scripts.common.project_files import CHECKOUT
from scripts.environment.local_state import home_folder


def main(arguments: Sequence[str] | None = None) -> None:
    parser = _parser()
    args = parser.parse_args(arguments)
    purposes = {name: benchmark.purpose for name, benchmark in CATALOG.items()}
    if args.list:
        print("\n".join(f"{name:<20}{purpose}" for name, purpose in purposes.items()))
        return
    names: list[str] = args.names or list(CATALOG)
    if unknown := [name for name in names if name not in CATALOG]:
        parser.error(f"unknown benchmark {unknown[0]!r}; choose from {', '.join(CATALOG)}")
    pages, results = _folders(args.output, quick=args.quick)
    # End on SIGTERM as on Ctrl-C, so that emulators and databases are stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for name in names:
        print(f"{name}: {purposes[name]} ...", flush=True)
        report, circumstances = _run(CATALOG[name], Scale.QUICK if args.quick else Scale.FULL)
        path = write(pages, results, report, circumstances, purposes)
        print(f"{report.title}: {path}", *(f"  {finding}" for finding in report.findings), "", sep="\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Run benchmarks and write reports."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run (default: all)")
    parser.add_argument("--quick", action="store_true", help="few, short repetitions: check that it runs")
    parser.add_argument("--list", action="store_true", help="list the benchmarks and exit")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where to write (default: docs/benchmarks; with --quick: .pulsequeue/benchmarks)",
    )
    return parser


def _folders(output: Path | None, *, quick: bool) -> tuple[Path, Path]:
    """Return where pages and raw results go; a quick run never replaces the committed pages."""
    if output or quick:
        pages = output or home_folder() / "benchmarks"
        return pages, pages / "results"
    return CHECKOUT / "docs" / "benchmarks", CHECKOUT / "benchmarks" / "results"


def _run(benchmark: Benchmark, scale: Scale) -> tuple[Report, Circumstances]:
    load_before, started = load(), time.monotonic()
    report = benchmark.load()(scale)
    seconds = time.monotonic() - started
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return report, Circumstances(scale, seconds, now, machine(load_before))


if __name__ == "__main__":
    main()

"""`pulsequeue bench`: measures, and writes down what it found."""

import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from benchmarks.catalog import Benchmark
    from benchmarks.harness.report import Circumstances, Report


def register(app: typer.Typer) -> None:
    command(app)(bench)


def bench(
    session: Session,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which ones; all unless named.")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Few and short repetitions: does it run, and roughly what comes out?"),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where reports go: docs/benchmarks unless told; quick ones go to .pulsequeue/benchmarks.",
        ),
    ] = None,
    only_list: Annotated[bool, typer.Option("--list", help="Say which benchmarks there are.")] = False,
) -> None:
    """Measure, and write a report of each benchmark: a page, charts, and every number as JSON."""
    try:
        from benchmarks.catalog import CATALOGUE
        from benchmarks.harness.report import record
        from benchmarks.harness.report_store import keep
    except ModuleNotFoundError as error:
        raise ToolError(f"benchmarks run from a checkout, after `make install` ({error}).") from None
    purposes = {name: it.purpose for name, it in CATALOGUE.items()}
    if only_list:
        session.out.show(purposes, Table(("benchmark", "asks"), list(purposes.items())))
        return
    chosen = names or list(CATALOGUE)
    if unknown := [name for name in chosen if name not in CATALOGUE]:
        raise ToolError(f"there is no benchmark {unknown[0]!r}; there are {', '.join(CATALOGUE)}.")
    folder = output or _folder(quick=quick)
    # Asked to end, it ends as by a person at the keyboard: what it started is stopped first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for name in chosen:
        session.out.note(f"{name}: {purposes[name]} ...")
        report, how = _measured(CATALOGUE[name], quick=quick)
        page = keep(folder, report, how, purposes)
        findings = "\n".join(f"  {finding}" for finding in report.findings)
        session.out.show(record(report, how), f"{report.title}: {page}\n{findings}\n")


def _measured(benchmark: "Benchmark", *, quick: bool) -> "tuple[Report, Circumstances]":
    from benchmarks.harness.machine import load, machine
    from benchmarks.harness.report import Circumstances
    from benchmarks.harness.statistics import Scale

    scale = Scale.QUICK if quick else Scale.FULL
    load_before, started = load(), time.monotonic()
    report = benchmark.load()(scale)
    seconds = time.monotonic() - started
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return report, Circumstances(scale, seconds, now, machine(load_before))


def _folder(*, quick: bool) -> Path:
    from scripts.environment.local_state import home_folder
    from scripts.environment.topology import CHECKOUT

    # What is kept is not overwritten by a glance.
    return home_folder() / "benchmarks" if quick else CHECKOUT / "docs" / "benchmarks"

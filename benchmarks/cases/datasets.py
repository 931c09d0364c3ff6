"""Measures inspecting and loading files: rows a second, CPU time and peak memory."""

import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.harness.report import Chart, Report, Table
from benchmarks.harness.statistics import Scale, Series, Spread, alternate, number, ratio
from scripts.common.project_files import CHECKOUT
from services.datasets.inspection import inspect
from services.datasets.loading import load

_REGIONS = ("North", "South", "East", "West")
_FAULT_EVERY = 433
_WAYS = ("inspect", "load", "csv.reader")


@dataclass
class _FileMeter:
    """Reads one file in a new process each time."""

    rows: int
    file: Path
    recipe: Path
    wall: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in _WAYS})
    cpu: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in _WAYS})
    peak: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in _WAYS})

    def take(self, way: str) -> float:
        ran = subprocess.run(  # noqa: S603 - this Python, with a module of ours
            [
                sys.executable,
                "-m",
                "benchmarks.fixtures.dataset_probe",
                way,
                str(self.file),
                str(self.recipe),
            ],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
        )
        wall, cpu, kilobytes = map(float, ran.stdout.split())
        self.wall[way].append(wall)
        self.cpu[way].append(cpu)
        self.peak[way].append(kilobytes / 1024)
        return wall


def run(scale: Scale) -> Report:
    sizes = (2_000, 20_000) if scale is Scale.QUICK else (100_000, 1_000_000)
    repetitions = scale.pick(1, 5)
    with tempfile.TemporaryDirectory(prefix="pulsequeue-bench-") as scratch:
        meters = [_meter(Path(scratch), rows) for rows in sizes]
        for meter in meters:
            alternate({way: partial(meter.take, way) for way in _WAYS}, repetitions)
    for meter in meters:
        for series in (meter.wall, meter.cpu, meter.peak):
            for way in _WAYS:
                del series[way][0]  # the warm-up round
    return _report(scale, repetitions, meters)


def _meter(folder: Path, rows: int) -> _FileMeter:
    """Write a file of sales, in which one amount of 433 is no number; all of these must be found."""
    chance = random.Random(rows)
    file, recipe = folder / f"{rows}.csv", folder / f"{rows}.json"
    with file.open("w", encoding="utf-8") as lines:
        lines.write("id,day,region,product,amount,note\n")
        for at in range(rows):
            amount = "oops" if at % _FAULT_EVERY == 0 else f"{chance.random() * 1_000:.2f}"
            day = f"2026-{at % 12 + 1:02}-{at % 28 + 1:02}"
            lines.write(f'{at},{day},{_REGIONS[at % 4]},p-{at % 977},{amount},"some, text {at}"\n')
    found = inspect(file).recipe
    result = load(file, found, folder / "loaded")
    faults = len(range(0, rows, _FAULT_EVERY))
    if (result.records, result.rejected) != (rows, faults):
        raise RuntimeError(
            f"{result.rejected} of {faults} faults found in {result.records} of {rows} records"
        )
    recipe.write_text(found.model_dump_json(), encoding="utf-8")
    return _FileMeter(rows, file, recipe)


def _report(scale: Scale, repetitions: int, meters: Sequence[_FileMeter]) -> Report:
    largest = meters[-1]
    per_second = Spread.of(_rows_per_second(largest, "load"))
    times = ratio(largest.wall["load"], largest.wall["csv.reader"])
    peak = Spread.of(largest.peak["load"])
    sizes = [number(meter.rows, 9) for meter in meters]
    return Report(
        name="datasets",
        title="Reading files",
        question="How fast are files inspected and loaded, and how much memory does it take?",
        method=_method(scale, repetitions, " and ".join(sizes)),
        findings=(
            f"Loading {sizes[-1]} rows runs at {per_second.text()} rows/s, with a peak of {peak.text()} MB.",
            f"It takes {times.text(2)} × the time of `csv.reader`; it also names faults and writes Parquet.",
        ),
        tables=tuple(_table(meter) for meter in meters),
        charts=(
            Chart(
                "Rows a second by size of the file",
                sizes,
                {way: [Spread.of(_rows_per_second(it, way)).median for it in meters] for way in _WAYS},
                "rows of the file",
                "rows/s",
                bars=True,
            ),
        ),
        series={
            f"{meter.rows} rows, {way}: {figure}": series
            for meter in meters
            for way in _WAYS
            for figure, series in (
                ("rows/s", _rows_per_second(meter, way)),
                ("CPU seconds", meter.cpu[way]),
                ("peak MB", meter.peak[way]),
            )
        },
    )


def _method(scale: Scale, repetitions: int, sizes: str) -> Sequence[str]:
    return (
        f"Files of {sizes} rows, six columns; one amount of {_FAULT_EVERY} is no number. All must be found.",
        f"Each way runs in its own process, in turns, {repetitions} times after a warm-up ({scale.value}).",
        "Times leave out the start of Python.",
        "`csv.reader` converts the same columns in Python, with one parser, and writes nothing.",
    )


def _rows_per_second(meter: _FileMeter, way: str) -> Series:
    return [meter.rows / wall for wall in meter.wall[way]]


def _table(meter: _FileMeter) -> Table:
    return Table(
        f"{meter.rows:,} rows",
        ("way", "rows/s", "CPU seconds", "peak MB"),
        [
            (
                way,
                Spread.of(_rows_per_second(meter, way)).text(),
                Spread.of(meter.cpu[way]).text(),
                Spread.of(meter.peak[way]).text(),
            )
            for way in _WAYS
        ],
    )

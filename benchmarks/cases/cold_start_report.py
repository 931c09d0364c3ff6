"""What cold starts say, as tables and sentences. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.fixtures.package_variants import (
    ALL_DATA,
    BOTO3,
    BOTO3_TRIMMED,
    GZIPPED,
    NO_BYTECODE,
    NO_SOURCES,
    PACKAGE,
    SOURCES,
    TRACED,
)
from benchmarks.harness.report import Chart, Report, Table
from benchmarks.harness.statistics import Spread, number, ratio, ratios
from benchmarks.harness.targets import TargetResult

STAGES = ("import", "clients", "first event")
_TO_CLIENTS = 2


@dataclass(frozen=True, slots=True)
class Start:
    """One cold start: seconds of each stage, on the clock and of the processor."""

    clock: Sequence[float]
    processor: Sequence[float]
    peak_megabytes: float
    """Of the whole process, with its first event handled."""

    @property
    def processor_to_clients(self) -> float:
        return sum(self.processor[:_TO_CLIENTS])

    @property
    def clock_to_clients(self) -> float:
        return sum(self.clock[:_TO_CLIENTS])


Starts = Mapping[str, Sequence[Start]]
Take = Callable[[Start], float]


def report(compared: Starts, means: Starts, imports: Starts, profile: str) -> Report:
    ours = compared[PACKAGE]
    above = _above(compared, PACKAGE, BOTO3)
    return Report(
        name="cold-start",
        title="Cold start of the order function",
        question="How long does a function take until its clients exist and its first order is handled, "
        "compared with a program that only imports boto3 and makes the same clients and calls?",
        method=_how(len(ours)),
        findings=_findings(compared, means, above),
        tables=(_stages(compared), _what_pays(means), _function_by_function(imports)),
        charts=(
            Chart(
                "A cold start, by stage",
                list(compared),
                {
                    stage: [_milliseconds(starts, _stage(number)).median for starts in compared.values()]
                    for number, stage in enumerate(STAGES)
                },
                y_title="ms of processor time, median",
                bars=True,
            ),
        ),
        targets=(
            TargetResult(
                "cold-start",
                above,
                lower_bound=f"{_above(compared, BOTO3_TRIMMED, BOTO3).text()} %",
                usual=f"{_above(compared, SOURCES, BOTO3).text()} %",
            ),
        ),
        series={
            f"{name}: {stage}, {kind}, s": [getattr(start, field)[number] for start in starts]
            for name, starts in {**compared, **{f"{it} (variants)": s for it, s in means.items()}}.items()
            for number, stage in enumerate(STAGES)
            for field, kind in (("clock", "wall clock"), ("processor", "CPU"))
        }
        | {
            f"{name} alone: import, {kind}, s": [getattr(start, field)[0] for start in starts]
            for name, starts in imports.items()
            for field, kind in (("clock", "wall clock"), ("processor", "CPU"))
        }
        | {
            f"{name}: peak, MB": [start.peak_megabytes for start in starts]
            for name, starts in compared.items()
        },
        attachments={"cold-start-imports.txt": profile},
    )


def _how(starts: int) -> Sequence[str]:
    turns = (
        f"{starts} cold starts of each, in turns, each in a fresh interpreter that finds one folder and "
        "nothing else. The start of the interpreter itself is left out, as is a round that warms the disk's "
        "cache."
    )
    time = (
        "Processor time unless it says clock: importing computes, and waits for nothing but a neighbour's "
        "processor."
    )
    folders = (
        f"*{PACKAGE}*: `pulsequeue package --platform host`, unpacked. *{SOURCES}*: the same wheels and "
        f"sources, nothing left out, not compiled. *{BOTO3}*: the wheels with boto3, whole, compiled as ours "
        f"are. *{BOTO3_TRIMMED}*: boto3 on what the package ships of botocore."
    )
    event = (
        "The first event is an order for one unit: one read, one transaction, one event on the bus of the "
        "emulator. The program with boto3 makes the same three calls with less in them."
    )
    garbage = (
        "One collection of all garbage, of some 20 ms, falls among the imports or into the first event: a "
        "few objects more or less decide."
    )
    return (turns, time, folders, event, garbage)


def _findings(compared: Starts, means: Starts, above: Spread) -> Sequence[str]:
    ours = _milliseconds(compared[PACKAGE], _to_clients).text()
    clock = _ratio(compared, PACKAGE, BOTO3, _clock).text()
    same_data = _ratio(compared, PACKAGE, BOTO3_TRIMMED, _to_clients).text()
    unpackaged = _ratio(compared, SOURCES, PACKAGE, _to_clients).text()
    traced, untraced = (_milliseconds(means[name], _stage(2)).text() for name in (TRACED, PACKAGE))
    return (
        f"A packaged function has its clients after {ours} ms of processor time.",
        f"That is {_said(above)} than importing boto3 and making the same clients.",
        f"On the clock it takes {clock} times as long as boto3.",
        f"It takes {same_data} times as long as boto3 on our botocore: pydantic, Powertools and our code.",
        f"Sources and wheels that nobody packaged take {unpackaged} times as long as the package.",
        f"The first event takes {untraced} ms, or {traced} ms if it is the first that X-Ray samples.",
    )


def _said(above: Spread) -> str:
    side = "more" if above.median >= 0 else "less"
    return (
        f"{number(abs(above.median))} % {side} (95 % interval {number(above.low)} to {number(above.high)} %)"
    )


def _stages(compared: Starts) -> Table:
    return Table(
        "Stage by stage",
        (
            "",
            *STAGES,
            *("to the clients", "× boto3", "to the clients, clock", "× boto3, clock", "peak memory"),
        ),
        [
            (
                name,
                *(f"{_milliseconds(starts, _stage(at)).text()} ms" for at in range(len(STAGES))),
                f"{_milliseconds(starts, _to_clients).text()} ms",
                _ratio(compared, name, BOTO3, _to_clients).text(),
                f"{_milliseconds(starts, _clock).text()} ms",
                _ratio(compared, name, BOTO3, _clock).text(),
                f"{Spread.of([start.peak_megabytes for start in starts]).text()} MB",
            )
            for name, starts in compared.items()
        ],
    )


_REASONS = {
    PACKAGE: "",
    NO_BYTECODE: "every module is compiled at each cold start, for `/var/task` cannot be written to",
    ALL_DATA: "botocore looks into 400 folders and reads the endpoints of all of AWS",
    NO_SOURCES: "saves a look for each module; tracebacks would have no lines",
    GZIPPED: "the zip compresses anyway",
    TRACED: "the X-Ray SDK, loaded by the first event that is sampled",
}


def _what_pays(means: Starts) -> Table:
    return Table(
        "What each of the means is worth",
        ("", "to the clients", "× the package", "first event", "why"),
        [
            (
                name,
                f"{_milliseconds(starts, _to_clients).text()} ms",
                _ratio(means, name, PACKAGE, _to_clients).text(),
                f"{_milliseconds(starts, _stage(2)).text()} ms",
                _REASONS[name],
            )
            for name, starts in means.items()
        ],
        f"In turns of their own, {len(means[PACKAGE])} of each. Until its first event the traced one is the "
        "package itself: how far its ratio is from 1 is how far chance reaches.",
    )


def _function_by_function(imports: Starts) -> Table:
    return Table(
        "Function by function",
        ("", "import", "× order", "peak memory"),
        [
            (
                name,
                f"{_milliseconds(starts, _stage(0)).text()} ms",
                ratio(_take(starts, _stage(0)), _take(imports["order"], _stage(0))).text(),
                f"{Spread.of([start.peak_megabytes for start in starts]).text()} MB",
            )
            for name, starts in imports.items()
        ],
        f"Imports alone, {len(imports['order'])} of each in turns: what is there before anything is "
        "asked, and what a snapshot would hold.",
    )


def _ratio(starts: Starts, ours: str, theirs: str, take: Take) -> Spread:
    return ratio(_take(starts[ours], take), _take(starts[theirs], take))


def _above(starts: Starts, ours: str, theirs: str) -> Spread:
    times = ratios(_take(starts[ours], _to_clients), _take(starts[theirs], _to_clients))
    return Spread.interval([(value - 1) * 100 for value in times])


def _milliseconds(starts: Sequence[Start], take: Take) -> Spread:
    return Spread.of(_take(starts, take)).scaled(1_000)


def _take(starts: Sequence[Start], take: Take) -> list[float]:
    return [take(start) for start in starts]


def _stage(at: int) -> Take:
    return lambda start: start.processor[at]


def _to_clients(start: Start) -> float:
    return start.processor_to_clients


def _clock(start: Start) -> float:
    return start.clock_to_clients

"""Tables and sentences of the benchmark `cold-start`. Pure."""

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
    """One cold start: seconds of each stage, wall clock and CPU."""

    wall: Sequence[float]
    cpu: Sequence[float]
    peak_megabytes: float
    """Of the whole process, after its first event."""

    @property
    def cpu_to_clients(self) -> float:
        return sum(self.cpu[:_TO_CLIENTS])

    @property
    def wall_to_clients(self) -> float:
        return sum(self.wall[:_TO_CLIENTS])


Starts = Mapping[str, Sequence[Start]]
Take = Callable[[Start], float]


def report(compared: Starts, variants: Starts, imports: Starts, requests: Starts, profile: str) -> Report:
    ours = compared[PACKAGE]
    overhead = _overhead(compared, PACKAGE, BOTO3)
    return Report(
        name="cold-start",
        title="Cold start of the order function",
        question="How long does a function take until its clients exist and its first order is handled, "
        "compared with a program that only imports boto3 and makes the same clients and calls?",
        method=_method(len(ours)),
        findings=[*_findings(compared, variants, overhead), _slowest(requests)],
        tables=(
            _stages_table(compared),
            _variants_table(variants),
            _imports_table(imports),
            _requests_table(requests),
        ),
        charts=(
            Chart(
                "Cold start by stage",
                list(compared),
                {
                    stage: [_milliseconds(starts, _stage(number)).median for starts in compared.values()]
                    for number, stage in enumerate(STAGES)
                },
                y_title="ms of CPU time, median",
                bars=True,
            ),
        ),
        targets=(
            TargetResult(
                "cold-start",
                overhead,
                lower_bound=f"{_overhead(compared, BOTO3_TRIMMED, BOTO3).text()} %",
                usual=f"{_overhead(compared, SOURCES, BOTO3).text()} %",
            ),
        ),
        series={
            f"{name}: {stage}, {kind}, s": [getattr(start, field)[number] for start in starts]
            for name, starts in {**compared, **{f"{it} (variants)": s for it, s in variants.items()}}.items()
            for number, stage in enumerate(STAGES)
            for field, kind in (("wall", "wall clock"), ("cpu", "CPU"))
        }
        | {
            f"{name} alone: import, {kind}, s": [getattr(start, field)[0] for start in starts]
            for name, starts in imports.items()
            for field, kind in (("wall", "wall clock"), ("cpu", "CPU"))
        }
        | {
            f"{name}, first request: {stage}, {kind}, s": [getattr(start, field)[number] for start in starts]
            for name, starts in requests.items()
            for number, stage in enumerate(("import", "answer"))
            for field, kind in (("wall", "wall clock"), ("cpu", "CPU"))
        }
        | {
            f"{name}: peak, MB": [start.peak_megabytes for start in starts]
            for name, starts in compared.items()
        },
        attachments={"cold-start-imports.txt": profile},
    )


def _method(starts: int) -> Sequence[str]:
    return (
        (
            f"{starts} cold starts of each variant, in turns, each in a new interpreter that finds one "
            "folder and nothing else. The start of the interpreter is not counted, nor is a first round "
            "that warms the disk cache."
        ),
        "CPU time, unless it says wall clock: importing computes and waits for nothing else.",
        (
            f"*{PACKAGE}*: `pulsequeue package --platform host`, unpacked. *{SOURCES}*: the same wheels and "
            f"sources, complete and not compiled. *{BOTO3}*: the complete wheels with boto3, compiled like "
            f"ours. *{BOTO3_TRIMMED}*: boto3 with the part of botocore that the package contains."
        ),
        (
            "The first event is an order for one unit: one read, one transaction, one event on the "
            "emulator's bus. The boto3 program makes the same three calls with smaller requests."
        ),
        (
            "One full garbage collection of about 20 ms falls either into the imports or into the first "
            "event; a few objects more or less decide which."
        ),
    )


def _findings(compared: Starts, variants: Starts, overhead: Spread) -> Sequence[str]:
    ours = _milliseconds(compared[PACKAGE], _to_clients).text()
    wall = _ratio(compared, PACKAGE, BOTO3, _wall).text()
    same_data = _ratio(compared, PACKAGE, BOTO3_TRIMMED, _to_clients).text()
    unpackaged = _ratio(compared, SOURCES, PACKAGE, _to_clients).text()
    traced, untraced = (_milliseconds(variants[name], _stage(2)).text() for name in (TRACED, PACKAGE))
    return (
        f"A packaged function has its clients after {ours} ms of CPU time.",
        f"That is {_difference(overhead)} than importing boto3 and making the same clients.",
        f"By the wall clock it takes {wall} times as long as boto3.",
        f"It takes {same_data} times as long as boto3 with our botocore: pydantic, Powertools and our code.",
        f"Sources and wheels without packaging take {unpackaged} times as long as the package.",
        f"The first event takes {untraced} ms, or {traced} ms if X-Ray samples it.",
    )


def _difference(overhead: Spread) -> str:
    side = "more" if overhead.median >= 0 else "less"
    interval = f"{number(overhead.low)} to {number(overhead.high)} %"
    return f"{number(abs(overhead.median))} % {side} (95 % interval {interval})"


def _stages_table(compared: Starts) -> Table:
    return Table(
        "By stage",
        (
            "",
            *STAGES,
            *(
                "to the clients",
                "× boto3",
                "to the clients, wall clock",
                "× boto3, wall clock",
                "peak memory",
            ),
        ),
        [
            (
                name,
                *(f"{_milliseconds(starts, _stage(at)).text()} ms" for at in range(len(STAGES))),
                f"{_milliseconds(starts, _to_clients).text()} ms",
                _ratio(compared, name, BOTO3, _to_clients).text(),
                f"{_milliseconds(starts, _wall).text()} ms",
                _ratio(compared, name, BOTO3, _wall).text(),
                f"{Spread.of([start.peak_megabytes for start in starts]).text()} MB",
            )
            for name, starts in compared.items()
        ],
    )


_REASONS = {
    PACKAGE: "",
    NO_BYTECODE: "every module is compiled at each cold start, as `/var/task` is read-only",
    ALL_DATA: "botocore searches 400 folders and reads the endpoints of all AWS services",
    NO_SOURCES: "saves a file lookup per module; tracebacks have no source lines",
    GZIPPED: "the zip is compressed anyway",
    TRACED: "the X-Ray SDK is loaded by the first sampled event",
}


def _variants_table(variants: Starts) -> Table:
    return Table(
        "What each packaging step saves",
        ("", "to the clients", "× the package", "first event", "why"),
        [
            (
                name,
                f"{_milliseconds(starts, _to_clients).text()} ms",
                _ratio(variants, name, PACKAGE, _to_clients).text(),
                f"{_milliseconds(starts, _stage(2)).text()} ms",
                _REASONS[name],
            )
            for name, starts in variants.items()
        ],
        f"Measured in separate turns, {len(variants[PACKAGE])} starts each. Until its first event the traced "
        "variant is the package itself: its distance from 1 is noise.",
    )


def _imports_table(imports: Starts) -> Table:
    return Table(
        "Imports by function",
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
        f"Imports only, {len(imports['order'])} starts each in turns: the state before the first request, "
        "which a snapshot would hold.",
    )


def _requests_table(requests: Starts) -> Table:
    return Table(
        "The first request of the API's functions",
        ("", "import", "answer", "both", "both, wall clock", "peak memory"),
        [
            (
                name,
                *(
                    f"{_milliseconds(starts, it).text()} ms"
                    for it in (_stage(0), _stage(1), _to_clients, _wall)
                ),
                f"{Spread.of([start.peak_megabytes for start in starts]).text()} MB",
            )
            for name, starts in requests.items()
        ],
        "Clients are made and a request for a path that does not exist is answered; "
        f"{len(next(iter(requests.values())))} starts each in turns.",
    )


def _slowest(requests: Starts) -> str:
    name, starts = max(requests.items(), key=lambda it: _milliseconds(it[1], _to_clients).median)
    return (
        f"Of the API's functions {name} takes longest to its first answer: "
        f"{_milliseconds(starts, _to_clients).text()} ms."
    )


def _ratio(starts: Starts, ours: str, theirs: str, take: Take) -> Spread:
    return ratio(_take(starts[ours], take), _take(starts[theirs], take))


def _overhead(starts: Starts, ours: str, theirs: str) -> Spread:
    times = ratios(_take(starts[ours], _to_clients), _take(starts[theirs], _to_clients))
    return Spread.interval([(value - 1) * 100 for value in times])


def _milliseconds(starts: Sequence[Start], take: Take) -> Spread:
    return Spread.of(_take(starts, take)).scaled(1_000)


def _take(starts: Sequence[Start], take: Take) -> list[float]:
    return [take(start) for start in starts]


def _stage(at: int) -> Take:
    return lambda start: start.cpu[at]


def _to_clients(start: Start) -> float:
    return start.cpu_to_clients


def _wall(start: Start) -> float:
    return start.wall_to_clients

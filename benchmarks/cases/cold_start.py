"""How long a cold start takes, stage by stage, beside a program that only imports boto3 and makes clients."""

import itertools
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import fixtures
from benchmarks.cases import cold_start_report as told
from benchmarks.cases.cold_start_report import Start
from benchmarks.fixtures.emulator import emulated
from benchmarks.fixtures.functions import Place, placed
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
    plant,
    unpack,
)
from benchmarks.harness.report import Report
from benchmarks.harness.statistics import Scale, alternate
from scripts.environment.lambda_env import DatabaseAddress, LambdaEnvInputs, variables
from scripts.environment.topology import Names, Topology

_PROBE = Path(fixtures.__file__).with_name("cold_start_probe.py")
_SKU = "prod-cold"
_SAMPLED = {
    "LAMBDA_TASK_ROOT": "/var/task",
    "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
}


def run(scale: Scale) -> Report:
    with emulated() as aws, tempfile.TemporaryDirectory(prefix="pulsequeue-cold-") as scratch:
        packages = unpack(Path(scratch))
        starter = Starter(Place.on(aws), plant(Path(scratch), packages["order"]))
        starter.place.stock([_SKU, "bare"])
        compared = starter.in_turns([PACKAGE, BOTO3, BOTO3_TRIMMED, SOURCES], scale.pick(3, 21))
        means = starter.in_turns(
            [PACKAGE, NO_BYTECODE, ALL_DATA, NO_SOURCES, GZIPPED, TRACED], scale.pick(2, 15)
        )
        profile = starter.import_profile()
        imports = starter.imports(packages, scale.pick(2, 15))
    return told.report(compared, means, imports, profile)


@dataclass(frozen=True)
class Starter:
    """Starts interpreters on an emulator."""

    place: Place
    trees: Mapping[str, Path]

    def in_turns(self, names: Sequence[str], repetitions: int) -> Mapping[str, Sequence[Start]]:
        """Start each in turns; the first round, which warms the disk's cache, does not count."""
        starts: defaultdict[str, list[Start]] = defaultdict(list)

        def start(name: str) -> float:
            starts[name].append(self.start(name))
            return starts[name][-1].processor_to_clients

        measures: dict[str, Callable[[], float]] = {name: partial(start, name) for name in names}
        alternate(measures, repetitions, warm_ups=1)
        return {name: each[1:] for name, each in starts.items()}

    def start(self, name: str) -> Start:
        return _start(self._run(name, options=()))

    def imports(self, packages: Mapping[str, Path], repetitions: int) -> Mapping[str, Sequence[Start]]:
        """Import each function's module from its service's package, in turns."""
        starts: defaultdict[str, list[Start]] = defaultdict(list)

        def start(function: str, handler: str) -> float:
            module = handler.rpartition(".")[0]
            arguments = ["module", str(packages[module.split(".")[1]]), module]
            starts[function].append(_start(self._interpret(arguments, self._environment(function))))
            return starts[function][-1].processor[0]

        functions = Topology.load().functions.items()
        alternate(
            {name: partial(start, name, spec.handler) for name, spec in functions}, repetitions, warm_ups=1
        )
        return {name: each[1:] for name, each in starts.items()}

    def import_profile(self) -> str:
        return self._run(PACKAGE, options=("-X", "importtime")).stderr

    def _run(self, name: str, options: Sequence[str]) -> subprocess.CompletedProcess[str]:
        kind = "bare" if name in {BOTO3, BOTO3_TRIMMED} else "functions"
        order_id = f"cold-{next(_NUMBERS)}"
        place, tree = self.place, self.trees[PACKAGE if name == TRACED else name]
        arguments = [kind, str(tree), place.inventory, place.orders, place.bus, order_id]
        told = {**self._environment("order"), **(_SAMPLED if name == TRACED else {})}
        return self._interpret([*arguments, placed(order_id, _SKU)], told, options)

    def _interpret(
        self, arguments: Sequence[str], told: Mapping[str, str], options: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        # No site-packages, no environment of Python's own, and, as on Lambda, no bytecode written beside.
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-I", "-S", "-B", *options, str(_PROBE), *arguments],
            env=told,
            capture_output=True,
            text=True,
            check=True,
        )

    def _environment(self, function: str) -> dict[str, str]:
        aws = self.place.aws
        database = DatabaseAddress("127.0.0.1", 5432, "disable")
        around = LambdaEnvInputs(hold_seconds=900, database=database)
        return {
            **variables(Names("bench"), Topology.load(), function, around),
            **aws.credentials(),
            "BUS_NAME": self.place.bus,
            "INVENTORY_TABLE": self.place.inventory,
            "ORDERS_TABLE": self.place.orders,
            "DEAD_LETTER_QUEUE_URL": f"{aws.endpoint}/000000000000/none",
            "HOME": os.devnull,
        }


def _start(said: subprocess.CompletedProcess[str]) -> Start:
    peak, *stages = said.stdout.splitlines()[-1].split()
    clock, processor = stages[0::2], stages[1::2]
    return Start(tuple(map(float, clock)), tuple(map(float, processor)), int(peak) / 1024)


_NUMBERS = itertools.count()

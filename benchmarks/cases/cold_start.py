"""Measures cold starts by stage, compared with a program that only imports boto3 and makes clients."""

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
from benchmarks.cases import cold_start_report
from benchmarks.cases.cold_start_report import Start
from benchmarks.fixtures.emulator import emulator_fixture
from benchmarks.fixtures.functions import AwsResources, order_placed_body
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
    create_variants,
    unpack,
)
from benchmarks.harness.report import Report
from benchmarks.harness.statistics import Scale, alternate
from scripts.environment.lambda_env import DatabaseAddress, LambdaEnvInputs, SignIn, variables
from scripts.environment.topology import Function, Names, Topology

_PROBE = Path(fixtures.__file__).with_name("cold_start_probe.py")
_SKU = "prod-cold"
_SAMPLED = {
    "LAMBDA_TASK_ROOT": "/var/task",
    "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
}


def run(scale: Scale) -> Report:
    with emulator_fixture() as aws, tempfile.TemporaryDirectory(prefix="pulsequeue-cold-") as scratch:
        packages = unpack(Path(scratch))
        starter = Starter(AwsResources.on(aws), create_variants(Path(scratch), packages["order"]))
        starter.resources.stock([_SKU, "bare"])
        compared = starter.in_turns([PACKAGE, BOTO3, BOTO3_TRIMMED, SOURCES], scale.pick(3, 21))
        variants = starter.in_turns(
            [PACKAGE, NO_BYTECODE, ALL_DATA, NO_SOURCES, GZIPPED, TRACED], scale.pick(2, 15)
        )
        profile = starter.import_profile()
        imports = starter.imports(packages, scale.pick(2, 15))
        requests = starter.first_requests(packages, scale.pick(2, 15))
    return cold_start_report.report(compared, variants, imports, requests, profile)


@dataclass(frozen=True)
class Starter:
    """Starts interpreters on an emulator."""

    resources: AwsResources
    trees: Mapping[str, Path]

    def in_turns(self, names: Sequence[str], repetitions: int) -> Mapping[str, Sequence[Start]]:
        """Start each in turns; drop the first round, which warms the disk cache."""
        starts: defaultdict[str, list[Start]] = defaultdict(list)

        def start(name: str) -> float:
            starts[name].append(self.start(name))
            return starts[name][-1].cpu_to_clients

        measures: dict[str, Callable[[], float]] = {name: partial(start, name) for name in names}
        alternate(measures, repetitions, warm_ups=1)
        return {name: each[1:] for name, each in starts.items()}

    def start(self, name: str) -> Start:
        return _start(self._run(name, options=()))

    def imports(self, packages: Mapping[str, Path], repetitions: int) -> Mapping[str, Sequence[Start]]:
        """Import each function's module from its service's package, in turns."""
        functions = Topology.load().functions
        return self._of_functions("module", packages, functions, repetitions)

    def first_requests(self, packages: Mapping[str, Path], repetitions: int) -> Mapping[str, Sequence[Start]]:
        """Have each function that people wait for answer its first request, in turns."""
        endpoints = {
            name: it for name, it in Topology.load().endpoints.items() if it.callers == "users" or it.signs_in
        }
        return self._of_functions("request", packages, endpoints, repetitions)

    def _of_functions(
        self,
        kind: str,
        packages: Mapping[str, Path],
        functions: Mapping[str, Function],
        repetitions: int,
    ) -> Mapping[str, Sequence[Start]]:
        starts: defaultdict[str, list[Start]] = defaultdict(list)

        def start(name: str, handler: str) -> float:
            module, _, function = handler.rpartition(".")
            arguments = [kind, str(packages[module.split(".")[1]]), module, function]
            starts[name].append(_start(self._interpret(arguments, self._environment(name))))
            return starts[name][-1].cpu[0]

        measures: dict[str, Callable[[], float]] = {
            name: partial(start, name, spec.handler) for name, spec in functions.items()
        }
        alternate(measures, repetitions, warm_ups=1)
        return {name: each[1:] for name, each in starts.items()}

    def import_profile(self) -> str:
        return self._run(PACKAGE, options=("-X", "importtime")).stderr

    def _run(self, name: str, options: Sequence[str]) -> subprocess.CompletedProcess[str]:
        kind = "bare" if name in {BOTO3, BOTO3_TRIMMED} else "functions"
        order_id = f"cold-{next(_NUMBERS)}"
        resources, tree = self.resources, self.trees[PACKAGE if name == TRACED else name]
        arguments = [kind, str(tree), resources.inventory, resources.orders, resources.bus, order_id]
        env_vars = {**self._environment("order"), **(_SAMPLED if name == TRACED else {})}
        return self._interpret([*arguments, order_placed_body(order_id, _SKU)], env_vars, options)

    def _interpret(
        self, arguments: Sequence[str], env_vars: Mapping[str, str], options: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        # No site-packages, no PYTHON* variables, and no bytecode written, as on Lambda.
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-I", "-S", "-B", *options, str(_PROBE), *arguments],
            env=env_vars,
            capture_output=True,
            text=True,
            check=True,
        )

    def _environment(self, function: str) -> dict[str, str]:
        aws = self.resources.aws
        database = DatabaseAddress("127.0.0.1", 5432, "disable")
        sign_in = SignIn("http://localhost", aws.endpoint, "issuer", f"{aws.endpoint}/keys", "client")
        around = LambdaEnvInputs(
            hold_seconds=900, database=database, sign_in=sign_in, user_pool_id="us-east-1_bench"
        )
        return {
            **variables(Names("bench"), Topology.load(), function, around),
            **aws.credentials(),
            "BUS_NAME": self.resources.bus,
            "INVENTORY_TABLE": self.resources.inventory,
            "ORDERS_TABLE": self.resources.orders,
            "QUEUE_URL": f"{aws.endpoint}/000000000000/none",
            "DEAD_LETTER_QUEUE_URL": f"{aws.endpoint}/000000000000/none",
            "HOME": os.devnull,
        }


def _start(completed: subprocess.CompletedProcess[str]) -> Start:
    peak, *stages = completed.stdout.splitlines()[-1].split()
    wall, cpu = stages[0::2], stages[1::2]
    return Start(tuple(map(float, wall)), tuple(map(float, cpu)), int(peak) / 1024)


_NUMBERS = itertools.count()

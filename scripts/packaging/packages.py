"""Builds the packages: fetch the locked wheels, select files, compile, zip, check the size."""

import hashlib
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT
from scripts.environment.topology import Topology
from scripts.packaging.bytecode import compile_tree
from scripts.packaging.contents import is_needed, of_service, shipped
from scripts.packaging.sbom import FILE, of_package
from scripts.packaging.target import Target
from scripts.packaging.wheels import fetch
from scripts.packaging.zip import zipped

BUDGET_BYTES: Final = 7_300_000
"""The size limit of one zip: a cold start downloads all of it."""

DRIVER_BYTES: Final = 4_700_000
"""What the PostgreSQL driver and its TLS library may add."""

DUCKDB_BYTES: Final = 32_000_000
"""What DuckDB may add; Lambda takes 50 MB in one piece, and 250 MB unpacked."""

STRIPE_BYTES: Final = 4_500_000
"""What the package of Stripe and its HTTP client may add."""


@dataclass(frozen=True, slots=True)
class Package:
    service: str
    functions: Sequence[str]
    zip: bytes
    sizes: Mapping[str, int]
    """Unpacked bytes by top-level name."""
    sbom: bytes
    """The bill of materials, which is also in the zip."""

    @property
    def unpacked(self) -> int:
        return sum(self.sizes.values())

    @property
    def heaviest(self) -> Sequence[tuple[str, int]]:
        return sorted(self.sizes.items(), key=lambda size: -size[1])

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.zip).hexdigest()

    @property
    def file_name(self) -> str:
        return f"{self.service}.zip"

    @property
    def sbom_name(self) -> str:
        return f"{self.service}.cdx.json"


def build(topology: Topology, target: Target, checkout: Path = CHECKOUT) -> Sequence[Package]:
    """Build the package of each service that has functions."""
    interpreter = target.interpreter()
    with tempfile.TemporaryDirectory(prefix="pulsequeue-package-") as scratch:
        fetched, stage = Path(scratch, "fetched"), Path(scratch, "stage")
        fetch(target, fetched)
        for path, content in files_below(fetched):
            if is_needed(path):
                _write(stage, *shipped(path, content))
        stage_services(checkout, stage)
        compile_tree(stage, interpreter)
        staged = {str(path): content for path, content in files_below(stage)}
    return [_package(service, functions, staged) for service, functions in by_service(topology).items()]


def services_alone(checkout: Path = CHECKOUT) -> bytes:
    """Zip our own code for this Python, without dependencies."""
    with tempfile.TemporaryDirectory(prefix="pulsequeue-package-") as scratch:
        stage = Path(scratch)
        stage_services(checkout, stage)
        compile_tree(stage, Path(sys.executable))
        return zipped({str(path): content for path, content in files_below(stage)})


def by_service(topology: Topology) -> Mapping[str, Sequence[str]]:
    """Group functions by the service they belong to."""
    groups: dict[str, list[str]] = {}
    for name, function in topology.functions.items():
        groups.setdefault(function.handler.split(".")[1], []).append(name)
    return groups


def stage_services(checkout: Path, stage: Path) -> None:
    """Copy our sources."""
    shutil.copytree(
        checkout / "services", stage / "services", ignore=shutil.ignore_patterns("__pycache__", "*.md")
    )


def files_below(folder: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield every file below a folder: its relative path and content."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield PurePosixPath(path.relative_to(folder)), path.read_bytes()


def _package(service: str, functions: Sequence[str], staged: Mapping[str, bytes]) -> Package:
    files = of_service(service, staged)
    sbom = of_package(service, files)
    files[FILE] = sbom
    sizes: Counter[str] = Counter()
    for path, content in files.items():
        sizes[PurePosixPath(path).parts[0]] += len(content)
    extra = {"psycopg": DRIVER_BYTES, "duckdb": DUCKDB_BYTES, "stripe": STRIPE_BYTES}
    budget = BUDGET_BYTES + sum(size for name, size in extra.items() if name in sizes)
    return within_budget(Package(service, functions, zipped(files), sizes, sbom), budget)


def within_budget(package: Package, budget: int = BUDGET_BYTES) -> Package:
    """Return the package if its zip is within the budget; raise otherwise."""
    if len(package.zip) <= budget:
        return package
    heaviest = ", ".join(name for name, _ in package.heaviest[:3])
    raise ToolError(
        f"{package.file_name} has {len(package.zip):,} bytes, over the limit of {budget:,}; "
        f"largest parts: {heaviest}."
    )


def _write(folder: Path, path: PurePosixPath, content: bytes) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)

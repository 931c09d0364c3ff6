"""`pulsequeue package`: builds the zip files of the Lambda functions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import Limits, Session, command

# The choices are read before any command runs; this module of the packaging imports nothing heavy.
from scripts.packaging.target import LAMBDA_PYTHON, Platform, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.packaging.packages import Package

_TOP = 4


def register(app: typer.Typer) -> None:
    examples = ("package", "package --platform x86_64 --python 3.13")
    command(app, examples=examples, limits=Limits(needs_checkout=True))(package)


def package(
    session: Session,
    *,
    platform: Annotated[
        Platform,
        typer.Option(
            metavar="PLATFORM",
            help="aarch64, x86_64, or host (this machine and its Python).",
        ),
    ] = Platform.AARCH64,
    python: Annotated[
        str | None, typer.Option(metavar="VERSION", help=f"Python to build for; Lambda's is {LAMBDA_PYTHON}.")
    ] = None,
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the zip files.")] = Path("build"),
) -> None:
    """Build one zip file per service and its bill of materials; the same sources give the same bytes."""
    from scripts.environment.topology import Topology
    from scripts.packaging.packages import build

    out = session.out
    target = Target.of(platform, python)
    out.note(f"Building for {target.platform}, Python {target.python} ...")
    packages = build(Topology.load(), target)
    output.mkdir(parents=True, exist_ok=True)
    for built in packages:
        (output / built.file_name).write_bytes(built.zip)
        (output / built.sbom_name).write_bytes(built.sbom)
    out.show([_data(built, output) for built in packages], _view(packages), f"Written to {output}.")


def _data(built: Package, output: Path) -> dict[str, Any]:
    return {
        "service": built.service,
        "functions": built.functions,
        "file": str(output / built.file_name),
        "sbom": str(output / built.sbom_name),
        "sha256": built.sha256,
        "zipBytes": len(built.zip),
        "unpackedBytes": built.unpacked,
        "sizes": dict(built.heaviest),
    }


def _view(packages: Sequence[Package]) -> Table:
    rows = [
        (
            built.file_name,
            ", ".join(built.functions),
            _megabytes(len(built.zip)),
            _megabytes(built.unpacked),
            ", ".join(f"{name} {_megabytes(size)}" for name, size in built.heaviest[:_TOP]),
            built.sha256[:12],
        )
        for built in packages
    ]
    columns = ("zip", "functions", "MB", "unpacked", "heaviest", "sha256")
    return Table(columns, rows, numbers=frozenset({"MB", "unpacked"}))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"

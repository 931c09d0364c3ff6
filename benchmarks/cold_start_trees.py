"""The folders that cold starts are compared in: our package, the same without one of its means, and boto3."""

import gzip
import io
import shutil
import sys
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from scripts.packaging.bytecode import compile_tree
from scripts.packaging.packages import build, stage_services
from scripts.packaging.target import Platform, Target
from scripts.packaging.wheels import fetch
from scripts.topology import CHECKOUT, Topology

PACKAGE = "the package"
SOURCES = "the same, not packaged"
BOTO3 = "boto3"
BOTO3_TRIMMED = "boto3 on our botocore"
NO_BYTECODE = "without bytecode"
ALL_DATA = "with botocore's data as it comes"
NO_SOURCES = "without sources"
GZIPPED = "with models gzipped"
TRACED = "traced"
"""The package itself, of which X-Ray wants a trace."""


def unpack(folder: Path) -> Mapping[str, Path]:
    """Package every service for this machine and this Python, and unpack each, by its name."""
    unpacked = {}
    for package in build(Topology.load(), Target.of(Platform.HOST)):
        unpacked[package.service] = folder / package.service
        with zipfile.ZipFile(io.BytesIO(package.zip)) as archive:
            archive.extractall(unpacked[package.service])
    return unpacked


def plant(folder: Path, package: Path) -> Mapping[str, Path]:
    """Make every folder that an unpacked package is compared with; they differ in what their names say."""
    target = Target.of(Platform.HOST)
    python = Path(sys.executable)
    trees = {name: folder / str(number) for number, name in enumerate(_NAMES)} | {PACKAGE: package}
    for name in (BOTO3_TRIMMED, NO_BYTECODE, ALL_DATA, NO_SOURCES, GZIPPED):
        shutil.copytree(trees[PACKAGE], trees[name])

    fetch(target, trees[SOURCES])
    shutil.copytree(trees[SOURCES], trees[BOTO3])
    stage_services(CHECKOUT, trees[SOURCES])
    for name in (BOTO3, BOTO3_TRIMMED):
        _add_boto3(trees[name])
        compile_tree(trees[name], python)

    _drop_bytecode(trees[NO_BYTECODE])
    _data(trees[ALL_DATA], trees[SOURCES])
    _drop_sources(trees[NO_SOURCES])
    _gzip_models(trees[GZIPPED])
    return trees


_NAMES = (PACKAGE, SOURCES, BOTO3, BOTO3_TRIMMED, NO_BYTECODE, ALL_DATA, NO_SOURCES, GZIPPED)


def _add_boto3(tree: Path) -> None:
    """Take boto3 from this environment: functions do without, and so their lock does."""
    for name in ("boto3", "s3transfer"):
        found = find_spec(name)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(name)
        shutil.copytree(Path(found.origin).parent, tree / name, ignore=shutil.ignore_patterns("__pycache__"))


def _drop_bytecode(tree: Path) -> None:
    for folder in list(tree.rglob("__pycache__")):
        shutil.rmtree(folder)


def _drop_sources(tree: Path) -> None:
    """Put bytecode where its source was, as Python wants it when there is no source."""
    for compiled in list(tree.rglob("__pycache__/*.pyc")):
        compiled.rename(compiled.parents[1] / f"{compiled.name.partition('.')[0]}.pyc")
    for source in list(tree.rglob("*.py")):
        source.unlink()


def _data(tree: Path, original: Path) -> None:
    shutil.rmtree(tree / "botocore" / "data")
    shutil.copytree(original / "botocore" / "data", tree / "botocore" / "data")


def _gzip_models(tree: Path) -> None:
    for model in list((tree / "botocore" / "data").rglob("service-2.json")):
        model.with_suffix(".json.gz").write_bytes(gzip.compress(model.read_bytes(), mtime=0))
        model.unlink()

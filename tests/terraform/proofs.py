"""The table of infra/PROOFS.md, and the same facts derived from the sources."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.common.project_files import CHECKOUT
from tests.terraform.sources import INFRA, Block, Sources

PROOFS = INFRA / "PROOFS.md"
TESTS = CHECKOUT / "tests" / "terraform"
APPLIED = {"local": "envs/local", "dev": "envs/dev", "bootstrap": "bootstrap"}
"""The roots applied to an emulator with their folders, by precedence."""
YES, PARTLY, NEVER = "✓", "partly", "never"
_SOURCE = re.compile(r"^(?:\.\./)+")


@dataclass(frozen=True)
class Proof:
    """One row: the tests of a resource type, and what the emulator does not cover."""

    type: str
    applied_by: str
    stable: str
    exercised_by: Sequence[str]
    asserted_types: str
    checkov: str
    note: str


def parse_table(text: str) -> Sequence[Proof]:
    """Parse the table."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `aws_")]
    cells = [[cell.strip() for cell in row] for row in rows]
    return [
        Proof(
            kind.strip("`"),
            applied_by,
            stable,
            exercised_by.replace("`", "").split(),
            asserted_types,
            checkov,
            note,
        )
        for kind, applied_by, stable, exercised_by, asserted_types, checkov, note in cells
    ]


def is_optional(sources: Sources, block: Block) -> bool:
    """Whether an environment may be without it: `for_each` at the resource, or at what leads to it."""
    if {"for_each", "count"} & block.body.keys():
        return True
    calls = [it for it in sources.every("module") if _called(it) == block.folder]
    return bool(calls) and all(is_optional(sources, it) for it in calls)


def applied_by(sources: Sources) -> Mapping[str, str]:
    """Map each type to the root that creates it, directly or through modules."""
    created = {block.type: NEVER for block in sources.every("resource")}
    for name, root in reversed(APPLIED.items()):
        folders = _below(sources, root)
        created |= {block.type: name for block in sources.every("resource") if block.folder in folders}
    return created


def asserted_types(sources: Sources) -> set[str]:
    """List the types that a test of their module refers to."""
    return {
        block.type
        for block in sources.every("resource")
        for test in (INFRA / block.folder).glob("tests/*.tftest.hcl")
        if re.search(rf"\b{block.type}\.", test.read_text(encoding="utf-8"))
    }


def types_that_differ(sources: Sources) -> set[str]:
    """List the types that a second plan ignores in part."""
    patterns = [
        it[it.index("aws_") :] for test in TESTS.glob("test_*.py") for it in _emulator_differences(test)
    ]
    return {
        block.type
        for block in sources.every("resource")
        for pattern in patterns
        if any(re.match(pattern, f"{block.type}.{block.name}{key}") for key in ("", "[0]"))
    }


def _below(sources: Sources, folder: str) -> set[str]:
    modules = {_called(it) for it in sources.every("module") if it.folder == folder}
    return {folder}.union(*(_below(sources, it) for it in modules))


def _called(module: Block) -> str:
    """Return the folder of the module that a block calls."""
    return f"modules/{_SOURCE.sub('', module.body['source']).removeprefix('modules/')}"


def _emulator_differences(test: Path) -> Sequence[str]:
    for statement in ast.parse(test.read_text(encoding="utf-8")).body:
        match statement:
            case ast.Assign(targets=[ast.Name("EMULATOR_DIFFERENCES")], value=ast.Tuple() as patterns):
                found: tuple[str, ...] = ast.literal_eval(patterns)
                return found
    return ()

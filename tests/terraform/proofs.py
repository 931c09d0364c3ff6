"""infra/PROOFS.md as it is written, and as it follows from the sources."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.environment.topology import CHECKOUT
from tests.terraform.sources import INFRA, Sources

PROOFS = INFRA / "PROOFS.md"
TESTS = CHECKOUT / "tests" / "terraform"
APPLIED = {"local": "envs/local", "dev": "envs/dev", "bootstrap": "bootstrap"}
"""What is applied to an emulator, the first that counts first, and where that stands."""
YES, PARTLY, NEVER = "✓", "partly", "never"
_SOURCE = re.compile(r"^(?:\.\./)+")


@dataclass(frozen=True)
class Proof:
    """One line: what proves a type of resource, and what cannot be proven by the emulator."""

    type: str
    made_by: str
    stays: str
    used_by: Sequence[str]
    asserted: str
    checkov: str
    otherwise: str


def written(text: str) -> Sequence[Proof]:
    """Read the table."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `aws_")]
    cells = [[cell.strip() for cell in row] for row in rows]
    return [
        Proof(kind.strip("`"), made_by, stays, used_by.replace("`", "").split(), asserted, checkov, otherwise)
        for kind, made_by, stays, used_by, asserted, checkov, otherwise in cells
    ]


def made_by(sources: Sources) -> Mapping[str, str]:
    """Say of each type which applied folder makes it, itself or by the modules that it calls."""
    made = {block.type: NEVER for block in sources.every("resource")}
    for name, root in reversed(APPLIED.items()):
        reached = _below(sources, root)
        made |= {block.type: name for block in sources.every("resource") if block.folder in reached}
    return made


def asserted(sources: Sources) -> set[str]:
    """Name the types that a test beside a module that makes them says something of."""
    return {
        block.type
        for block in sources.every("resource")
        for test in (INFRA / block.folder).glob("tests/*.tftest.hcl")
        if re.search(rf"\b{block.type}\.", test.read_text(encoding="utf-8"))
    }


def forgotten(sources: Sources) -> set[str]:
    """Name the types of which a second plan leaves something out."""
    patterns = [it[it.index("aws_") :] for test in TESTS.glob("test_*.py") for it in _left_out(test)]
    return {
        block.type
        for block in sources.every("resource")
        for pattern in patterns
        if any(re.match(pattern, f"{block.type}.{block.name}{key}") for key in ("", "[0]"))
    }


def _below(sources: Sources, folder: str) -> set[str]:
    called = {
        f"modules/{_SOURCE.sub('', it.body['source']).removeprefix('modules/')}"
        for it in sources.every("module")
        if it.folder == folder
    }
    return {folder}.union(*(_below(sources, it) for it in called))


def _left_out(test: Path) -> Sequence[str]:
    for statement in ast.parse(test.read_text(encoding="utf-8")).body:
        match statement:
            case ast.Assign(targets=[ast.Name("FORGOTTEN")], value=ast.Tuple() as patterns):
                found: tuple[str, ...] = ast.literal_eval(patterns)
                return found
    return ()

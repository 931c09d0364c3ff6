"""Which module may know which."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PURE = [
    *sorted(ROOT.glob("services/*/domain.py")),
    *(
        ROOT / "services/shared" / f"{name}.py"
        for name in (
            "ledger",
            "transaction_planner",
            "transitions",
            "events",
            "event_fields",
            "messages",
            "outbox",
        )
    ),
    *(
        ROOT / "services/analytics" / f"{name}.py"
        for name in (
            "model/date_ranges",
            "model/orders",
            "model/mrr",
            "model/rollups",
            "db/tables",
            "projector/row_diff",
        )
    ),
]
IMPURE = {"boto3", "botocore", "os", "psycopg", "random", "socket", "threading", "time"}
CLOCKS = {"now", "utcnow", "today"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_imports_keep_their_directions() -> None:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as run; run()",
        "--no-cache",
    ]

    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - named above

    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def test_both_services_and_the_shared_core_are_among_the_pure_modules() -> None:
    assert {name_of(path) for path in PURE} >= {
        "services/order/domain.py",
        "services/payment/domain.py",
        "services/shared/ledger.py",
    }


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_pure_modules_import_nothing_that_reaches_outside(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])

    assert not imported & IMPURE


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_pure_modules_read_no_clock(path: Path) -> None:
    attributes = {
        node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)
    }

    assert not attributes & CLOCKS

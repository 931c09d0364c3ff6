"""tests/unit mirrors the source tree."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT_TESTS = sorted(path.relative_to(ROOT / "tests/unit") for path in ROOT.glob("tests/unit/*/**/test_*.py"))
SOURCE_ROOTS = (ROOT / "services", ROOT / "scripts", ROOT)


def mirrored_module(test: Path) -> Path | None:
    """Return the module a test file is named after: `x` for test_x.py, and for test_x_suffix.py."""
    words = test.stem.removeprefix("test_").split("_")
    for length in range(len(words), 0, -1):
        name = "_".join(words[:length])
        for root in SOURCE_ROOTS:
            for module in (root / test.parent / f"{name}.py", root / test.parent / f"__{name}__.py"):
                if module.is_file():
                    return module
    return None


@pytest.mark.parametrize("test", UNIT_TESTS, ids=Path.as_posix)
def test_a_unit_test_mirrors_a_source_module(test: Path) -> None:
    assert mirrored_module(test), (
        f"tests/unit/{test}: no module of that name in services/, scripts/ or benchmarks/"
    )


def test_a_file_named_after_no_module_is_noticed() -> None:
    assert mirrored_module(Path("shared/test_no_such_module.py")) is None
    assert mirrored_module(Path("shared/test_events_roundtrip.py")) == ROOT / "services/shared/events.py"


def test_every_folder_of_unit_tests_is_seen() -> None:
    assert {test.parts[0] for test in UNIT_TESTS} >= {"shared", "local", "benchmarks"}

"""Tests that share a stack or an emulator run in one process: `make test` relies on it."""

import subprocess
import sys
from pathlib import Path

SHARING = """
import os
import pytest

@pytest.mark.xdist_group("sharing")
@pytest.mark.parametrize("number", range(8))
def test_shares(number):
    with open("processes.txt", "a") as told:
        told.write(f"{os.getpid()}\\n")
"""


def test_what_is_marked_as_a_group_runs_in_one_process(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "test_sharing.py").write_text(SHARING, encoding="utf-8")
    pytest = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]

    subprocess.run([*pytest, "--numprocesses", "2", "--dist", "loadgroup"], cwd=tmp_path, check=True)  # noqa: S603 - ourselves

    processes = (tmp_path / "processes.txt").read_text(encoding="utf-8").split()
    assert (len(processes), len(set(processes))) == (8, 1)

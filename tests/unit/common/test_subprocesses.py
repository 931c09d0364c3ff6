"""An interrupted program may clean up before it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.common.project_files import CHECKOUT
from scripts.common.subprocesses import run_to_completion
from scripts.deploy.commands import InstalledCommands
from tests.support.polling import wait_until

STATE = "written at its end"
PROGRAM = """
import pathlib, signal, time

def clean_up(*_):
    # Longer than Python lets a program live whose interrupt it has seen.
    time.sleep(0.7)
    pathlib.Path("state").write_text("written at its end")
    raise SystemExit(3)

signal.signal(signal.SIGINT, clean_up)
pathlib.Path("begun").touch()
signal.pause()
"""
RUNNER = """
import pathlib, sys
from scripts.common.subprocesses import run_to_completion
code, folder, output = sys.argv[1:]
run_to_completion([sys.executable, "-c", code], cwd=pathlib.Path(folder), capture=output == "captured")
"""


@pytest.mark.parametrize("output", ["captured", "shown"])
def test_an_interrupt_waits_until_the_program_has_cleaned_up(tmp_path: Path, output: str) -> None:
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", RUNNER, PROGRAM, str(tmp_path), output],
        cwd=CHECKOUT,
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    ) as runner:
        wait_until((tmp_path / "begun").exists, "the program runs")
        os.killpg(runner.pid, signal.SIGINT)
        _, stderr = runner.communicate(timeout=20)

    assert (tmp_path / "state").read_text() == STATE
    assert stderr.splitlines()[-1] == "KeyboardInterrupt"


def test_captured_output_is_returned_with_the_exit_code(tmp_path: Path) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"

    done = run_to_completion([sys.executable, "-c", code], cwd=tmp_path, capture=True)

    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_a_program_gets_its_environment_and_its_exit_code_is_returned() -> None:
    commands = InstalledCommands({"CODE": "4"})

    assert (
        commands.run(Path(sys.executable).name, "-c", "import os; raise SystemExit(int(os.environ['CODE']))")
        == 4
    )

"""A program that somebody interrupts is let come to its own end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.common.subprocesses import ended
from scripts.deploy.programs import InstalledPrograms
from scripts.environment.topology import CHECKOUT
from tests.support.polling import wait_until

STATE = "written at its end"
HOLDING = """
import pathlib, signal, time

def let_go(*_):
    # Longer than Python lets a program live whose interrupt it has seen.
    time.sleep(0.7)
    pathlib.Path("state").write_text("written at its end")
    raise SystemExit(3)

signal.signal(signal.SIGINT, let_go)
pathlib.Path("begun").touch()
signal.pause()
"""
RUNNER = """
import pathlib, sys
from scripts.common.subprocesses import ended
ended([sys.executable, "-c", sys.argv[1]], cwd=pathlib.Path(sys.argv[2]), kept=sys.argv[3] == "kept")
"""


@pytest.mark.parametrize("kept", ["kept", "shown"])
def test_an_interrupt_waits_until_the_program_has_let_go_of_what_it_holds(tmp_path: Path, kept: str) -> None:
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", RUNNER, HOLDING, str(tmp_path), kept],
        cwd=CHECKOUT,
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    ) as runner:
        wait_until((tmp_path / "begun").exists, "it is at work")
        os.killpg(runner.pid, signal.SIGINT)
        _, said = runner.communicate(timeout=20)

    assert (tmp_path / "state").read_text() == STATE
    assert said.splitlines()[-1] == "KeyboardInterrupt"


def test_what_a_program_says_is_kept_with_how_it_ended(tmp_path: Path) -> None:
    words = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"

    done = ended([sys.executable, "-c", words], cwd=tmp_path, kept=True)

    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_a_program_is_told_what_it_is_to_know_and_ends_as_it_ends() -> None:
    programs = InstalledPrograms({"CODE": "4"})

    assert (
        programs.run(Path(sys.executable).name, "-c", "import os; raise SystemExit(int(os.environ['CODE']))")
        == 4
    )

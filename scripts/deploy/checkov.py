"""Runs checkov on the Terraform and on the GitHub workflows.

Its dependencies conflict with ours, so it has a virtual environment of its own. It uses the network only to
install the packages of requirements/checkov.txt.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any, Final

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT

FRAMEWORKS: Final[Mapping[str, str]] = {"infra": "terraform", ".github": "github_actions"}
"""The folders to check, and their framework. Of resources that CloudFormation creates (a database proxy, a
password) checkov checks only that a secret has its own key; the tests of their modules check the rest."""

LOCK: Final = CHECKOUT / "requirements" / "checkov.txt"
HOME: Final = CHECKOUT / "build" / "checkov"


@dataclass(frozen=True, slots=True)
class CheckovFinding:
    """One check of one resource, and its location in the folder."""

    check: str
    title: str
    resource: str
    file: str
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class CheckovReport:
    """The findings in one folder."""

    passed: Sequence[CheckovFinding]
    failed: Sequence[CheckovFinding]
    skipped: Sequence[CheckovFinding]


@dataclass(frozen=True, slots=True)
class Checkov:
    """An installed checkov."""

    home: Path

    def report(self, folder: Path, framework: str) -> CheckovReport:
        """Check a folder with the settings of its .checkov.yaml."""
        done = self._run(folder, framework, "--output", "json", shown=False)
        try:
            output = json.loads(done.stdout)
        except json.JSONDecodeError:
            why = shorten(done.stderr, width=300) or "no output"
            raise ToolError(f"checkov failed in {folder}: {why}") from None
        if "results" not in output:
            raise ToolError(f"checkov found no {framework} files in {folder}.")
        if broken := output["results"]["parsing_errors"]:
            raise ToolError(f"checkov cannot read {', '.join(broken)}.")
        return CheckovReport(
            *(_findings(output["results"][f"{how}_checks"]) for how in ("passed", "failed", "skipped"))
        )

    def show(self, folder: Path, framework: str) -> bool:
        """Check a folder, print the findings, and return whether there are none."""
        return self._run(folder, framework, "--quiet", "--compact", shown=True).returncode == 0

    def _run(self, folder: Path, framework: str, *how: str, shown: bool) -> subprocess.CompletedProcess[str]:
        what = ["--directory", str(folder), "--framework", framework, "--skip-download"]
        # Settings in the environment may hide findings, or upload them.
        ignored = ("BC_", "BRIDGECREW_", "CHECKOV_", "CKV_", "PRISMA_")
        environ = {name: value for name, value in os.environ.items() if not name.startswith(ignored)}
        return subprocess.run(
            # Isolated (-I): it must not import our packages.
            [str(self.home / "bin" / "python"), "-I", str(self.home / "bin" / "checkov"), *what, *how],
            cwd=folder,
            env={**environ, "HOME": str(self.home)},
            capture_output=not shown,
            text=True,
            check=False,
        )


def installed(home: Path = HOME, lock: Path = LOCK) -> Checkov:
    """Return checkov as locked; install it if necessary."""
    stamp = home / ".installed"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != digest:
        _install(home, lock)
        stamp.write_text(digest, encoding="utf-8")
    return Checkov(home)


def _install(home: Path, lock: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    _run_or_fail(sys.executable, "-m", "venv", str(home))
    python = str(home / "bin" / "python")
    # As in scripts/install.sh: where uv cannot reach an index that pip is configured for, pip can.
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "sync", "--python", python, "--compile-bytecode"]
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--requirement"]
    try:
        _run_or_fail(*uv, "--quiet", "--require-hashes", str(lock))
    except ToolError:
        _run_or_fail(*pip, str(lock), "--quiet", "--require-hashes")


def _run_or_fail(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        raise ToolError(f"checkov cannot be installed: {shorten(lines[-1], width=200)}")


def _findings(records: Sequence[Mapping[str, Any]]) -> Sequence[CheckovFinding]:
    return [
        CheckovFinding(
            it["check_id"],
            it["check_name"],
            it["resource"],
            it["file_path"].lstrip("/"),
            *it["file_line_range"],
        )
        for it in records
    ]


def main() -> int:
    """Check everything; exit with 1 if there are findings."""
    try:
        checkov = installed()
    except ToolError as error:
        print(f"pulsequeue: {error}", file=sys.stderr)
        return error.exit_code
    clean = [checkov.show(CHECKOUT / folder, framework) for folder, framework in FRAMEWORKS.items()]
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())

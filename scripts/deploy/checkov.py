"""Runs checkov over the Terraform and over GitHub's workflows.

It pins what others need newer, and so lives in an environment of its own. Nothing is asked of a network but,
once, the packages of requirements/checkov.txt.
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
from scripts.environment.topology import CHECKOUT

FRAMEWORKS: Final[Mapping[str, str]] = {"infra": "terraform", ".github": "github_actions"}
"""What is looked at, and as what. Of what CloudFormation makes for us (a database proxy, a password) checkov
knows one thing, that a secret should have a key of its own; the tests of their modules look at both."""

LOCK: Final = CHECKOUT / "requirements" / "checkov.txt"
HOME: Final = CHECKOUT / "build" / "checkov"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one resource, and where that stands in the folder that was looked at."""

    check: str
    says: str
    resource: str
    file: str
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class Report:
    """What checkov found in one folder."""

    passed: Sequence[Finding]
    failed: Sequence[Finding]
    skipped: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Checkov:
    """A checkov that can be run, and where it is installed."""

    home: Path

    def report(self, folder: Path, framework: str) -> Report:
        """Check a folder, with what its own .checkov.yaml leaves alone."""
        done = self._run(folder, framework, "--output", "json", shown=False)
        try:
            said = json.loads(done.stdout)
        except json.JSONDecodeError:
            why = shorten(done.stderr, width=300) or "it said nothing"
            raise ToolError(f"checkov could not check {folder}: {why}") from None
        if "results" not in said:
            raise ToolError(f"checkov found no {framework} in {folder}.")
        if broken := said["results"]["parsing_errors"]:
            raise ToolError(f"checkov cannot read {', '.join(broken)}.")
        return Report(
            *(_findings(said["results"][f"{how}_checks"]) for how in ("passed", "failed", "skipped"))
        )

    def show(self, folder: Path, framework: str) -> bool:
        """Check a folder for somebody who reads along; tells whether nothing was found."""
        return self._run(folder, framework, "--quiet", "--compact", shown=True).returncode == 0

    def _run(self, folder: Path, framework: str, *how: str, shown: bool) -> subprocess.CompletedProcess[str]:
        what = ["--directory", str(folder), "--framework", framework, "--skip-download"]
        # Settings of whoever runs it may hide findings, or send them to somebody.
        meant_otherwise = ("BC_", "BRIDGECREW_", "CHECKOV_", "CKV_", "PRISMA_")
        environ = {name: value for name, value in os.environ.items() if not name.startswith(meant_otherwise)}
        return subprocess.run(
            # Isolated (-I): it must not find packages of ours.
            [str(self.home / "bin" / "python"), "-I", str(self.home / "bin" / "checkov"), *what, *how],
            cwd=folder,
            env={**environ, "HOME": str(self.home)},
            capture_output=not shown,
            text=True,
            check=False,
        )


def installed(home: Path = HOME, lock: Path = LOCK) -> Checkov:
    """Return checkov as the lock has it, installed if it is not there yet."""
    stamp = home / ".installed"
    wanted = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        _install(home, lock)
        stamp.write_text(wanted, encoding="utf-8")
    return Checkov(home)


def _install(home: Path, lock: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    _must(sys.executable, "-m", "venv", str(home))
    python = str(home / "bin" / "python")
    # As when the project itself is installed: where uv cannot reach an index that pip knows of, pip can.
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "sync", "--python", python, "--compile-bytecode"]
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--requirement"]
    try:
        _must(*uv, "--quiet", "--require-hashes", str(lock))
    except ToolError:
        _must(*pip, str(lock), "--quiet", "--require-hashes")


def _must(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it was not said why"]
        raise ToolError(f"checkov cannot be installed: {shorten(said[-1], width=200)}")


def _findings(records: Sequence[Mapping[str, Any]]) -> Sequence[Finding]:
    return [
        Finding(
            it["check_id"],
            it["check_name"],
            it["resource"],
            it["file_path"].lstrip("/"),
            *it["file_line_range"],
        )
        for it in records
    ]


def main() -> int:
    """Check everything, and tell a shell whether something was found."""
    try:
        checkov = installed()
    except ToolError as error:
        print(f"pulsequeue: {error}", file=sys.stderr)
        return error.exit_code
    clean = [checkov.show(CHECKOUT / folder, framework) for folder, framework in FRAMEWORKS.items()]
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())

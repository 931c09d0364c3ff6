"""Finds Terraform and its provider, and runs it with the same settings everywhere."""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT
from scripts.common.subprocesses import run_to_completion

MIRROR_VARIABLE: Final = "TF_PLUGIN_MIRROR"
"""Path of a filesystem mirror that is used before any other."""

_PROVIDER: Final = Path("registry.terraform.io", "hashicorp", "aws")
_VERSIONS: Final = "5.*"
_REQUIREMENT: Final = CHECKOUT / "infra" / "modules" / "function" / "versions.tf"
_SOFTWARE_FOLDERS: Final = ("/opt", "/usr/local", "/usr/share", "/var/lib")
_DEPTH: Final = 3
_MAX_FOLDERS: Final = 5_000
_PLANNED_CHANGES: Final = 2
"""Exit code of `plan -detailed-exitcode` when there are changes."""


@dataclass(frozen=True, slots=True)
class Terraform:
    """A Terraform binary with its settings."""

    binary: str
    mirror: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def run(self, folder: Path, *arguments: str, shown: bool = False) -> str:
        """Run a command in a folder and return its output; `shown` prints it instead."""
        done = self._start(folder, arguments, shown=shown)
        if done.returncode != 0:
            raise ToolError(f"terraform {arguments[0]} failed in {folder.name}: {_reason(done)}")
        return done.stdout or ""

    def changes(self, folder: Path, *arguments: str) -> Sequence[str]:
        """Plan, and return the addresses that would change."""
        plan = folder / "changes.tfplan"
        done = self._start(folder, ("plan", "-detailed-exitcode", f"-out={plan}", *arguments), shown=False)
        if done.returncode not in {0, _PLANNED_CHANGES}:
            raise ToolError(f"terraform plan failed in {folder.name}: {_reason(done)}")
        planned = json.loads(self.run(folder, "show", "-json", str(plan)))
        return [it["address"] for it in planned["resource_changes"] if it["change"]["actions"] != ["no-op"]]

    def outputs(self, folder: Path) -> Mapping[str, Any]:
        """Return the outputs of an applied folder."""
        outputs = json.loads(self.run(folder, "output", "-json"))
        return {name: it["value"] for name, it in outputs.items()}

    def _start(
        self, folder: Path, arguments: Sequence[str], *, shown: bool
    ) -> subprocess.CompletedProcess[str]:
        mirrored = [f"-plugin-dir={self.mirror}"] if arguments[0] == "init" and self.mirror else []
        environ = {**os.environ, **_settings(), **self.environ}
        return run_to_completion(
            [self.binary, *arguments, *mirrored], cwd=folder, env=environ, capture=not shown
        )


def find(
    environ: Mapping[str, str] = os.environ, software_folders: Sequence[str] = _SOFTWARE_FOLDERS
) -> Terraform:
    """Find Terraform on the PATH; without a mirror it downloads its provider."""
    binary = shutil.which("terraform", path=environ.get("PATH"))
    if binary is None:
        raise ToolError("terraform is not on the PATH; install Terraform 1.11 or later.")
    return Terraform(binary, find_mirror(environ, software_folders))


def find_with_providers(
    folder: Path, environ: Mapping[str, str] = os.environ, software_folders: Sequence[str] = _SOFTWARE_FOLDERS
) -> Terraform:
    """Find Terraform and its provider; without a mirror it is downloaded once, into a folder."""
    found = find(environ, software_folders)
    if found.mirror:
        return found
    folder.mkdir(parents=True, exist_ok=True)
    # `init` lays out its downloads as a mirror.
    downloaded = folder / ".terraform" / "providers"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_mirror(downloaded):
            shutil.copy(_REQUIREMENT, folder)
            found.run(folder, "init")
    return replace(found, mirror=downloaded)


def find_mirror(
    environ: Mapping[str, str], software_folders: Sequence[str] = _SOFTWARE_FOLDERS
) -> Path | None:
    """Find a mirror: from the variable, in Terraform's own folders, or in common software folders."""
    if named := environ.get(MIRROR_VARIABLE):
        if is_mirror(Path(named)):
            return Path(named)
        raise ToolError(f"{MIRROR_VARIABLE} is {named}, which has no provider {_PROVIDER} {_VERSIONS}.")
    home = Path(environ.get("HOME", "/"))
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    implied = (
        home / ".terraform.d" / "plugins",
        data / "terraform" / "plugins",
        *(Path(it, "terraform", "plugins") for it in ("/usr/local/share", "/usr/share")),
    )
    others = (it for root in (*map(Path, software_folders), home) for it in _below(root))
    return next(filter(is_mirror, (*implied, *others)), None)


def is_mirror(folder: Path) -> bool:
    """Tell whether a folder is a mirror with the provider, unpacked or packed."""
    provider = folder / _PROVIDER
    return any(provider.glob(f"{_VERSIONS}/*/terraform-provider-aws*")) or any(
        provider.glob(f"terraform-provider-aws_{_VERSIONS}.zip")
    )


def _below(root: Path) -> Iterator[Path]:
    """Return folders below a root, breadth first, up to a limit."""
    return islice(_by_depth(root), _MAX_FOLDERS)


def _by_depth(root: Path) -> Iterator[Path]:
    level = [root]
    for _ in range(_DEPTH):
        level = [folder for parent in level for folder in _folders(parent)]
        yield from level


def _folders(parent: Path) -> Sequence[Path]:
    try:
        return sorted(it for it in parent.iterdir() if it.is_dir() and not it.is_symlink())
    except OSError:
        return ()


def _settings() -> Mapping[str, str]:
    return {
        "AWS_EC2_METADATA_DISABLED": "true",
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_ARGS": "-no-color",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        # It may be set for other work, and name a file that does not exist.
        "TF_CLI_CONFIG_FILE": os.devnull,
    }


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (done.stderr or "").splitlines() if line.strip(" │╷╵")]
    return "\n".join(lines) or f"exit code {done.returncode}."

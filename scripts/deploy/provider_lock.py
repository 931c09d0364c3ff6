"""Makes the lock of the Terraform providers for every platform, and compares it with the kept one.

The checksums are those that the registry signed, so this needs the registry: a mirror knows one platform.
"""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT
from scripts.deploy.terraform import Terraform, find

LOCK: Final = CHECKOUT / "infra" / "providers.lock.hcl"
"""One lock for every root: all use the same provider."""

FILE_NAME: Final = ".terraform.lock.hcl"
PLATFORMS: Final = ("darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64")

_REQUIREMENT: Final = CHECKOUT / "infra" / "modules" / "function" / "versions.tf"


def made(terraform: Terraform, platforms: Sequence[str] = PLATFORMS, mirror: Path | None = None) -> str:
    """Return the lock of the pinned providers for these platforms."""
    source = [f"-fs-mirror={mirror}"] if mirror else []
    with tempfile.TemporaryDirectory(prefix="pulsequeue-lock-") as scratch:
        folder = Path(scratch)
        shutil.copy(_REQUIREMENT, folder)
        terraform.run(folder, "providers", "lock", *source, *(f"-platform={it}" for it in platforms))
        return (folder / FILE_NAME).read_text(encoding="utf-8")


def place(folder: Path, lock: Path = LOCK) -> list[str]:
    """Put the kept lock into a root, and return the options with which `init` obeys it."""
    if not lock.is_file():
        return []
    shutil.copy(lock, folder / FILE_NAME)
    return ["-lockfile=readonly"]


def check(new: str, lock: Path = LOCK) -> str:
    """Keep a new lock where there is none; refuse one that differs from the kept one."""
    if not lock.is_file():
        lock.write_text(new, encoding="utf-8")
        return f"{lock} is new; commit it, so that deployments use these providers and no others."
    if lock.read_text(encoding="utf-8") != new:
        raise ToolError(
            f"{lock} is not what the registry has for the pinned version. After a change of versions.tf, "
            "remove it, run `make provider-lock` and commit the result; otherwise find out who changed it."
        )
    return f"{lock} is the registry's."


def main() -> int:
    try:
        new = made(find())
        print(new)
        print(check(new), file=sys.stderr)
    except ToolError as error:
        print(f"provider_lock: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

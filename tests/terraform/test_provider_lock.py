"""Terraform makes the lock of the pinned provider, and `init` obeys it."""

import platform
import re
import shutil
from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.deploy import provider_lock
from scripts.deploy.terraform import Terraform

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
HERE = f"{platform.system().lower()}_{ARCHITECTURE}"
VERSIONS = Path(__file__).parents[2] / "infra" / "modules" / "function" / "versions.tf"


@pytest.fixture(scope="module")
def lock(terraform: Terraform) -> str:
    return provider_lock.made(terraform, [HERE], terraform.mirror)


def root(tmp_path: Path, kept: str) -> tuple[Path, list[str]]:
    folder, lock = tmp_path / "root", tmp_path / "providers.lock.hcl"
    folder.mkdir()
    shutil.copy(VERSIONS, folder)
    lock.write_text(kept, encoding="utf-8")
    return folder, provider_lock.place(folder, lock)


def test_the_lock_names_one_version_and_its_checksum(lock: str) -> None:
    assert 'version     = "5.100.0"' in lock
    assert 'constraints = "5.100.0"' in lock
    assert "h1:" in lock


def test_init_takes_the_provider_that_the_lock_names(terraform: Terraform, lock: str, tmp_path: Path) -> None:
    folder, options = root(tmp_path, lock)

    terraform.run(folder, "init", *options)


def test_init_refuses_a_provider_with_another_checksum(
    terraform: Terraform, lock: str, tmp_path: Path
) -> None:
    other = f'"h1:{"A" * 43}="'
    folder, options = root(tmp_path, re.sub(r'"(h1|zh):[^"]+"', other, lock))

    with pytest.raises(ToolError, match="checksum"):
        terraform.run(folder, "init", *options)

"""Every module is formatted, valid, and passes its tests."""

import re
from pathlib import Path

import pytest

from scripts.common.project_files import CHECKOUT
from scripts.deploy.terraform import Terraform

MODULES = sorted(it.parent.name for it in CHECKOUT.glob("infra/modules/*/versions.tf"))
ROOTS = sorted(
    str(it.parent.relative_to(CHECKOUT / "infra"))
    for it in CHECKOUT.glob("infra/**/versions.tf")
    if it.parents[1].name != "modules"
)


def is_mocked(module: Path) -> bool:
    return all("mock_provider" in it.read_text(encoding="utf-8") for it in module.glob("tests/*.tftest.hcl"))


def passed(output: str) -> bool:
    """Whether any tests ran and all passed: Terraform accepts a module without tests."""
    return re.search(r"\b[1-9]\d* passed, 0 failed", output) is not None


def test_everything_is_formatted(terraform: Terraform, infra: Path) -> None:
    assert terraform.run(infra, "fmt", "-recursive", "-check", "-diff") == ""


@pytest.mark.parametrize("name", [it for it in MODULES if is_mocked(CHECKOUT / "infra" / "modules" / it)])
def test_a_module_passes_its_tests(terraform: Terraform, infra: Path, name: str) -> None:
    module = infra / "modules" / name

    terraform.run(module, "init", "-backend=false")

    assert passed(terraform.run(module, "test"))


@pytest.mark.parametrize("name", [it for it in MODULES if not is_mocked(CHECKOUT / "infra" / "modules" / it)])
def test_a_module_with_ephemeral_values_passes_its_tests_on_the_emulator(
    terraform_on_emulator: Terraform, infra: Path, name: str
) -> None:
    module = infra / "modules" / name

    terraform_on_emulator.run(module, "init", "-backend=false")

    assert passed(terraform_on_emulator.run(module, "test"))


@pytest.mark.parametrize("name", ROOTS)
def test_a_root_is_valid(terraform: Terraform, infra: Path, name: str) -> None:
    root = infra / name

    terraform.run(root, "init", "-backend=false")

    assert "valid" in terraform.run(root, "validate")
    if list(root.glob("tests/*.tftest.hcl")):
        assert passed(terraform.run(root, "test"))

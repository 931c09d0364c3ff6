"""Terraform and its provider are found by rule, and errors have Terraform's own message."""

import json
import stat
from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.deploy.terraform import (
    MIRROR_VARIABLE,
    Terraform,
    find,
    find_mirror,
    find_with_providers,
    is_mirror,
)

PROVIDER = Path("registry.terraform.io", "hashicorp", "aws")


def unpacked(mirror: Path, version: str = "5.100.0") -> Path:
    folder = mirror / PROVIDER / version / "linux_amd64"
    folder.mkdir(parents=True)
    (folder / f"terraform-provider-aws_v{version}_x5").touch()
    return mirror


def packed(mirror: Path) -> Path:
    (mirror / PROVIDER).mkdir(parents=True)
    (mirror / PROVIDER / "terraform-provider-aws_5.100.0_linux_amd64.zip").touch()
    return mirror


def terraform_that(folder: Path, *lines: str) -> Path:
    """Put a terraform on a path of its own that does as it is told."""
    folder.mkdir(exist_ok=True)
    program = folder / "terraform"
    program.write_text("\n".join(("#!/bin/sh", *lines)), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_the_mirror_that_a_variable_names_is_taken_before_any_other(tmp_path: Path) -> None:
    named, implied = unpacked(tmp_path / "named"), tmp_path / "home" / ".terraform.d" / "plugins"
    unpacked(implied)

    assert find_mirror({MIRROR_VARIABLE: str(named), "HOME": str(tmp_path / "home")}, ()) == named


def test_a_variable_that_names_no_mirror_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=f"{MIRROR_VARIABLE} is .*, which has no provider"):
        find_mirror({MIRROR_VARIABLE: str(tmp_path)}, ())


@pytest.mark.parametrize("folder", [".terraform.d/plugins", ".local/share/terraform/plugins"])
def test_terraforms_own_places_are_looked_at(tmp_path: Path, folder: str) -> None:
    mirror = packed(tmp_path / folder)

    assert find_mirror({"HOME": str(tmp_path)}, ()) == mirror


def test_a_mirror_is_found_where_machines_keep_software(tmp_path: Path) -> None:
    mirror = unpacked(tmp_path / "opt" / "tools" / "providers")

    assert find_mirror({"HOME": str(tmp_path / "home")}, (str(tmp_path / "opt"),)) == mirror


def test_the_search_does_not_go_deep(tmp_path: Path) -> None:
    unpacked(tmp_path / "opt" / "a" / "b" / "c" / "d")

    assert find_mirror({"HOME": str(tmp_path / "home")}, (str(tmp_path / "opt"),)) is None


def test_a_mirror_of_another_major_version_is_none(tmp_path: Path) -> None:
    unpacked(tmp_path / "opt" / "plugins", "6.0.0")

    assert find_mirror({"HOME": str(tmp_path / "home")}, (str(tmp_path / "opt"),)) is None


def test_a_machine_without_terraform_is_told_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"terraform is not on the PATH; install Terraform 1\.11"):
        find({"PATH": str(tmp_path)})


def test_providers_that_no_mirror_has_are_downloaded_once(tmp_path: Path, machine: dict[str, str]) -> None:
    terraform_that(
        tmp_path / "bin",
        'test "$1" = init && test -f versions.tf || exit 1',
        f"mkdir -p .terraform/providers/{PROVIDER}/5.100.0/linux_amd64",
        f"touch .terraform/providers/{PROVIDER}/5.100.0/linux_amd64/terraform-provider-aws_v5.100.0_x5",
        "echo downloaded >> downloads",
    )

    found = [find_with_providers(tmp_path / "cache", machine, ()) for _ in range(2)]

    assert found[0] == found[1]
    assert found[0].mirror is not None
    assert is_mirror(found[0].mirror)
    assert (tmp_path / "cache" / "downloads").read_text(encoding="utf-8") == "downloaded\n"


def test_providers_that_cannot_be_downloaded_either_are_told_of(
    tmp_path: Path, machine: dict[str, str]
) -> None:
    terraform_that(tmp_path / "bin", "echo 'Error: could not connect to the registry' >&2", "exit 1")

    with pytest.raises(ToolError, match="could not connect to the registry"):
        find_with_providers(tmp_path / "cache", machine, ())


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """A machine with nothing on it but what a test puts on its path."""
    return {"PATH": f"{tmp_path / 'bin'}", "HOME": str(tmp_path / "home")}


def test_a_failed_command_is_told_in_terraforms_words(tmp_path: Path) -> None:
    program = terraform_that(tmp_path / "bin", "echo 'Error: no such bus' >&2", "exit 1")

    with pytest.raises(ToolError, match="terraform apply failed in dev: Error: no such bus"):
        Terraform(str(program)).run(_made(tmp_path / "dev"), "apply")


def test_providers_come_from_the_mirror_and_settings_meant_for_others_do_not_matter(tmp_path: Path) -> None:
    program = terraform_that(tmp_path / "bin", 'echo "$* $TF_CLI_CONFIG_FILE"')

    output = Terraform(str(program), tmp_path / "mirror").run(_made(tmp_path / "dev"), "init")

    assert output == f"init -plugin-dir={tmp_path / 'mirror'} /dev/null\n"


def test_a_plan_tells_the_addresses_of_what_changes(tmp_path: Path) -> None:
    planned = {
        "resource_changes": [
            {"address": "a.stays", "change": {"actions": ["no-op"]}},
            {"address": "a.moves", "change": {"actions": ["delete", "create"]}},
        ]
    }
    program = terraform_that(
        tmp_path / "bin", 'if [ "$1" = plan ]; then exit 2; fi', f"echo '{json.dumps(planned)}'"
    )

    assert Terraform(str(program)).changes(_made(tmp_path / "dev")) == ["a.moves"]


def test_outputs_are_told_by_name(tmp_path: Path) -> None:
    program = terraform_that(tmp_path / "bin", """echo '{"bus": {"value": "dev", "sensitive": false}}'""")

    assert Terraform(str(program)).outputs(_made(tmp_path / "dev")) == {"bus": "dev"}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder

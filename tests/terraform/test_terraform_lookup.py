"""How Terraform and its providers are found, and that errors contain Terraform's own output."""

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


def fake_terraform(folder: Path, *lines: str) -> Path:
    """Write a fake terraform that runs these shell lines."""
    folder.mkdir(exist_ok=True)
    program = folder / "terraform"
    program.write_text("\n".join(("#!/bin/sh", *lines)), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_the_mirror_named_by_the_variable_comes_first(tmp_path: Path) -> None:
    named, implied = unpacked(tmp_path / "named"), tmp_path / "home" / ".terraform.d" / "plugins"
    unpacked(implied)

    assert find_mirror({MIRROR_VARIABLE: str(named), "HOME": str(tmp_path / "home")}, ()) == named


def test_a_variable_without_a_mirror_behind_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=f"{MIRROR_VARIABLE} is .*, which has no provider"):
        find_mirror({MIRROR_VARIABLE: str(tmp_path)}, ())


@pytest.mark.parametrize("folder", [".terraform.d/plugins", ".local/share/terraform/plugins"])
def test_terraforms_default_plugin_folders_are_searched(tmp_path: Path, folder: str) -> None:
    mirror = packed(tmp_path / folder)

    assert find_mirror({"HOME": str(tmp_path)}, ()) == mirror


def test_a_mirror_is_found_below_the_usual_software_folders(tmp_path: Path) -> None:
    mirror = unpacked(tmp_path / "opt" / "tools" / "providers")

    assert find_mirror({"HOME": str(tmp_path / "home")}, (str(tmp_path / "opt"),)) == mirror


def test_the_search_depth_is_limited(tmp_path: Path) -> None:
    unpacked(tmp_path / "opt" / "a" / "b" / "c" / "d")

    assert find_mirror({"HOME": str(tmp_path / "home")}, (str(tmp_path / "opt"),)) is None


def test_a_mirror_of_another_major_version_is_ignored(tmp_path: Path) -> None:
    unpacked(tmp_path / "opt" / "plugins", "6.0.0")

    assert find_mirror({"HOME": str(tmp_path / "home")}, (str(tmp_path / "opt"),)) is None


def test_the_error_without_terraform_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"terraform is not on the PATH; install Terraform 1\.11"):
        find({"PATH": str(tmp_path)})


def test_missing_providers_are_downloaded_once(tmp_path: Path, environ: dict[str, str]) -> None:
    fake_terraform(
        tmp_path / "bin",
        'test "$1" = init && test -f versions.tf || exit 1',
        f"mkdir -p .terraform/providers/{PROVIDER}/5.100.0/linux_amd64",
        f"touch .terraform/providers/{PROVIDER}/5.100.0/linux_amd64/terraform-provider-aws_v5.100.0_x5",
        "echo downloaded >> log",
    )

    found = [find_with_providers(tmp_path / "cache", environ, ()) for _ in range(2)]

    assert found[0] == found[1]
    assert found[0].mirror is not None
    assert is_mirror(found[0].mirror)
    assert (tmp_path / "cache" / "log").read_text(encoding="utf-8") == "downloaded\n"


def test_a_failed_provider_download_is_an_error(tmp_path: Path, environ: dict[str, str]) -> None:
    fake_terraform(tmp_path / "bin", "echo 'Error: could not connect to the registry' >&2", "exit 1")

    with pytest.raises(ToolError, match="could not connect to the registry"):
        find_with_providers(tmp_path / "cache", environ, ())


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Environment variables of a machine with nothing on the PATH but what a test puts there."""
    return {"PATH": f"{tmp_path / 'bin'}", "HOME": str(tmp_path / "home")}


def test_the_error_of_a_failed_command_contains_terraforms_output(tmp_path: Path) -> None:
    program = fake_terraform(tmp_path / "bin", "echo 'Error: no such bus' >&2", "exit 1")

    with pytest.raises(ToolError, match="terraform apply failed in dev: Error: no such bus"):
        Terraform(str(program)).run(created_folder(tmp_path / "dev"), "apply")


def test_init_uses_the_mirror_and_ignores_the_users_configuration(tmp_path: Path) -> None:
    program = fake_terraform(tmp_path / "bin", 'echo "$* $TF_CLI_CONFIG_FILE"')

    output = Terraform(str(program), tmp_path / "mirror").run(created_folder(tmp_path / "dev"), "init")

    assert output == f"init -plugin-dir={tmp_path / 'mirror'} /dev/null\n"


def test_changes_are_the_addresses_that_the_plan_changes(tmp_path: Path) -> None:
    planned = {
        "resource_changes": [
            {"address": "a.stays", "change": {"actions": ["no-op"]}},
            {"address": "a.moves", "change": {"actions": ["delete", "create"]}},
        ]
    }
    program = fake_terraform(
        tmp_path / "bin", 'if [ "$1" = plan ]; then exit 2; fi', f"echo '{json.dumps(planned)}'"
    )

    assert Terraform(str(program)).changes(created_folder(tmp_path / "dev")) == ["a.moves"]


def test_outputs_are_returned_by_name(tmp_path: Path) -> None:
    program = fake_terraform(tmp_path / "bin", """echo '{"bus": {"value": "dev", "sensitive": false}}'""")

    assert Terraform(str(program)).outputs(created_folder(tmp_path / "dev")) == {"bus": "dev"}


def created_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder

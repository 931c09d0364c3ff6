"""pyproject.toml, CHANGELOG.md and the version agree with each other."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from scripts.common.project_files import CHECKOUT
from scripts.packaging import release_tag
from services.version import __version__

PYPROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_version_stands_in_one_file() -> None:
    assert PYPROJECT["project"]["dynamic"] == ["version"]
    assert "version" not in PYPROJECT["project"]
    assert PYPROJECT["tool"]["hatch"]["version"]["path"] == "services/version.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_an_installed_command_line_has_everything_that_the_functions_import() -> None:
    assert set(PYPROJECT["dependency-groups"]["lambda"]) < set(PYPROJECT["project"]["dependencies"])


def test_an_installed_command_line_tells_of_the_local_stack_without_its_packages(tmp_path: Path) -> None:
    extra = PYPROJECT["project"]["optional-dependencies"]["local"]
    missing = [re.split(r"[=<>]", package)[0].replace("-", "_") for package in extra]
    # None makes an import fail as if the package were not installed.
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({missing}))\n"
        "from scripts.cli.main import main\n"
        "sys.exit(main(['status']))"
    )

    ran = subprocess.run(  # noqa: S603 - this program, written above
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(CHECKOUT), "PULSEQUEUE_HOME": str(tmp_path), "PATH": ""},
        cwd=tmp_path,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (1, "")
    assert "the stack is not running" in ran.stdout


def test_what_a_wheel_copies_exists() -> None:
    for source in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]:
        assert (CHECKOUT / source).exists()


def test_the_packages_say_that_they_are_typed() -> None:
    for package in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        assert (CHECKOUT / package / "py.typed").is_file()


def test_the_changelog_knows_the_version() -> None:
    text = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[([^\]]+)\]", text, re.MULTILINE)

    assert headings[:2] == ["Unreleased", __version__]


@pytest.mark.parametrize(
    ("tag", "heading", "found"),
    [
        ("v1.2.3", "## [Unreleased]\n## [1.2.3] - 2026-01-31\n## [1.2.2]", []),
        ("v1.2.4", "## [1.2.3]", ["the tag is v1.2.4"]),
        ("1.2.3", "## [1.2.3]", ["the tag is 1.2.3"]),
        ("v1.2.3", "## [Unreleased]\n## [1.2.2]", ["the newest release of CHANGELOG.md is 1.2.2"]),
        ("", "## [Unreleased]", ["the tag is ,", "the newest release of CHANGELOG.md is none"]),
    ],
)
def test_a_tag_that_is_not_the_version_or_not_in_the_changelog_is_refused(
    tag: str, heading: str, found: list[str]
) -> None:
    faults = release_tag.faults(tag, "1.2.3", f"# Changelog\n{heading}\n")

    assert len(faults) == len(found)
    assert all(fault.startswith(start) for fault, start in zip(faults, found, strict=True))


def test_the_version_of_this_checkout_can_be_tagged(capsys: pytest.CaptureFixture[str]) -> None:
    assert release_tag.main(f"v{__version__}") == 0
    assert release_tag.main("v0.0.0") == 1
    assert capsys.readouterr().err.startswith("release_tag: the tag is v0.0.0, ")


def test_a_tag_is_checked_by_the_workflow_that_it_starts() -> None:
    workflow = yaml.safe_load((CHECKOUT / ".github/workflows/release.yml").read_text(encoding="utf-8"))

    # YAML 1.1 reads the key `on` as true.
    assert workflow[True] == {"push": {"tags": ["v*"]}}
    (job,) = workflow["jobs"].values()
    assert job["steps"][-1]["run"] == 'make release-check TAG="$GITHUB_REF_NAME"'


def test_no_owner_is_invented() -> None:
    lines = (CHECKOUT / ".github/CODEOWNERS").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == []


def test_a_commit_is_checked_as_make_static_checks() -> None:
    hooks = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    static = re.search(r"^static:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)

    assert static is not None
    commands = static[1].replace("$(BIN)", ".venv/bin").split("\n\t")
    assert [hook["entry"] for hook in hooks["repos"][0]["hooks"]] == [it.strip() for it in commands]


@pytest.mark.parametrize("path", sorted(CHECKOUT.glob(".github/**/*.yml")), ids=lambda path: path.name)
def test_what_github_reads_is_yaml(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


def test_what_dependabot_watches_exists() -> None:
    updates = yaml.safe_load((CHECKOUT / ".github/dependabot.yml").read_text(encoding="utf-8"))["updates"]
    folders = [folder for it in updates for folder in it.get("directories", [it.get("directory")])]

    assert all(any(CHECKOUT.glob(f"{folder.strip('/')}/*")) for folder in folders if folder != "/"), folders

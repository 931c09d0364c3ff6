"""checkov finds nothing in the Terraform and the workflows; every suppression has its reason."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT
from scripts.deploy.checkov import FRAMEWORKS, Checkov, CheckovFinding, CheckovReport, installed
from tests.terraform.proofs import PROOFS, YES, parse_table

# One process installs checkov and runs it once.
pytestmark = pytest.mark.xdist_group("checkov")

SETTINGS = ".checkov.yaml"
SKIP = re.compile(r"checkov:skip=(?P<check>\w+):?(?P<reason>.*)")
MINIMUM_WORDS = 8


@pytest.fixture(scope="module")
def checkov() -> Checkov:
    try:
        return installed()
    except ToolError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def reports(checkov: Checkov) -> dict[str, CheckovReport]:
    return {folder: checkov.report(CHECKOUT / folder, framework) for folder, framework in FRAMEWORKS.items()}


@dataclass(frozen=True)
class Suppression:
    """A suppressed check, its reason, and its place: one line, or a whole folder."""

    check: str
    reason: str
    file: str
    line: int | None = None

    def hides(self, finding: CheckovFinding) -> bool:
        if finding.check != self.check:
            return False
        return self.line is None or (
            finding.file == self.file and finding.first_line <= self.line <= finding.last_line
        )


def suppressions(folder: Path) -> Iterator[Suppression]:
    for source in sorted(it for kind in ("*.tf", "*.yml") for it in folder.rglob(kind)):
        if ".terraform" not in source.parts:
            for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1):
                if found := SKIP.search(line):
                    name = str(source.relative_to(folder))
                    yield Suppression(found["check"], found["reason"], name, number)
    if (settings := folder / SETTINGS).is_file():
        yield from global_suppressions(settings)


def global_suppressions(settings: Path) -> Iterator[Suppression]:
    text = settings.read_text(encoding="utf-8")
    for check in yaml.safe_load(text)["skip-check"]:
        comment = re.search(rf"((?:^ *#.*\n)*)^ *- {check}$", text, re.MULTILINE)
        yield Suppression(check, comment[1].replace("#", " ") if comment else "", SETTINGS)


def without_reason(folder: Path) -> list[Suppression]:
    return [it for it in suppressions(folder) if len(it.reason.split()) < MINIMUM_WORDS]


def unneeded_suppressions(
    checkov: Checkov, folder: Path, framework: str, unsuppressed: Path
) -> list[Suppression]:
    """Run checkov without suppressions; return the suppressions that hide no finding."""
    shutil.copytree(folder, unsuppressed, ignore=shutil.ignore_patterns(".terraform*", SETTINGS))
    for source in (it for kind in ("*.tf", "*.yml") for it in unsuppressed.rglob(kind)):
        text = source.read_text(encoding="utf-8")
        source.write_text(text.replace("checkov:skip", "not suppressed"), encoding="utf-8")
    found = checkov.report(unsuppressed, framework).failed
    return [it for it in suppressions(folder) if not any(it.hides(finding) for finding in found)]


@pytest.mark.parametrize("folder", FRAMEWORKS)
def test_checkov_finds_nothing(reports: dict[str, CheckovReport], folder: str) -> None:
    report = reports[folder]

    assert list(report.failed) == []
    assert report.passed


def test_every_workflow_is_checked(reports: dict[str, CheckovReport]) -> None:
    # checkov silently skips workflows that do not match its own schema.
    workflows = {f"workflows/{it.name}" for it in CHECKOUT.glob(".github/workflows/*.yml")}

    assert {it.file for it in reports[".github"].passed} == workflows


def test_the_table_of_proofs_marks_the_types_that_checkov_checks(reports: dict[str, CheckovReport]) -> None:
    report = reports["infra"]
    table = parse_table(PROOFS.read_text(encoding="utf-8"))

    checked_types = {part for it in (*report.passed, *report.skipped) for part in it.resource.split(".")}

    assert [it.type for it in table if (it.checkov == YES) != (it.type in checked_types)] == []


@pytest.mark.parametrize("folder", FRAMEWORKS)
def test_every_suppression_has_a_reason(folder: str) -> None:
    assert without_reason(CHECKOUT / folder) == []


@pytest.mark.parametrize("folder", FRAMEWORKS)
def test_every_suppression_hides_a_finding(checkov: Checkov, folder: str, tmp_path: Path) -> None:
    assert (
        unneeded_suppressions(checkov, CHECKOUT / folder, FRAMEWORKS[folder], tmp_path / "bare" / folder)
        == []
    )


def test_an_unencrypted_database_is_found(checkov: Checkov, tmp_path: Path) -> None:
    module = shutil.copytree(CHECKOUT / "infra" / "modules" / "aurora", tmp_path / "aurora")
    edit(module / "main.tf", r"(storage_encrypted +=) true", r"\1 false")

    failed = checkov.report(module, "terraform").failed

    assert ("CKV_AWS_96", "aws_rds_cluster.this") in {(it.check, it.resource) for it in failed}


def test_a_workflow_with_write_all_permissions_is_found(checkov: Checkov, tmp_path: Path) -> None:
    copy = shutil.copytree(CHECKOUT / ".github", tmp_path / ".github")
    edit(copy / "workflows" / "ci.yml", r"permissions:\n  contents: read", "permissions: write-all")

    failed = checkov.report(copy, "github_actions").failed

    assert {it.check for it in failed} == {"CKV2_GHA_1"}


def test_a_suppression_without_a_reason_is_reported(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("# checkov:skip=CKV_AWS_1:not now\n", encoding="utf-8")
    (tmp_path / SETTINGS).write_text("# Of another:\n\nskip-check:\n  - CKV_AWS_2\n", encoding="utf-8")

    assert [it.check for it in without_reason(tmp_path)] == ["CKV_AWS_1", "CKV_AWS_2"]


def test_a_suppression_that_hides_nothing_is_reported(checkov: Checkov, tmp_path: Path) -> None:
    folder = tmp_path / "infra"
    folder.mkdir()
    (folder / "main.tf").write_text(
        """
        resource "aws_sqs_queue" "open" {
          # checkov:skip=CKV_AWS_27:needed, for nothing encrypts it
          # checkov:skip=CKV_AWS_168:needless, for there is no policy
          name = "open"
        }
        """,
        encoding="utf-8",
    )
    (folder / SETTINGS).write_text("skip-check:\n  - CKV_AWS_27\n  - CKV_AWS_18\n", encoding="utf-8")

    unneeded = unneeded_suppressions(checkov, folder, "terraform", tmp_path / "bare")

    assert [(it.check, it.line) for it in unneeded] == [("CKV_AWS_168", 4), ("CKV_AWS_18", None)]


def test_a_file_that_cannot_be_parsed_is_an_error(checkov: Checkov, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('resource "aws_sqs_queue" "half" {', encoding="utf-8")

    with pytest.raises(ToolError, match=r"checkov cannot read .*main\.tf"):
        checkov.report(tmp_path, "terraform")


def test_a_folder_without_files_of_the_framework_is_an_error(checkov: Checkov, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="checkov found no terraform files in"):
        checkov.report(tmp_path, "terraform")


def test_a_failed_installation_is_an_error_and_is_retried(tmp_path: Path) -> None:
    lock = tmp_path / "checkov.txt"
    lock.write_text("checkov==3.3.30\n", encoding="utf-8")

    for _ in range(2):
        with pytest.raises(ToolError, match="checkov cannot be installed: "):
            installed(tmp_path / "checkov", lock)


def edit(source: Path, pattern: str, replacement: str) -> None:
    text, count = re.subn(pattern, replacement, source.read_text(encoding="utf-8"))
    assert count == 1
    source.write_text(text, encoding="utf-8")

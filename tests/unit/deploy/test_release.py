"""The steps of a deployment, with Terraform and all commands faked."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT
from scripts.deploy.release import DeployTarget, Grafana, Release, ReleaseTools
from scripts.deploy.steps import ReleaseStep, run_steps, select_steps
from tests.unit.conftest import CommandLine


@dataclass
class FakeCommands:
    fails: dict[str, int] = field(default_factory=dict)
    """Exit codes by the start of a command."""
    ran: list[str] = field(default_factory=list)

    def run(self, *command: str) -> int:
        text = " ".join(command)
        self.ran.append(text)
        return next((code for prefix, code in self.fails.items() if text.startswith(prefix)), 0)


@dataclass
class FakeTerraform:
    """Writes a plan file when it plans."""

    ran: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    fails: str = ""

    def run(self, folder: Path, *arguments: str, shown: bool = False) -> str:
        self.ran.append((folder.name, arguments))
        assert shown == (arguments[0] in {"plan", "apply"}), "changes are printed"
        if arguments[0] == self.fails:
            raise ToolError(f"terraform {arguments[0]} failed.")
        for it in arguments:
            if it.startswith("-out="):
                Path(it.removeprefix("-out=")).write_text("planned")
        return ""

    @property
    def commands(self) -> list[str]:
        return [arguments[0] for _, arguments in self.ran]


@dataclass
class ReleaseFixture:
    target: DeployTarget
    plan: Path
    terraform: FakeTerraform
    commands: FakeCommands
    questions: list[str]
    tools: ReleaseTools
    output: list[str] = field(default_factory=list)

    def deploy(self, *, first: str | None = None, only: str | None = None) -> None:
        steps = select_steps(Release(self.target, self.tools, self.plan).steps(), first=first, only=only)
        run_steps(steps, lambda step: f"deploy --from {step}", self.output.append)

    def destroy(self) -> None:
        run_steps(
            Release(self.target, self.tools, self.plan).removal(), lambda _: "destroy", self.output.append
        )


@pytest.fixture
def release(tmp_path: Path) -> ReleaseFixture:
    (tmp_path / "envs" / "dev").mkdir(parents=True)
    target = DeployTarget("dev", "state", "eu-central-1", tmp_path / "envs")
    terraform, commands, questions = FakeTerraform(), FakeCommands(), list[str]()

    def confirm(question: str) -> bool:
        questions.append(question)
        return True

    tools = ReleaseTools(lambda: terraform, commands, confirm, lambda: "account 1", lambda: True)
    return ReleaseFixture(target, tmp_path / "dev.tfplan", terraform, commands, questions, tools)


def test_everything_is_checked_before_anything_is_changed(release: ReleaseFixture) -> None:
    release.deploy()

    assert release.commands.ran == [
        "ruff check .",
        "ruff format --check .",
        "mypy",
        "lint-imports --no-cache",
        "pytest --numprocesses 2 --dist loadgroup",
        "pulsequeue package",
        "pulsequeue db migrate --env dev",
        "pulsequeue shift --env dev",
        "pulsequeue console publish --env dev",
        "pulsequeue verify --env dev",
    ]
    assert release.terraform.commands == ["init", "plan", "init", "apply"]
    assert release.questions == ["Apply this plan to dev in account 1?"]


def test_the_plan_that_was_shown_is_applied(release: ReleaseFixture) -> None:
    release.deploy()

    shown = next(it for _, arguments in release.terraform.ran for it in arguments if it.startswith("-out="))
    assert release.terraform.ran[-1] == ("dev", ("apply", shown.removeprefix("-out=")))


@pytest.mark.parametrize("step", ["confirm", "apply"])
@pytest.mark.parametrize("alone", [False, True])
def test_nothing_is_applied_that_was_not_shown_and_confirmed_just_now(
    release: ReleaseFixture, step: str, *, alone: bool
) -> None:
    release.tools = replace(release.tools, confirm=lambda _: False)
    release.plan.write_text("an older plan")

    with pytest.raises(ToolError, match=r"not confirmed\. Nothing changed\. To resume: deploy --from plan$"):
        release.deploy(**{"only" if alone else "first": step})

    assert release.terraform.commands == ["init", "plan"]


def test_an_interrupted_step_says_how_to_resume(release: ReleaseFixture) -> None:
    def interrupt(_: str) -> bool:
        raise KeyboardInterrupt

    release.tools = replace(release.tools, confirm=interrupt)

    with pytest.raises(KeyboardInterrupt):
        release.deploy(first="plan")

    assert release.output[-1] == "confirm was interrupted. To resume: deploy --from plan"


@pytest.mark.parametrize(
    ("fails", "step"),
    [
        ("ruff check", "lint"),
        ("mypy", "types"),
        ("pytest", "tests"),
        ("pulsequeue package", "package"),
        ("pulsequeue db", "migrate"),
        ("pulsequeue shift", "shift"),
    ],
)
def test_the_first_failure_ends_the_run_and_says_how_to_resume(
    release: ReleaseFixture, fails: str, step: str
) -> None:
    release.commands.fails[fails] = 3

    with pytest.raises(
        ToolError, match=rf"^{step} failed: .*exited with 3.*To resume: deploy --from {step}$"
    ):
        release.deploy()

    assert release.commands.ran[-1].startswith(fails)


@pytest.mark.parametrize("fails", ["pytest", "pulsequeue package"])
def test_nothing_is_planned_when_a_check_fails(release: ReleaseFixture, fails: str) -> None:
    release.commands.fails[fails] = 1

    with pytest.raises(ToolError, match=r"Nothing changed\."):
        release.deploy()

    assert release.terraform.ran == []


@pytest.mark.parametrize("words", ["no such bucket", "no such bucket."])
def test_a_message_gets_exactly_one_full_stop(words: str) -> None:
    def fail() -> None:
        raise ToolError(words)

    with pytest.raises(
        ToolError, match=r"^plan failed: no such bucket\. Nothing changed\. To resume: retry$"
    ):
        run_steps([ReleaseStep("plan", "what would change", fail, "Nothing changed.")], lambda _: "retry")


def test_a_failed_verification_rolls_back_by_itself(release: ReleaseFixture) -> None:
    release.commands.fails["pulsequeue verify"] = 1

    with pytest.raises(ToolError, match=r"rolled back to their previous versions.*deploy --from shift$"):
        release.deploy()

    assert release.commands.ran[-1] == "pulsequeue rollback --env dev"


def test_a_failed_rollback_says_that_the_new_versions_are_live(release: ReleaseFixture) -> None:
    release.commands.fails = {"pulsequeue verify": 1, "pulsequeue rollback": 1}

    with pytest.raises(ToolError, match="The new versions are live, because rolling back failed too"):
        release.deploy()


def test_callers_are_shifted_after_the_schema_was_migrated(release: ReleaseFixture) -> None:
    release.commands.fails["pulsequeue db migrate"] = 1

    with pytest.raises(ToolError, match="migrate failed"):
        release.deploy()

    assert "pulsequeue shift --env dev" not in release.commands.ran


def test_a_failed_apply_says_what_remains_and_resumes_at_plan(release: ReleaseFixture) -> None:
    release.terraform.fails = "apply"

    with pytest.raises(ToolError, match=r"Changes made so far remain.*To resume: deploy --from plan$"):
        release.deploy()

    assert "pulsequeue verify --env dev" not in release.commands.ran


def test_without_confirmation_nothing_is_changed(release: ReleaseFixture) -> None:
    release.tools = replace(release.tools, confirm=lambda _: False)

    with pytest.raises(ToolError, match=r"not confirmed\. Nothing changed\."):
        release.deploy()

    assert release.terraform.commands == ["init", "plan"]


def test_a_deployment_resumes_where_it_stopped(release: ReleaseFixture) -> None:
    release.deploy(first="migrate")

    assert release.commands.ran == [
        "pulsequeue db migrate --env dev",
        "pulsequeue shift --env dev",
        "pulsequeue console publish --env dev",
        "pulsequeue verify --env dev",
    ]
    assert release.terraform.ran == []


def test_only_a_plan_changes_nothing(release: ReleaseFixture) -> None:
    release.deploy(only="plan")

    assert release.terraform.commands == ["init", "plan"]
    assert release.commands.ran == []


@pytest.mark.parametrize(
    ("first", "only", "message"),
    [
        ("aply", None, "unknown step 'aply'; choose one of lint, types"),
        (None, "nothing", "unknown step 'nothing'"),
        ("lint", "plan", "use either --from or --only"),
    ],
)
def test_an_unknown_step_is_rejected_by_name(
    release: ReleaseFixture, first: str | None, only: str | None, message: str
) -> None:
    with pytest.raises(ToolError, match=message):
        release.deploy(first=first, only=only)

    assert release.commands.ran == []


def test_an_environment_of_no_values_of_its_own_is_made_like_dev_under_its_own_name(
    release: ReleaseFixture,
) -> None:
    release.target = replace(release.target, env="pr-12")

    release.deploy(only="plan")

    (_, init), (folder, plan) = release.terraform.ran
    assert folder == "dev"
    assert "-backend-config=key=pr-12/terraform.tfstate" in init
    assert "-var=environment=pr-12" in plan


def test_an_environment_with_values_of_its_own_gets_only_the_region(release: ReleaseFixture) -> None:
    release.deploy(only="plan")

    (_, init), (_, plan) = release.terraform.ran
    assert "-backend-config=key=dev/terraform.tfstate" in init
    assert [it for it in plan if it.startswith("-var")] == ["-var=region=eu-central-1"]


def test_what_is_made_and_what_is_removed_is_so_where_consent_is_asked_for(release: ReleaseFixture) -> None:
    release.deploy(only="plan")
    release.destroy()

    plans = [arguments for _, arguments in release.terraform.ran if arguments[0] == "plan"]
    assert ["-var=region=eu-central-1" in it for it in plans] == [True, True]


def test_environments_are_looked_for_where_a_variable_says(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    environ = {"PULSEQUEUE_STATE_BUCKET": "b", "AWS_REGION": "r", "PULSEQUEUE_ENVIRONMENTS": str(tmp_path)}

    target = DeployTarget.of("pr-12", environ)

    assert target.folder == tmp_path / "dev"


def test_a_folder_without_environments_is_named(tmp_path: Path) -> None:
    environ = {"PULSEQUEUE_STATE_BUCKET": "b", "AWS_REGION": "r", "PULSEQUEUE_ENVIRONMENTS": str(tmp_path)}

    with pytest.raises(ToolError, match=f"is {tmp_path}, which has neither pr-12 nor dev"):
        DeployTarget.of("pr-12", environ)


def test_without_a_read_side_there_is_nothing_to_migrate(release: ReleaseFixture) -> None:
    release.tools = replace(release.tools, has_read_side=lambda: False)

    release.deploy(only="migrate")

    assert release.commands.ran == []
    assert "dev has no read side." in release.output


def test_dashboards_go_where_grafana_is_known(release: ReleaseFixture) -> None:
    release.tools = replace(release.tools, grafana=Grafana("https://g", "admin", "http://p:9090"))

    release.deploy(only="dashboards")

    assert release.commands.ran == ["pulsequeue grafana setup https://g admin - http://p:9090"]


def test_removal_is_planned_shown_and_asked_for(release: ReleaseFixture) -> None:
    release.destroy()

    assert release.terraform.commands == ["init", "plan", "init", "apply"]
    assert "-destroy" in release.terraform.ran[1][1]
    assert release.questions == ["Remove dev from account 1?"]


@pytest.mark.parametrize(
    ("env", "environ", "message"),
    [
        ("local", {}, "run `make up` instead"),
        ("../dev", {}, r"invalid environment name '../dev'"),
        ("Dev", {}, "invalid environment name 'Dev'"),
        ("dev", {"AWS_REGION": "eu-central-1"}, "PULSEQUEUE_STATE_BUCKET"),
        ("dev", {"PULSEQUEUE_STATE_BUCKET": "b"}, "AWS_REGION is not set"),
    ],
)
def test_a_missing_setting_is_named(env: str, environ: dict[str, str], message: str) -> None:
    with pytest.raises(ToolError, match=message):
        DeployTarget.of(env, environ)


def test_messages_of_steps_are_printed() -> None:
    lines: list[str] = []
    done: Callable[[], str] = lambda: "there was nothing to do."  # noqa: E731 - a step's whole work

    run_steps([ReleaseStep("one", "do it", done)], lambda step: step, lines.append)

    assert lines == ["[1/1] one: do it", "there was nothing to do."]


def test_prod_is_not_removed_without_its_name(pulsequeue: CommandLine) -> None:
    for options in ((), ("--i-know-what-i-do", "dev")):
        ran = pulsequeue("destroy", "--env", "prod", "--yes", *options)

        assert ran.code == 2
        assert "--i-know-what-i-do prod" in ran.err


def test_deploying_the_local_environment_says_what_runs_it(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("deploy")

    assert ran.code == 2
    assert "make up" in ran.err


def test_the_page_lists_the_steps_in_their_order(release: ReleaseFixture) -> None:
    page = (CHECKOUT / "docs" / "deploy.md").read_text(encoding="utf-8")
    table = page[page.index("| step | does |") :].partition("\n\n")[0]

    listed = [name for row in table.splitlines()[2:] for name in re.findall("`([a-z]+)`", row.split("|")[1])]

    steps = Release(release.target, release.tools, release.plan).steps()
    assert listed == [it.name for it in steps]

"""The steps of a deployment, with Terraform and every program faked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.deploy.release import Grafana, Means, Release, Target
from scripts.deploy.steps import Step, chosen, run
from tests.unit.conftest import CommandLine


@dataclass
class FakePrograms:
    fails: dict[str, int] = field(default_factory=dict)
    """Exit codes by the first words of a command."""
    ran: list[str] = field(default_factory=list)

    def run(self, *command: str) -> int:
        spelled = " ".join(command)
        self.ran.append(spelled)
        return next((code for words, code in self.fails.items() if spelled.startswith(words)), 0)


@dataclass
class FakeTerraform:
    """Writes the plan it is asked for."""

    ran: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    fails: str = ""

    def run(self, folder: Path, *arguments: str, shown: bool = False) -> str:
        self.ran.append((folder.name, arguments))
        assert shown == (arguments[0] in {"plan", "apply"}), "a person sees what changes"
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
class Bench:
    target: Target
    plan: Path
    terraform: FakeTerraform
    programs: FakePrograms
    asked: list[str]
    means: Means
    said: list[str] = field(default_factory=list)

    def deploy(self, *, first: str | None = None, only: str | None = None) -> None:
        steps = chosen(Release(self.target, self.means, self.plan).steps(), first=first, only=only)
        run(steps, lambda step: f"deploy --from {step}", self.said.append)

    def destroy(self) -> None:
        run(Release(self.target, self.means, self.plan).removal(), lambda _: "destroy", self.said.append)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "envs" / "dev").mkdir(parents=True)
    target = Target("dev", "state", "eu-central-1", tmp_path / "envs")
    terraform, programs, asked = FakeTerraform(), FakePrograms(), list[str]()

    def consent(question: str) -> bool:
        asked.append(question)
        return True

    means = Means(lambda: terraform, programs, consent, lambda: "account 1", lambda: True)
    return Bench(target, tmp_path / "dev.tfplan", terraform, programs, asked, means)


def test_everything_is_checked_before_anything_is_changed(bench: Bench) -> None:
    bench.deploy()

    assert bench.programs.ran == [
        "ruff check .",
        "ruff format --check .",
        "mypy",
        "lint-imports --no-cache",
        "pytest --numprocesses 2 --dist loadgroup",
        "pulsequeue package",
        "pulsequeue db migrate --env dev",
        "pulsequeue verify --env dev",
    ]
    assert bench.terraform.commands == ["init", "plan", "init", "apply"]
    assert bench.asked == ["Apply this plan to dev in account 1?"]


def test_what_was_shown_is_what_is_applied(bench: Bench) -> None:
    bench.deploy()

    shown = next(it for _, arguments in bench.terraform.ran for it in arguments if it.startswith("-out="))
    assert bench.terraform.ran[-1] == ("dev", ("apply", shown.removeprefix("-out=")))


@pytest.mark.parametrize("step", ["consent", "apply"])
@pytest.mark.parametrize("alone", [False, True])
def test_nothing_is_applied_that_was_not_shown_and_agreed_to_just_now(
    bench: Bench, step: str, *, alone: bool
) -> None:
    bench.means = replace(bench.means, consent=lambda _: False)
    bench.plan.write_text("somebody's, of another day")

    with pytest.raises(
        ToolError, match=r"nobody said yes\. Nothing was changed\. To go on: deploy --from plan$"
    ):
        bench.deploy(**{"only" if alone else "first": step})

    assert bench.terraform.commands == ["init", "plan"]


def test_whoever_interrupts_is_told_how_to_go_on(bench: Bench) -> None:
    def interrupt(_: str) -> bool:
        raise KeyboardInterrupt

    bench.means = replace(bench.means, consent=interrupt)

    with pytest.raises(KeyboardInterrupt):
        bench.deploy(first="plan")

    assert bench.said[-1] == "consent was interrupted. To go on: deploy --from plan"


@pytest.mark.parametrize(
    ("fails", "step"),
    [
        ("ruff check", "lint"),
        ("mypy", "types"),
        ("pytest", "tests"),
        ("pulsequeue package", "package"),
        ("pulsequeue db", "migrate"),
        ("pulsequeue verify", "verify"),
    ],
)
def test_the_first_failure_ends_it_and_says_how_to_go_on(bench: Bench, fails: str, step: str) -> None:
    bench.programs.fails[fails] = 3

    with pytest.raises(ToolError, match=rf"^{step} failed: .*ended with 3.*To go on: deploy --from {step}$"):
        bench.deploy()

    assert bench.programs.ran[-1].startswith(fails)


@pytest.mark.parametrize("fails", ["pytest", "pulsequeue package"])
def test_nothing_is_planned_when_a_check_fails(bench: Bench, fails: str) -> None:
    bench.programs.fails[fails] = 1

    with pytest.raises(ToolError, match=r"Nothing was changed\."):
        bench.deploy()

    assert bench.terraform.ran == []


@pytest.mark.parametrize("words", ["no such bucket", "no such bucket."])
def test_the_words_of_others_are_told_from_ours(words: str) -> None:
    def fail() -> None:
        raise ToolError(words)

    with pytest.raises(
        ToolError, match=r"^plan failed: no such bucket\. Nothing was changed\. To go on: again$"
    ):
        run([Step("plan", "what would change", fail, "Nothing was changed.")], lambda _: "again")


def test_a_verification_that_fails_says_how_to_go_back(bench: Bench) -> None:
    bench.programs.fails["pulsequeue verify"] = 1

    with pytest.raises(ToolError, match="To go back, deploy the commit before"):
        bench.deploy()


def test_an_apply_that_fails_says_what_is_so_and_that_a_new_plan_comes_first(bench: Bench) -> None:
    bench.terraform.fails = "apply"

    with pytest.raises(ToolError, match=r"What was applied stays applied.*To go on: deploy --from plan$"):
        bench.deploy()

    assert "pulsequeue verify --env dev" not in bench.programs.ran


def test_without_consent_nothing_is_changed(bench: Bench) -> None:
    bench.means = replace(bench.means, consent=lambda _: False)

    with pytest.raises(ToolError, match=r"nobody said yes\. Nothing was changed\."):
        bench.deploy()

    assert bench.terraform.commands == ["init", "plan"]


def test_a_deployment_resumes_where_it_stopped(bench: Bench) -> None:
    bench.deploy(first="migrate")

    assert bench.programs.ran == ["pulsequeue db migrate --env dev", "pulsequeue verify --env dev"]
    assert bench.terraform.ran == []


def test_only_a_plan_changes_nothing(bench: Bench) -> None:
    bench.deploy(only="plan")

    assert bench.terraform.commands == ["init", "plan"]
    assert bench.programs.ran == []


@pytest.mark.parametrize(
    ("first", "only", "says"),
    [
        ("aply", None, "there is no step 'aply'; there are lint, types"),
        (None, "nothing", "there is no step 'nothing'"),
        ("lint", "plan", "say --from or --only"),
    ],
)
def test_a_step_that_is_none_is_named(bench: Bench, first: str | None, only: str | None, says: str) -> None:
    with pytest.raises(ToolError, match=says):
        bench.deploy(first=first, only=only)

    assert bench.programs.ran == []


def test_an_environment_of_no_values_of_its_own_is_made_like_dev_under_its_own_name(bench: Bench) -> None:
    bench.target = replace(bench.target, env="pr-12")

    bench.deploy(only="plan")

    (_, init), (folder, plan) = bench.terraform.ran
    assert folder == "dev"
    assert "-backend-config=key=pr-12/terraform.tfstate" in init
    assert "-var=environment=pr-12" in plan


def test_an_environment_with_values_of_its_own_is_told_the_region_alone(bench: Bench) -> None:
    bench.deploy(only="plan")

    (_, init), (_, plan) = bench.terraform.ran
    assert "-backend-config=key=dev/terraform.tfstate" in init
    assert [it for it in plan if it.startswith("-var")] == ["-var=region=eu-central-1"]


def test_what_is_made_and_what_is_removed_is_so_where_consent_is_asked_for(bench: Bench) -> None:
    bench.deploy(only="plan")
    bench.destroy()

    plans = [arguments for _, arguments in bench.terraform.ran if arguments[0] == "plan"]
    assert ["-var=region=eu-central-1" in it for it in plans] == [True, True]


def test_environments_are_looked_for_where_a_variable_says(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    told = {"PULSEQUEUE_STATE_BUCKET": "b", "AWS_REGION": "r", "PULSEQUEUE_ENVIRONMENTS": str(tmp_path)}

    target = Target.of("pr-12", told)

    assert target.folder == tmp_path / "dev"


def test_a_folder_without_environments_is_named(tmp_path: Path) -> None:
    told = {"PULSEQUEUE_STATE_BUCKET": "b", "AWS_REGION": "r", "PULSEQUEUE_ENVIRONMENTS": str(tmp_path)}

    with pytest.raises(ToolError, match=f"names {tmp_path}, where neither pr-12 nor dev is"):
        Target.of("pr-12", told)


def test_without_a_read_side_there_is_nothing_to_migrate(bench: Bench) -> None:
    bench.means = replace(bench.means, has_read_side=lambda: False)

    bench.deploy(only="migrate")

    assert bench.programs.ran == []
    assert "dev has no read side." in bench.said


def test_dashboards_go_where_grafana_is_known(bench: Bench) -> None:
    bench.means = replace(bench.means, grafana=Grafana("https://g", "admin", "http://p:9090"))

    bench.deploy(only="dashboards")

    assert bench.programs.ran == ["pulsequeue grafana setup https://g admin - http://p:9090"]


def test_removal_is_planned_shown_and_asked_for(bench: Bench) -> None:
    bench.destroy()

    assert bench.terraform.commands == ["init", "plan", "init", "apply"]
    assert "-destroy" in bench.terraform.ran[1][1]
    assert bench.asked == ["Remove dev from account 1?"]


@pytest.mark.parametrize(
    ("env", "told", "says"),
    [
        ("local", {}, "`make up` runs it"),
        ("../dev", {}, r"'../dev' cannot name an environment"),
        ("Dev", {}, "'Dev' cannot name an environment"),
        ("dev", {"AWS_REGION": "eu-central-1"}, "PULSEQUEUE_STATE_BUCKET"),
        ("dev", {"PULSEQUEUE_STATE_BUCKET": "b"}, "AWS_REGION does not say"),
    ],
)
def test_what_a_deployment_cannot_do_without_is_named(env: str, told: dict[str, str], says: str) -> None:
    with pytest.raises(ToolError, match=says):
        Target.of(env, told)


def test_steps_say_what_came_of_them() -> None:
    said: list[str] = []
    done: Callable[[], str] = lambda: "there was nothing to do."  # noqa: E731 - a step's whole work

    run([Step("one", "do it", done)], lambda step: step, said.append)

    assert said == ["[1/1] one: do it", "there was nothing to do."]


def test_prod_is_not_removed_unless_its_name_is_said(pulsequeue: CommandLine) -> None:
    for words in ((), ("--i-know-what-i-do", "dev")):
        ran = pulsequeue("destroy", "--env", "prod", "--yes", *words)

        assert ran.code == 2
        assert "--i-know-what-i-do prod" in ran.err


def test_deploying_the_local_environment_says_what_runs_it(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("deploy")

    assert ran.code == 2
    assert "make up" in ran.err

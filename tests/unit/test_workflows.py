"""The workflows lend no more than they must, run what every machine runs, and ask before prod."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.common.project_files import CHECKOUT

GITHUB = CHECKOUT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yml"))
MAKEFILE = (CHECKOUT / "Makefile").read_text()


def _read(path: Path) -> dict[Any, Any]:
    return dict(yaml.safe_load(path.read_text()))


DEPLOY = _read(GITHUB / "workflows" / "deploy.yml")["jobs"]


def _steps(document: dict[Any, Any]) -> Iterator[dict[str, Any]]:
    for job in document.get("jobs", {"": document.get("runs", {})}).values():
        yield from job.get("steps", ())
        if "uses" in job:
            yield {"uses": job["uses"]}


@pytest.mark.parametrize(
    "path", [*WORKFLOWS, GITHUB / "actions" / "prepare" / "action.yml"], ids=lambda it: it.stem
)
def test_what_others_wrote_is_pinned_to_the_commit_of_a_release(path: Path) -> None:
    for used in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8")):
        assert used.startswith("./.github/") or re.fullmatch(
            r"[\w-]+(/[\w-]+){1,2}@[0-9a-f]{40} # v\d+\.\d+\.\d+", used
        )


def test_an_action_has_the_same_commit_wherever_it_is_used() -> None:
    used = {
        it
        for path in GITHUB.rglob("*.yml")
        for it in re.findall(r"uses: ([\w-]+/[\w-]+)\S*@(\S+ # \S+)", path.read_text(encoding="utf-8"))
    }

    assert len(used) == len({action for action, _ in used}) >= 6


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda it: it.stem)
def test_every_job_says_what_it_may(path: Path) -> None:
    document = _read(path)

    assert document["permissions"] in ({}, {"contents": "read"})
    for job in document["jobs"].values():
        allowed = job.get("permissions", document["permissions"])
        assert set(allowed) <= {"contents", "id-token", "pull-requests", "security-events"}
        assert allowed["contents"] == "read"
        lends = any("role" in step.get("with", {}) for step in job.get("steps", ()))
        assert lends == ("id-token" in allowed), "a token of GitHub is for whoever takes a role"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda it: it.stem)
def test_what_is_made_is_a_target_of_the_makefile(path: Path) -> None:
    steps = list(_steps(_read(path)))
    targets = [
        word
        for step in steps
        for line in re.findall(r"make ([^|\n]*)", step.get("run", ""))
        for word in line.split()
        if "=" not in word
    ]

    assert targets or not any("run" in step for step in steps)
    for target in targets:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda it: it.stem)
def test_nothing_that_a_pull_request_says_is_run_as_a_command(path: Path) -> None:
    for step in _steps(_read(path)):
        assert "${{" not in step.get("run", "")


def test_every_job_with_a_role_of_an_environment_runs_in_that_environment() -> None:
    for name, job in DEPLOY.items():
        roles = {step["with"]["role"] for step in job.get("steps", ()) if "role" in step.get("with", {})}
        assert roles <= {"${{ vars.DEPLOY_ROLE_ARN }}", "${{ vars.PLAN_ROLE_ARN }}"}
        assert ("environment" in job) == ("${{ vars.DEPLOY_ROLE_ARN }}" in roles), name


def test_every_plan_of_dev_and_prod_knows_the_allowed_origins_and_the_domain() -> None:
    for name in ("dev", "prod", "plan"):
        (env_vars,) = [it["env"] for it in DEPLOY[name]["steps"] if "make deploy" in it.get("run", "")]
        for name_of, variable in (("web_origins", "WEB_ORIGINS"), ("domain", "DOMAIN")):
            assert env_vars[f"TF_VAR_{name_of}"] == f"${{{{ vars.PULSEQUEUE_{variable} || 'null' }}}}", name


def test_prod_comes_after_a_verified_dev_and_after_every_check() -> None:
    assert (DEPLOY["prod"]["needs"], DEPLOY["prod"]["environment"]) == ("dev", "prod")
    assert DEPLOY["dev"]["needs"] == "check"
    assert DEPLOY["check"]["if"] == "github.event_name == 'push'"


def test_a_pull_request_of_a_fork_is_lent_nothing() -> None:
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    for name in ("plan", "preview", "remove-preview"):
        assert own in DEPLOY[name]["if"], name


def test_previews_are_off_unless_a_variable_turns_them_on() -> None:
    for name in ("preview", "remove-preview"):
        assert "&& vars.PULSEQUEUE_PREVIEWS == 'true'" in DEPLOY[name]["if"]
        # Read in the job, where a variable of the environment replaces that of the repository.
        assert (
            DEPLOY[name]["steps"][-1]["env"]["PULSEQUEUE_STATE_BUCKET"]
            == "${{ vars.PULSEQUEUE_STATE_BUCKET }}"
        )


def test_a_preview_is_made_and_removed_under_the_same_name_one_after_the_other() -> None:
    made, removed = DEPLOY["preview"], DEPLOY["remove-preview"]

    assert made["concurrency"] == removed["concurrency"]
    assert 'ENV="preview-$NUMBER"' in made["steps"][-1]["run"]
    assert 'ENV="preview-$NUMBER"' in removed["steps"][-1]["run"]
    assert "!= 'closed'" in made["if"]
    assert "== 'closed'" in removed["if"]


def test_every_python_that_is_promised_is_tested() -> None:
    matrix = _read(GITHUB / "workflows" / "ci.yml")["jobs"]["check"]["strategy"]["matrix"]["python"]

    assert matrix == ["3.11", "3.12", "3.13"]
    assert f'requires-python = ">={matrix[0]}"' in (CHECKOUT / "pyproject.toml").read_text()

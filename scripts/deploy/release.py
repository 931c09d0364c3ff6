"""The steps of a deployment, and of taking one away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scripts.common.errors import ToolError
from scripts.deploy.steps import Step
from scripts.environment.topology import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scripts.deploy.programs import Programs, Terraform

ENVIRONMENTS: Final = CHECKOUT / "infra" / "envs"
ENVIRONMENTS_VARIABLE: Final = "PULSEQUEUE_ENVIRONMENTS"
"""Names the folder with the environments' own folders, for values that are kept outside this checkout."""
LOCAL: Final = "local"
PROD: Final = "prod"
_TEMPLATE: Final = "dev"
"""An environment without values of its own is made like this one, under its own name."""
_NAME: Final = re.compile("[a-z][a-z0-9-]{0,15}")
"""What infra/modules/pulsequeue takes for one; it becomes a folder and part of the state's address."""
_CHANGED_NOTHING: Final = "Nothing was changed."


@dataclass(frozen=True, slots=True)
class Grafana:
    """Where dashboards go; the password is in GRAFANA_PASSWORD."""

    url: str
    user: str
    prometheus_url: str


@dataclass(frozen=True, slots=True)
class Target:
    """An environment on AWS, and what its Terraform is run with."""

    env: str
    state_bucket: str
    region: str
    environments: Path = ENVIRONMENTS

    @classmethod
    def of(cls, env: str, told: Mapping[str, str]) -> Target:
        if env == LOCAL:
            raise ToolError("the local environment needs no deployment; `make up` runs it.", exit_code=2)
        if not _NAME.fullmatch(env):
            raise ToolError(f"{env!r} cannot name an environment: {_NAME.pattern}.", exit_code=2)
        bucket = told.get("PULSEQUEUE_STATE_BUCKET")
        region = told.get("AWS_REGION") or told.get("AWS_DEFAULT_REGION")
        if not bucket:
            raise ToolError(
                "PULSEQUEUE_STATE_BUCKET does not say which bucket keeps Terraform's state; "
                "infra/bootstrap makes one (docs/deploy.md).",
                exit_code=2,
            )
        if not region:
            raise ToolError("AWS_REGION does not say where to deploy to.", exit_code=2)
        environments = Path(told.get(ENVIRONMENTS_VARIABLE) or ENVIRONMENTS).absolute()
        target = cls(env, bucket, region, environments)
        if not target.folder.is_dir():
            raise ToolError(
                f"{ENVIRONMENTS_VARIABLE} names {environments}, where neither {env} nor {_TEMPLATE} is.",
                exit_code=2,
            )
        return target

    @property
    def folder(self) -> Path:
        own = self.environments / self.env
        return own if own.is_dir() else self.environments / _TEMPLATE

    @property
    def values(self) -> list[str]:
        """What is said here, so that it goes where consent is asked for, under the name that was given."""
        own = self.folder.name == self.env
        return [f"-var=region={self.region}", *([] if own else [f"-var=environment={self.env}"])]

    def init(self) -> list[str]:
        backend = {
            "bucket": self.state_bucket,
            "key": f"{self.env}/terraform.tfstate",
            "region": self.region,
            "use_lockfile": "true",
        }
        # Another environment may have been planned in the same folder.
        return ["init", "-reconfigure", *(f"-backend-config={name}={it}" for name, it in backend.items())]


@dataclass(frozen=True, slots=True)
class Means:
    """What a release works with."""

    terraform: Callable[[], Terraform]
    programs: Programs
    consent: Callable[[str], bool]
    whereabouts: Callable[[], str]
    """Names the account and the region that would be changed."""
    has_read_side: Callable[[], bool]
    grafana: Grafana | None = None


class Release:
    def __init__(self, target: Target, means: Means, plan: Path) -> None:
        """`plan` is a file of this release's own: what is applied was shown here, and by nobody else."""
        self._target = target
        self._means = means
        self._plan_file = plan

    def steps(self) -> list[Step]:
        """List what a deployment consists of."""
        return [
            Step("lint", "is the code as it should be written?", self._lint, _CHANGED_NOTHING),
            Step("types", "do the types hold, and the import rules?", self._types, _CHANGED_NOTHING),
            Step("tests", "does every test pass?", self._tests, _CHANGED_NOTHING),
            Step("package", "build what Lambda runs", self._package, _CHANGED_NOTHING),
            Step("plan", "what would change", self._plan, _CHANGED_NOTHING),
            Step("consent", "shall it?", self._consent, begins_at="plan"),
            Step(
                "apply",
                "change it",
                self._apply,
                "What was applied stays applied; plan again and apply the rest, or deploy the commit before "
                "to go back.",
                begins_at="plan",
            ),
            Step(
                "migrate",
                "bring the database's schema up to date",
                self._migrate,
                "`pulsequeue db status` says how far it came; each migration is whole or not there at all.",
            ),
            Step(
                "verify",
                "send orders through, and check every link",
                self._verify,
                "The new version is live. To go back, deploy the commit before: "
                "git switch --detach <commit>, and this command again.",
            ),
            Step("dashboards", "put the dashboards into Grafana", self._dashboards),
        ]

    def removal(self) -> list[Step]:
        """List what taking an environment away consists of."""
        return [
            Step("plan", "what would be removed", self._plan_removal, _CHANGED_NOTHING),
            Step("consent", "shall it?", self._consent_to_removal),
            Step(
                "apply",
                "remove it",
                self._apply,
                "What was removed is gone, the rest is still there; destroying again takes it away.",
            ),
        ]

    def _lint(self) -> None:
        self._run("ruff", "check", ".")
        self._run("ruff", "format", "--check", ".")

    def _types(self) -> None:
        self._run("mypy")
        self._run("lint-imports", "--no-cache")

    def _tests(self) -> None:
        self._run("pytest", "--numprocesses", "2", "--dist", "loadgroup")

    def _package(self) -> None:
        self._run("pulsequeue", "package")

    def _plan(self) -> None:
        self._planned(*self._target.values)

    def _plan_removal(self) -> None:
        self._planned("-destroy", *self._target.values)

    def _planned(self, *arguments: str) -> None:
        terraform, target = self._means.terraform(), self._target
        terraform.run(target.folder, *target.init())
        terraform.run(target.folder, "plan", f"-out={self._plan_file}", *arguments, shown=True)

    def _consent(self) -> None:
        self._ask(f"Apply this plan to {self._target.env} in {self._means.whereabouts()}?")

    def _consent_to_removal(self) -> None:
        self._ask(f"Remove {self._target.env} from {self._means.whereabouts()}?")

    def _ask(self, question: str) -> None:
        if not self._means.consent(question):
            raise ToolError("nobody said yes. Nothing was changed.")

    def _apply(self) -> None:
        target, terraform = self._target, self._means.terraform()
        # While somebody made up his mind, another environment may have been planned in the same folder.
        terraform.run(target.folder, *target.init())
        terraform.run(target.folder, "apply", str(self._plan_file), shown=True)

    def _migrate(self) -> str | None:
        if not self._means.has_read_side():
            return f"{self._target.env} has no read side."
        self._run("pulsequeue", "db", "migrate", "--env", self._target.env)
        return None

    def _verify(self) -> None:
        self._run("pulsequeue", "verify", "--env", self._target.env)

    def _dashboards(self) -> str | None:
        grafana = self._means.grafana
        if grafana is None:
            return "No Grafana is known (GRAFANA_URL, GRAFANA_USER, PROMETHEUS_URL): left out."
        self._run("pulsequeue", "grafana", "setup", grafana.url, grafana.user, "-", grafana.prometheus_url)
        return None

    def _run(self, *command: str) -> None:
        if code := self._means.programs.run(*command):
            raise ToolError(f"`{' '.join(command)}` ended with {code}.")

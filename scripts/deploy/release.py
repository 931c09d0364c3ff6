"""The steps that deploy an environment, and those that remove it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT
from scripts.deploy.provider_lock import place
from scripts.deploy.steps import ReleaseStep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scripts.deploy.commands import CommandRunner, Terraform

ENVIRONMENTS: Final = CHECKOUT / "infra" / "envs"
ENVIRONMENTS_VARIABLE: Final = "PULSEQUEUE_ENVIRONMENTS"
"""Path of the folder with an environment's values, when they are outside this checkout."""
LOCAL: Final = "local"
PROD: Final = "prod"
_TEMPLATE: Final = "dev"
"""An environment without values of its own uses these, with its own name."""
_NAME: Final = re.compile("[a-z][a-z0-9-]{0,15}")
"""As in infra/modules/pulsequeue; the name becomes part of paths and of the state's key."""
_NOTHING_CHANGED: Final = "Nothing changed."


@dataclass(frozen=True, slots=True)
class Grafana:
    """Where dashboards are installed; the password is in GRAFANA_PASSWORD."""

    url: str
    user: str
    prometheus_url: str


@dataclass(frozen=True, slots=True)
class DeployTarget:
    """An environment on AWS, and the settings of its Terraform."""

    env: str
    state_bucket: str
    region: str
    environments: Path = ENVIRONMENTS

    @classmethod
    def of(cls, env: str, environ: Mapping[str, str]) -> DeployTarget:
        if env == LOCAL:
            raise ToolError("the local environment is not deployed; run `make up` instead.", exit_code=2)
        if not _NAME.fullmatch(env):
            raise ToolError(f"invalid environment name {env!r}; it must match {_NAME.pattern}.", exit_code=2)
        bucket = environ.get("PULSEQUEUE_STATE_BUCKET")
        region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        if not bucket:
            raise ToolError(
                "PULSEQUEUE_STATE_BUCKET is not set; set it to the bucket of Terraform's state, "
                "which infra/bootstrap creates (docs/deploy.md).",
                exit_code=2,
            )
        if not region:
            raise ToolError("AWS_REGION is not set; set it to the region to deploy to.", exit_code=2)
        environments = Path(environ.get(ENVIRONMENTS_VARIABLE) or ENVIRONMENTS).absolute()
        target = cls(env, bucket, region, environments)
        if not target.folder.is_dir():
            raise ToolError(
                f"{ENVIRONMENTS_VARIABLE} is {environments}, which has neither {env} nor {_TEMPLATE}.",
                exit_code=2,
            )
        return target

    @property
    def folder(self) -> Path:
        own = self.environments / self.env
        return own if own.is_dir() else self.environments / _TEMPLATE

    @property
    def values(self) -> list[str]:
        """Region and name as variables, so that Terraform changes what was confirmed."""
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
class ReleaseTools:
    """External tools of a release."""

    terraform: Callable[[], Terraform]
    commands: CommandRunner
    confirm: Callable[[str], bool]
    account_and_region: Callable[[], str]
    """Returns the account and the region that would be changed."""
    has_read_side: Callable[[], bool]
    grafana: Grafana | None = None


class Release:
    def __init__(self, target: DeployTarget, tools: ReleaseTools, plan: Path) -> None:
        """`plan` is a file of this release only: it applies exactly the plan that it showed."""
        self._target = target
        self._tools = tools
        self._plan_file = plan

    def steps(self) -> list[ReleaseStep]:
        """Return the steps of a deployment."""
        return [
            ReleaseStep("lint", "check code style", self._lint, _NOTHING_CHANGED),
            ReleaseStep("types", "check types and import rules", self._types, _NOTHING_CHANGED),
            ReleaseStep("tests", "run the tests", self._tests, _NOTHING_CHANGED),
            ReleaseStep("package", "build the Lambda packages", self._package, _NOTHING_CHANGED),
            ReleaseStep("plan", "show what would change", self._plan, _NOTHING_CHANGED),
            ReleaseStep("confirm", "ask for confirmation", self._confirm, restart_from="plan"),
            ReleaseStep(
                "apply",
                "apply the plan",
                self._apply,
                "Changes made so far remain; plan and apply the rest, or deploy the previous commit "
                "to roll back.",
                restart_from="plan",
            ),
            ReleaseStep(
                "migrate",
                "migrate the database schema, which the running code has to bear",
                self._migrate,
                "`pulsequeue db status` shows the applied migrations; each applies fully or not at all.",
            ),
            ReleaseStep(
                "shift",
                "let callers invoke the new versions, a tenth of them first",
                self._shift,
                "The previous versions serve all calls.",
            ),
            ReleaseStep(
                "publish",
                "build the console, upload it, and wait until it is served",
                self._publish,
                "Visitors get the pages from before until all files are there.",
            ),
            ReleaseStep(
                "verify",
                "send test orders and check every step; roll back if one fails",
                self._verify,
                restart_from="shift",
            ),
            ReleaseStep("dashboards", "install the Grafana dashboards", self._dashboards),
        ]

    def removal(self) -> list[ReleaseStep]:
        """Return the steps that remove an environment."""
        return [
            ReleaseStep("plan", "show what would be removed", self._plan_removal, _NOTHING_CHANGED),
            ReleaseStep("confirm", "ask for confirmation", self._confirm_removal),
            ReleaseStep(
                "apply",
                "remove the resources",
                self._apply,
                "Some resources are removed; destroy again to remove the rest.",
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
        self._run_plan(*self._target.values)

    def _plan_removal(self) -> None:
        self._run_plan("-destroy", *self._target.values)

    def _run_plan(self, *arguments: str) -> None:
        terraform, target = self._initialized(), self._target
        terraform.run(target.folder, "plan", f"-out={self._plan_file}", *arguments, shown=True)

    def _initialized(self) -> Terraform:
        terraform, target = self._tools.terraform(), self._target
        terraform.run(target.folder, *target.init(), *place(target.folder))
        return terraform

    def _confirm(self) -> None:
        self._ask(f"Apply this plan to {self._target.env} in {self._tools.account_and_region()}?")

    def _confirm_removal(self) -> None:
        self._ask(f"Remove {self._target.env} from {self._tools.account_and_region()}?")

    def _ask(self, question: str) -> None:
        if not self._tools.confirm(question):
            raise ToolError("not confirmed. Nothing changed.")

    def _apply(self) -> None:
        # Meanwhile another environment may have been planned in the same folder.
        target, terraform = self._target, self._initialized()
        terraform.run(target.folder, "apply", str(self._plan_file), shown=True)

    def _migrate(self) -> str | None:
        if not self._tools.has_read_side():
            return f"{self._target.env} has no read side."
        self._run("pulsequeue", "db", "migrate", "--env", self._target.env)
        return None

    def _shift(self) -> None:
        self._run("pulsequeue", "shift", "--env", self._target.env)

    def _publish(self) -> None:
        self._run("pulsequeue", "console", "publish", "--env", self._target.env)

    def _verify(self) -> None:
        try:
            self._run("pulsequeue", "verify", "--env", self._target.env)
        except ToolError as failure:
            try:
                self._run("pulsequeue", "rollback", "--env", self._target.env)
            except ToolError as error:
                raise ToolError(
                    f"{failure} The new versions are live, because rolling back failed too: {error}"
                ) from error
            raise ToolError(
                f"{failure} The functions are rolled back to their previous versions; rules, queues, schema "
                "and pages are not. `pulsequeue console rollback` returns to the pages from before"
            ) from failure

    def _dashboards(self) -> str | None:
        grafana = self._tools.grafana
        if grafana is None:
            return "Skipped: GRAFANA_URL, GRAFANA_USER or PROMETHEUS_URL is not set."
        self._run("pulsequeue", "grafana", "setup", grafana.url, grafana.user, "-", grafana.prometheus_url)
        return None

    def _run(self, *command: str) -> None:
        if code := self._tools.commands.run(*command):
            raise ToolError(f"`{' '.join(command)}` exited with {code}.")

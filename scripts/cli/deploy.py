"""`pulsequeue deploy`, `shift`, `rollback` and `destroy`: what happens to an environment on AWS."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.session import Limits, Session, command
from scripts.common.errors import ToolError
from scripts.common.subprocesses import terminate_as_interrupt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.deploy.release import Grafana, Release, ReleaseTools
    from scripts.deploy.shift import TrafficShift

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
First = Annotated[str | None, typer.Option("--from", metavar="STEP", help="Start at this step.")]
Only = Annotated[str | None, typer.Option(metavar="STEP", help="Run this step only, such as plan.")]


def register(app: typer.Typer) -> None:
    limits = Limits(needs_checkout=True)
    examples = ("deploy --env dev", "deploy --env dev --only plan", "deploy --env prod --from package --yes")
    command(app, examples=examples, limits=limits)(deploy)
    command(app, examples=("shift --env dev", "shift --env prod --canary 5 --watch 600"))(shift)
    command(app, examples=("rollback --env dev",))(rollback)
    command(app, examples=("destroy --env dev",), limits=limits)(destroy)


def deploy(
    session: Session,
    *,
    yes: Yes = False,
    first: First = None,
    only: Only = None,
) -> None:
    """Check, package, plan, apply, migrate, shift, publish and verify; stop at the first failure.

    The steps are lint, types, tests, package, plan, confirm, apply, migrate, shift, publish, verify and
    dashboards.
    """
    from scripts.deploy.steps import run_steps, select_steps

    with _release(session, yes=yes) as release:
        steps = select_steps(release.steps(), first=first, only=only)
        run_steps(
            steps, lambda step: f"pulsequeue deploy --env {session.env} --from {step}", session.out.note
        )
    session.out.show({"environment": session.env, "steps": [it.name for it in steps]}, "Done.")


def shift(
    session: Session,
    *,
    percent: Annotated[
        int,
        typer.Option(
            "--canary", metavar="PERCENT", min=1, max=99, help="Share of the calls that is shifted first."
        ),
    ] = 10,
    watch: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            envvar="PULSEQUEUE_WATCH_SECONDS",
            help="How long alarms are watched before the rest is shifted; 0 shifts everything at once.",
            show_envvar=True,
        ),
    ] = 180,
) -> None:
    """Let callers invoke the newest version of each function; undo it if an alarm goes off."""
    with terminate_as_interrupt():
        shifted = _traffic(session).shift(percent=percent, watch_seconds=watch)
    session.out.show(
        {"shifted": {it.name: {"from": it.live, "to": it.newest} for it in shifted}},
        *(f"{it.name}: version {it.live} -> {it.newest}" for it in shifted),
        f"{len(shifted)} functions shifted." if shifted else "Every function is at its newest version.",
    )


def rollback(session: Session) -> None:
    """Let callers invoke the versions from before the last shift."""
    returned = _traffic(session).roll_back()
    session.out.show(
        {"rolledBack": {it.name: {"from": it.live, "to": it.previous} for it in returned}},
        *(f"{it.name}: version {it.live} -> {it.previous}" for it in returned),
        f"{len(returned)} functions rolled back." if returned else "Nothing to roll back.",
    )


def _traffic(session: Session) -> TrafficShift:
    from scripts.common.clock import Clock
    from scripts.deploy.shift import TrafficShift
    from scripts.environment.environment import open_environment

    return TrafficShift(open_environment(session.env), Clock())


def destroy(
    session: Session,
    *,
    yes: Yes = False,
    known: Annotated[
        str | None,
        typer.Option("--i-know-what-i-do", metavar="NAME", help="Required for prod: repeat its name."),
    ] = None,
) -> None:
    """Remove an environment and all its data."""
    from scripts.deploy.release import PROD
    from scripts.deploy.steps import run_steps

    if session.env == PROD and known != PROD:
        raise ToolError("removing prod needs `--i-know-what-i-do prod`.", exit_code=2)
    with _release(session, yes=yes) as release:
        run_steps(release.removal(), lambda _: f"pulsequeue destroy --env {session.env}", session.out.note)
    session.out.show({"environment": session.env, "removed": True}, f"{session.env} is removed.")


@contextmanager
def _release(session: Session, *, yes: bool) -> Iterator[Release]:
    from scripts.deploy.release import DeployTarget, Release

    target = DeployTarget.of(session.env, os.environ)
    # A plan contains secrets: it is stored in a private folder, and deleted afterwards.
    with terminate_as_interrupt(), TemporaryDirectory() as folder:
        yield Release(target, _tools(session, yes=yes), Path(folder) / f"{session.env}.tfplan")


def _tools(session: Session, *, yes: bool) -> ReleaseTools:
    from scripts.deploy.commands import InstalledCommands, find_terraform
    from scripts.deploy.release import ReleaseTools
    from scripts.environment.environment import open_environment
    from scripts.verify.resource_checks import has_read_side

    def account_and_region() -> str:
        environment = open_environment(session.env)
        return f"account {environment.client('sts').get_caller_identity()['Account']}, {environment.region}"

    def confirm(question: str) -> bool:
        try:
            return yes or typer.confirm(question, err=True)
        except typer.Abort:
            # There is no terminal, or the user pressed Ctrl-C.
            return False

    return ReleaseTools(
        find_terraform,
        InstalledCommands(),
        confirm,
        account_and_region,
        lambda: has_read_side(open_environment(session.env)),
        _grafana(),
    )


def _grafana() -> Grafana | None:
    from scripts.deploy.release import Grafana

    names = "GRAFANA_URL", "GRAFANA_USER", "PROMETHEUS_URL"
    url, user, prometheus = map(os.environ.get, names)
    return Grafana(url, user, prometheus) if url and user and prometheus else None

"""`pulsequeue deploy` and `destroy`: an environment on AWS, from this checkout, or away with it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.session import Session, command
from scripts.common.errors import ToolError
from scripts.common.subprocesses import terminate_as_interrupt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.deploy.release import Grafana, Means, Release

Yes = Annotated[bool, typer.Option("--yes", help="Ask nothing: for pipelines.")]
First = Annotated[str | None, typer.Option("--from", metavar="STEP", help="Begin at this step.")]
Only = Annotated[str | None, typer.Option(metavar="STEP", help="Do this step alone, such as plan.")]


def register(app: typer.Typer) -> None:
    command(app)(deploy)
    command(app)(destroy)


def deploy(
    session: Session,
    *,
    yes: Yes = False,
    first: First = None,
    only: Only = None,
) -> None:
    """Check, package, plan, apply, migrate and verify; stops at the first step that fails.

    The steps are lint, types, tests, package, plan, consent, apply, migrate, verify and dashboards.
    """
    from scripts.deploy.steps import chosen, run

    with _released(session, yes=yes) as release:
        steps = chosen(release.steps(), first=first, only=only)
        run(steps, lambda step: f"pulsequeue deploy --env {session.env} --from {step}", session.out.note)
    session.out.show({"environment": session.env, "steps": [it.name for it in steps]}, "Done.")


def destroy(
    session: Session,
    *,
    yes: Yes = False,
    known: Annotated[
        str | None,
        typer.Option("--i-know-what-i-do", metavar="NAME", help="The environment's name; prod asks for it."),
    ] = None,
) -> None:
    """Remove an environment, and all data in it."""
    from scripts.deploy.release import PROD
    from scripts.deploy.steps import run

    if session.env == PROD and known != PROD:
        raise ToolError("prod is not removed unless `--i-know-what-i-do prod` says so.", exit_code=2)
    with _released(session, yes=yes) as release:
        run(release.removal(), lambda _: f"pulsequeue destroy --env {session.env}", session.out.note)
    session.out.show({"environment": session.env, "removed": True}, f"{session.env} is gone.")


@contextmanager
def _released(session: Session, *, yes: bool) -> Iterator[Release]:
    from scripts.deploy.release import Release, Target

    target = Target.of(session.env, os.environ)
    # A plan has secrets in it: nobody else reads it, and it goes with whoever made it.
    with terminate_as_interrupt(), TemporaryDirectory() as folder:
        yield Release(target, _means(session, yes=yes), Path(folder) / f"{session.env}.tfplan")


def _means(session: Session, *, yes: bool) -> Means:
    from scripts.deploy.programs import InstalledPrograms, find_terraform
    from scripts.deploy.release import Means
    from scripts.environment.environment import open_environment
    from scripts.verify.resource_checks import has_read_side

    def whereabouts() -> str:
        environment = open_environment(session.env)
        return f"account {environment.client('sts').get_caller_identity()['Account']}, {environment.region}"

    def consent(question: str) -> bool:
        try:
            return yes or typer.confirm(question, err=True)
        except typer.Abort:
            # There is nobody to ask, or he left.
            return False

    return Means(
        find_terraform,
        InstalledPrograms(),
        consent,
        whereabouts,
        lambda: has_read_side(open_environment(session.env)),
        _grafana(),
    )


def _grafana() -> Grafana | None:
    from scripts.deploy.release import Grafana

    told = [os.environ.get(name) for name in ("GRAFANA_URL", "GRAFANA_USER", "PROMETHEUS_URL")]
    url, user, prometheus = told
    return Grafana(url, user, prometheus) if url and user and prometheus else None

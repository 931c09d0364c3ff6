"""`pulsequeue console`: the pages of the console in an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from scripts.cli.session import Limits, Session, command

if TYPE_CHECKING:
    from scripts.environment.console_site import ConsoleSite


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Publish the console's pages, or return to the release before.")
    command(group, examples=("console publish --env dev",), limits=Limits(needs_checkout=True))(publish)
    command(group, examples=("console rollback --env dev",))(rollback)
    app.add_typer(group, name="console")


def publish(session: Session) -> None:
    """Build the console, upload it, and wait until it is what visitors get."""
    from scripts.common.clock import Clock
    from scripts.environment.console_files import built_files, settings_of
    from scripts.local import web

    site = _site(session)
    session.out.note("Building the console ...")
    files = built_files(web.ensure_built()) | settings_of(session.env, Clock().now().date())
    release = site.files.publish(files)
    if release is not None:
        session.out.note("Waiting until it is served ...")
        site.invalidate(release)
        site.wait_until_served(release)
    current = release or site.files.record().current
    session.out.show(
        {"url": site.url, "release": current and current.id, "published": release is not None},
        f"{site.url} serves release {current and current.id}"
        + ("." if release else ", as before: nothing changed."),
    )


def rollback(session: Session) -> None:
    """Serve the release before the current one again."""
    site = _site(session)
    release = site.files.roll_back()
    site.invalidate(release)
    site.wait_until_served(release)
    session.out.show(
        {"url": site.url, "release": release.id}, f"{site.url} serves release {release.id} again."
    )


def _site(session: Session) -> ConsoleSite:
    from scripts.environment.console_site import find_site
    from scripts.environment.environment import open_environment

    return find_site(open_environment(session.env))

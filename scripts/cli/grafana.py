"""`pulsequeue grafana`: builds the dashboards and installs them in a Grafana."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import Limits, Session, command
from scripts.common.errors import ToolError

_USAGE = 2
_PROMETHEUS_SILENT = 6


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Build and install the Grafana dashboards.", no_args_is_help=True)
    example = "grafana setup http://localhost:3000 admin - http://prom:9090"
    command(group, examples=(example,))(setup)
    command(group, examples=("grafana build",), limits=Limits(needs_checkout=True))(build)
    app.add_typer(group, name="grafana")


def build(
    session: Session,
    output: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Folder to write to.")] = None,
) -> None:
    """Write the dashboards from their sources, and have the alerts link to the published runbooks."""
    from scripts.grafana.identifiers import DASHBOARDS
    from scripts.grafana.runbooks import link_rules

    try:
        from scripts.grafana.build import write_all
    except ModuleNotFoundError as missing:
        raise ToolError(
            f"building needs {missing.name}, a development dependency; run `make install`."
        ) from None
    folder = output or DASHBOARDS
    changed = write_all(folder) + ([] if output else link_rules())
    view = "\n".join(f"{'wrote' if path.exists() else 'removed'} {path}" for path in changed)
    session.out.show({"changed": [str(path) for path in changed]}, view or f"{folder} is up to date.")


def setup(
    session: Session,
    grafana_url: Annotated[
        str, typer.Argument(metavar="GRAFANA_URL", help="Grafana's address, such as http://localhost:3000.")
    ],
    user: Annotated[str, typer.Argument(metavar="USER", help="A user with the role Admin.")],
    password: Annotated[
        str,
        typer.Argument(metavar="PASSWORD", help="Password; - reads GRAFANA_PASSWORD, or prompts."),
    ],
    prometheus_url: Annotated[
        str, typer.Argument(metavar="PROMETHEUS_URL", help="Prometheus's address, as Grafana reaches it.")
    ],
    *,
    prometheus_user: Annotated[
        str | None,
        typer.Option(
            metavar="USER", help="A user, when Prometheus asks for one; the password is PROMETHEUS_PASSWORD."
        ),
    ] = None,
    prometheus_token: Annotated[
        bool, typer.Option("--prometheus-token", help="Send the bearer token in PROMETHEUS_TOKEN.")
    ] = False,
) -> None:
    """Install data source, folder and dashboards in a Grafana; repeating it changes nothing."""
    from scripts.grafana.api import GrafanaApi, Login, checked_url
    from scripts.grafana.install import Prometheus, install, prometheus_problem, read_dashboards

    if not user or ":" in user:
        raise ToolError("the user name must not be empty or contain a colon.", exit_code=_USAGE)
    prometheus = Prometheus(
        checked_url(prometheus_url, "Prometheus"),
        prometheus_user,
        _from_environment("PROMETHEUS_PASSWORD") if prometheus_user else None,
        _from_environment("PROMETHEUS_TOKEN") if prometheus_token else None,
    )
    dashboards = read_dashboards()
    api = GrafanaApi(grafana_url, Login(user, _password(password, session)))
    version = api.version()
    installed = list(install(api, prometheus, dashboards))
    complaint = prometheus_problem(api)
    session.out.show(
        {
            "grafana": {"url": api.url, "version": version},
            "prometheus": {"url": prometheus.url, "complaint": complaint},
            "installed": [
                {
                    "kind": one.kind,
                    "title": one.title,
                    "uid": one.uid,
                    "outcome": one.outcome,
                    "url": one.url,
                }
                for one in installed
            ],
        },
        Table(
            ("kind", "title", "outcome", "URL"),
            [(one.kind, one.title, one.outcome, one.url) for one in installed],
        ),
        *([] if any(one.outcome != "unchanged" for one in installed) else ["nothing changed."]),
    )
    if complaint is not None:
        raise ToolError(
            f"installed, but Grafana cannot query Prometheus at {prometheus.url}: {complaint}",
            exit_code=_PROMETHEUS_SILENT,
        )


def _password(given: str, session: Session) -> str:
    """Return the password; `-` keeps it out of the shell's history."""
    password = given
    if given == "-":
        password = os.environ.get("GRAFANA_PASSWORD") or _prompt(session)
    if not password:
        raise ToolError("the password is empty.", exit_code=_USAGE)
    return password


def _prompt(session: Session) -> str:
    if session.stdin is None and sys.stdin.isatty():
        from getpass import getpass

        try:
            return getpass("Grafana password: ")
        except EOFError:
            return ""
    return (session.stdin or sys.stdin).readline().rstrip("\r\n")


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise ToolError(f"{name} is not set.", exit_code=_USAGE)
    return value

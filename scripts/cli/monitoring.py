"""`pulsequeue monitoring`: Prometheus for the local stack, and with Docker Alertmanager and Grafana."""

from typing import TYPE_CHECKING

import typer

from scripts.cli.session import Limits, Session, command

if TYPE_CHECKING:
    from scripts.local.monitoring.launcher import Monitoring


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Start or stop monitoring of the local stack.", no_args_is_help=True)
    limits = Limits(local_only=True, needs_checkout=True)
    command(group, examples=("monitoring up",), limits=limits)(up)
    command(group, examples=("monitoring down",), limits=limits)(down)
    app.add_typer(group, name="monitoring")


def up(session: Session) -> None:
    """Start Prometheus for the local stack, in containers or as an installed `prometheus`."""
    from scripts.local.monitoring import launcher

    out = session.out
    out.note("Starting Prometheus for the local stack ...")
    found = launcher.up()
    out.show(found.model_dump(mode="json", include={"kind", "pages", "log"}), _view(found))


def down(session: Session) -> None:
    """Stop what `monitoring up` started; its data stays."""
    from scripts.local.monitoring import launcher

    stopped = launcher.down()
    text = "Monitoring stopped." if stopped else "Monitoring was not running."
    session.out.show({"stopped": stopped}, text)


def _view(found: "Monitoring") -> str:
    lines = {
        "Grafana": "dashboards; user admin, password pulsequeue unless GRAFANA_PASSWORD is set",
        "Prometheus": "/targets: scrapes; /alerts: alerts; /query: queries",
        "Alertmanager": "notifications",
    }
    pages = [f"  {page:<13} {url:<23} {lines[page]}" for page, url in found.pages.items()]
    how = "in containers" if found.kind == "containers" else "as a process on this machine"
    without = "" if "Grafana" in found.pages else "\nGrafana and Alertmanager need Docker."
    return (
        f"Prometheus scrapes the local stack {how}. The first samples take a minute or two.\n"
        + "\n".join(pages)
        + f"{without}\nLog: {found.log}. Stop it with `pulsequeue monitoring down` or `make down`."
    )

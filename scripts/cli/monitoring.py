"""`pulsequeue monitoring`: Prometheus over the local stack, and with Docker Alertmanager and Grafana."""

from typing import TYPE_CHECKING

import typer

from scripts.cli.session import Json, session_of

if TYPE_CHECKING:
    from scripts.local.monitoring.launcher import Monitoring


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Watch the local stack, and stop watching it.", no_args_is_help=True)
    for function in (up, down):
        group.command()(function)
    app.add_typer(group, name="monitoring")


def up(context: typer.Context, *, as_json: Json = False) -> None:
    """Start Prometheus over the local stack: in containers, or a `prometheus` of this machine."""
    from scripts.local.monitoring import launcher

    out = session_of(context).with_options(None, as_json=as_json).out
    out.note("Starting Prometheus over the local stack ...")
    found = launcher.up()
    out.show(found.model_dump(mode="json", include={"kind", "pages", "log"}), _view(found))


def down(context: typer.Context, *, as_json: Json = False) -> None:
    """Stop what `monitoring up` started; what was measured is kept."""
    from scripts.local.monitoring import launcher

    stopped = launcher.down()
    said = "Nothing watches the local stack any more." if stopped else "Nothing watched the local stack."
    session_of(context).with_options(None, as_json=as_json).out.show({"stopped": stopped}, said)


def _view(found: "Monitoring") -> str:
    lines = {
        "Grafana": "dashboards; user admin, password pulsequeue unless GRAFANA_PASSWORD said otherwise",
        "Prometheus": "/targets is it scraped, /alerts what is wrong, /query for questions",
        "Alertmanager": "who would be told",
    }
    told = [f"  {page:<13} {url:<23} {lines[page]}" for page, url in found.pages.items()]
    how = "in containers" if found.kind == "containers" else "as a process of this machine"
    without = "" if "Grafana" in found.pages else "\nDashboards and Alertmanager come with Docker."
    return (
        f"Prometheus watches the local stack {how}. The first numbers take a minute or two.\n"
        + "\n".join(told)
        + f"{without}\nIts log is {found.log}; `pulsequeue monitoring down` or `make down` stops it."
    )

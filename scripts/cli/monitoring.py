"""`pulsequeue monitoring`: Prometheus and Alertmanager for the local stack, and with Docker Grafana."""

from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.session import Limits, Session, command

if TYPE_CHECKING:
    from scripts.local.monitoring.launcher import Monitoring


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Start or stop monitoring of the local stack.", no_args_is_help=True)
    limits = Limits(local_only=True, needs_checkout=True)
    command(group, examples=("monitoring up", "monitoring up --port 9095"), limits=limits)(up)
    command(group, examples=("monitoring down",), limits=limits)(down)
    app.add_typer(group, name="monitoring")


def up(
    session: Session,
    *,
    port: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=65_535, help="Port of Prometheus.")
    ] = None,
) -> None:
    """Start Prometheus and Alertmanager for the local stack, in containers or as installed programs."""
    from scripts.local.monitoring import launcher

    out = session.out
    out.note("Starting Prometheus for the local stack ...")
    found = launcher.up(port=port)
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
        "Prometheus": prometheus_pages(found.pages["Prometheus"]),
        "Alertmanager": "notifications",
    }
    pages = [f"  {page:<13} {url:<23} {lines[page]}" for page, url in found.pages.items()]
    how = "in containers" if found.kind == "containers" else "as a process on this machine"
    return (
        f"Prometheus scrapes the local stack {how}. The first samples take a minute or two.\n"
        + "\n".join(pages)
        + "".join(f"\n{hint}" for hint in _missing(found))
        + f"\nLog: {found.log}. Stop it with `pulsequeue monitoring down` or `make down`."
    )


def prometheus_pages(url: str) -> str:
    """Return the pages that this version of Prometheus has, and what each shows."""
    from scripts.local.monitoring.prometheus import page_of

    known = {"scrapes": ("/targets",), "alerts": ("/alerts",), "queries": ("/query", "/graph")}
    found = {
        what: next((page for path in paths if (page := page_of(url, path)) is not None), None)
        for what, paths in known.items()
    }
    return "; ".join(f"{page}: {what}" for what, page in found.items() if page is not None)


def _missing(found: "Monitoring") -> list[str]:
    if found.kind == "containers":
        return []
    hints = ["Grafana needs Docker."]
    if "Alertmanager" not in found.pages:
        hints.append("Alertmanager is not installed (on Debian: apt-get install prometheus-alertmanager).")
    return hints

"""Starts monitoring of the local stack: in containers where Docker runs, or else as local processes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from pydantic import ValidationError

from scripts.common.errors import ToolError
from scripts.environment.local_state import (
    ProcessRecord,
    Record,
    StackState,
    home_folder,
    make_home,
    write_private,
)
from scripts.local import processes
from scripts.local.aws.emulator import HOST, free_port, is_free, require_free_port
from scripts.local.monitoring import alertmanager, compose, prometheus
from scripts.local.monitoring.compose import Docker
from scripts.local.monitoring.prometheus import ScrapeTarget

if TYPE_CHECKING:
    from pathlib import Path

_USUAL_PORT = 9090
_USUAL_ALERTMANAGER_PORT = 9093
_PORT_OPTION = "--port (make monitoring PROMETHEUS_PORT=...)"


class Monitoring(Record):
    """What `up` started, and its pages."""

    kind: Literal["containers", "process"]
    pages: dict[str, str]
    log: str
    process: ProcessRecord | None = None
    alertmanager: ProcessRecord | None = None

    @classmethod
    def read(cls, home: Path) -> Self | None:
        try:
            return cls.model_validate_json(_record_file(home).read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            return None


@dataclass(frozen=True, slots=True)
class Tools:
    """The monitoring programs of this machine."""

    docker: Docker | None
    prometheus: str | None
    alertmanager: str | None = None

    @classmethod
    def find(cls) -> Self:
        return cls(Docker.find(), shutil.which("prometheus"), alertmanager.find())


def scrape_target(home: Path) -> ScrapeTarget:
    """Return the metrics endpoint of the running stack."""
    state = StackState.read(home)
    if state is None:
        raise ToolError("the local stack is not running; start it with `make up`.")
    if state.metrics_url is None or state.metrics_token is None:
        raise ToolError("the local stack serves no metrics yet; complete it with `make up`.")
    return ScrapeTarget(state.metrics_url, state.metrics_token, state.env)


def up(*, home: Path | None = None, tools: Tools | None = None, port: int | None = None) -> Monitoring:
    """Start monitoring, or update the scrape target of the one that runs; the port is Prometheus's."""
    home = home or home_folder()
    target = scrape_target(home)
    make_home(home)
    running = Monitoring.read(home)
    if running is not None and running.process is not None and processes.find(running.process):
        _require_unchanged(running, port)
        prometheus.write_scrape(_folder(home) / "scrape", target)
        return running
    tools = tools or Tools.find()
    if tools.docker is not None:
        if port not in {None, _USUAL_PORT}:
            raise ToolError(
                f"in containers Prometheus listens on port {_USUAL_PORT}; "
                "another one is set in monitoring/compose.yaml and compose.linux.yaml."
            )
        return _up_in_containers(home, tools.docker, target)
    if tools.prometheus is not None:
        return _up_as_processes(home, tools.prometheus, tools.alertmanager, target, port)
    raise ToolError(
        "neither a running Docker with compose nor `prometheus` on the PATH was found; "
        "install one of them (on Debian: apt-get install prometheus)."
    )


def down(*, home: Path | None = None, tools: Tools | None = None) -> bool:
    """Stop monitoring; return whether it was running. Its data stays."""
    home = home or home_folder()
    running = Monitoring.read(home)
    if running is None:
        return False
    if running.process is not None:
        was_running = processes.find(running.process) is not None
        _stop(running)
    else:
        docker = tools.docker if tools else Docker.find()
        if docker is None:
            raise ToolError("Docker does not answer, so its monitoring containers could not be stopped.")
        docker.down(_folder(home) / "scrape", _folder(home) / "compose.log")
        was_running = True
    _record_file(home).unlink(missing_ok=True)
    return was_running


def reset(*, home: Path) -> None:
    """Stop monitoring and remove its data; that of containers is in their volumes."""
    down(home=home)
    shutil.rmtree(_folder(home), ignore_errors=True)


def _up_in_containers(home: Path, docker: Docker, target: ScrapeTarget) -> Monitoring:
    _folder(home).mkdir(exist_ok=True, mode=0o700)
    log = _folder(home) / "compose.log"
    found = Monitoring(kind="containers", pages=compose.PAGES, log=str(log))
    # Written first: an interrupted start leaves containers that `down` has to stop.
    write_private(_record_file(home), found.model_dump_json(indent=2))
    docker.up(target, _folder(home) / "scrape", log)
    return found


def _up_as_processes(
    home: Path, binary: str, alertmanager_binary: str | None, target: ScrapeTarget, port: int | None
) -> Monitoring:
    if port is None:
        port = _port(_last_port(home) or _USUAL_PORT)
    require_free_port(port, _PORT_OPTION)
    folder = _folder(home)
    found = Monitoring(kind="process", pages={}, log=str(folder / "prometheus.log"))
    try:
        if alertmanager_binary is not None:
            # Beside a second Prometheus, the usual port belongs to the first one's Alertmanager.
            manager_port = _port(_USUAL_ALERTMANAGER_PORT) if port == _USUAL_PORT else free_port()
            manager = alertmanager.start(alertmanager_binary, folder, manager_port)
            prometheus.write_alertmanager(folder / "scrape", f"{HOST}:{manager.port}")
            found = found.model_copy(
                update={"alertmanager": manager.process, "pages": {"Alertmanager": manager.url}}
            )
        started = prometheus.start(binary, target, folder, port)
        pages = {"Prometheus": started.url, **found.pages}
        found = found.model_copy(update={"process": started.process, "pages": pages})
        write_private(_record_file(home), found.model_dump_json(indent=2))
        write_private(_port_file(home), f"{port}\n")
    except BaseException:
        _stop(found)
        raise
    return found


def _last_port(home: Path) -> int | None:
    """Return the port of Prometheus that the last `up` used."""
    try:
        return int(_port_file(home).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def _port(usual: int) -> int:
    return usual if is_free(usual) else free_port()


def _require_unchanged(running: Monitoring, port: int | None) -> None:
    url = running.pages["Prometheus"]
    if port is not None and not url.endswith(f":{port}"):
        raise ToolError(
            f"Prometheus already runs on {url}; stop it with `pulsequeue monitoring down` to change the port."
        )


def _stop(running: Monitoring) -> None:
    if running.process is not None:
        prometheus.stop(running.process)
    if running.alertmanager is not None:
        processes.stop([running.alertmanager])


def _folder(home: Path) -> Path:
    return home / "monitoring"


def _record_file(home: Path) -> Path:
    return home / "monitoring.json"


def _port_file(home: Path) -> Path:
    return _folder(home) / "port.txt"

"""Starts monitoring of the local stack: in containers where Docker runs, or else a local Prometheus."""

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
from scripts.local.aws.emulator import free_port, is_free
from scripts.local.monitoring import compose, prometheus
from scripts.local.monitoring.compose import Docker
from scripts.local.monitoring.prometheus import ScrapeTarget

if TYPE_CHECKING:
    from pathlib import Path

_USUAL_PORT = 9090


class Monitoring(Record):
    """What `up` started, and its pages."""

    kind: Literal["containers", "process"]
    pages: dict[str, str]
    log: str
    process: ProcessRecord | None = None

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

    @classmethod
    def find(cls) -> Self:
        return cls(Docker.find(), shutil.which("prometheus"))


def scrape_target(home: Path) -> ScrapeTarget:
    """Return the metrics endpoint of the running stack."""
    state = StackState.read(home)
    if state is None:
        raise ToolError("the local stack is not running; start it with `make up`.")
    if state.metrics_url is None or state.metrics_token is None:
        raise ToolError("the local stack serves no metrics yet; complete it with `make up`.")
    return ScrapeTarget(state.metrics_url, state.metrics_token, state.env)


def up(*, home: Path | None = None, tools: Tools | None = None) -> Monitoring:
    """Start monitoring, or update the scrape target of the one that runs."""
    home = home or home_folder()
    target = scrape_target(home)
    make_home(home)
    running = Monitoring.read(home)
    if running is not None and running.process is not None and processes.find(running.process):
        prometheus.write_scrape(_folder(home) / "scrape", target)
        return running
    tools = tools or Tools.find()
    if tools.docker is not None:
        return _up_in_containers(home, tools.docker, target)
    if tools.prometheus is not None:
        return _up_as_process(home, tools.prometheus, target)
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
        prometheus.stop(running.process)
    else:
        docker = tools.docker if tools else Docker.find()
        if docker is None:
            raise ToolError("Docker does not answer, so its monitoring containers could not be stopped.")
        docker.down(_folder(home) / "scrape", _folder(home) / "compose.log")
        was_running = True
    _record_file(home).unlink(missing_ok=True)
    return was_running


def _up_in_containers(home: Path, docker: Docker, target: ScrapeTarget) -> Monitoring:
    _folder(home).mkdir(exist_ok=True, mode=0o700)
    log = _folder(home) / "compose.log"
    found = Monitoring(kind="containers", pages=compose.PAGES, log=str(log))
    # Written first: an interrupted start leaves containers that `down` has to stop.
    write_private(_record_file(home), found.model_dump_json(indent=2))
    docker.up(target, _folder(home) / "scrape", log)
    return found


def _up_as_process(home: Path, binary: str, target: ScrapeTarget) -> Monitoring:
    port = _USUAL_PORT if is_free(_USUAL_PORT) else free_port()
    started = prometheus.start(binary, target, _folder(home), port)
    found = Monitoring(
        kind="process",
        pages={"Prometheus": started.url},
        log=str(_folder(home) / "prometheus.log"),
        process=started.process,
    )
    try:
        write_private(_record_file(home), found.model_dump_json(indent=2))
    except BaseException:
        prometheus.stop(started.process)
        raise
    return found


def _folder(home: Path) -> Path:
    return home / "monitoring"


def _record_file(home: Path) -> Path:
    return home / "monitoring.json"

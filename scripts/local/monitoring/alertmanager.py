"""Alertmanager as a local process."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from scripts.common.project_files import CHECKOUT
from scripts.environment.local_state import ProcessRecord
from scripts.local import processes
from scripts.local.aws.emulator import HOST
from scripts.local.monitoring.prometheus import wait_until_ready

CONFIGURATION = CHECKOUT / "monitoring" / "alertmanager" / "alertmanager.yml"


@dataclass(frozen=True, slots=True)
class Alertmanager:
    process: ProcessRecord
    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


def find() -> str | None:
    """Return the installed program; Debian adds the name of its project."""
    return shutil.which("alertmanager") or shutil.which("prometheus-alertmanager")


def start(binary: str, folder: Path, port: int) -> Alertmanager:
    """Start Alertmanager on a port of 127.0.0.1 with its data in a folder; return when it answers."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [
        binary,
        f"--config.file={CONFIGURATION}",
        f"--storage.path={folder / 'alertmanager'}",
        "--cluster.listen-address=",  # there is only one
        f"--web.listen-address={HOST}:{port}",
    ]
    log = folder / "alertmanager.log"
    started = Alertmanager(processes.start("alertmanager", command, {}, log), port)
    try:
        wait_until_ready("Alertmanager", started.process, started.url, log)
    except BaseException:
        processes.stop([started.process])
        raise
    return started

"""Prometheus, Alertmanager and Grafana in containers: monitoring/compose.yaml over the local stack."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT
from scripts.local.aws.emulator import last_line
from scripts.local.monitoring.prometheus import ScrapeTarget, write_alertmanager, write_scrape

COMPOSE = CHECKOUT / "monitoring" / "compose.yaml"
ON_LINUX = CHECKOUT / "monitoring" / "compose.linux.yaml"

PAGES = {
    "Grafana": "http://127.0.0.1:3000",
    "Prometheus": "http://127.0.0.1:9090",
    "Alertmanager": "http://127.0.0.1:9093",
}

_TIMEOUT_SECONDS = 15.0
_DESKTOP = "Docker Desktop"


@dataclass(frozen=True, slots=True)
class Docker:
    """A running Docker with the compose plugin."""

    binary: str
    shares_loopback: bool
    """Whether a container on the host network reaches 127.0.0.1 of this machine."""

    @classmethod
    def find(cls, path: str | None = None, *, platform: str = sys.platform) -> Self | None:
        binary = shutil.which("docker", path=path)
        if binary is None or _output_of(binary, "compose", "version") is None:
            return None
        system = _output_of(binary, "info", "--format", "{{.OperatingSystem}}")
        if not system:
            return None  # the daemon does not answer
        return cls(binary, shares_loopback=platform == "linux" and _DESKTOP not in system)

    def up(self, target: ScrapeTarget, scrape: Path, log: Path) -> None:
        write_scrape(scrape, target, host=None if self.shares_loopback else "host.docker.internal")
        write_alertmanager(scrape, "alertmanager:9093")
        self._compose(scrape, log, "up", "--detach", "--wait")

    def down(self, scrape: Path, log: Path) -> None:
        """Stop the containers; their volumes stay."""
        self._compose(scrape, log, "down")

    def _compose(self, scrape: Path, log: Path, *arguments: str) -> None:
        files = [COMPOSE, ON_LINUX] if self.shares_loopback else [COMPOSE]
        command = [self.binary, "compose", *(f"--file={file}" for file in files), *arguments]
        with log.open("w", encoding="utf-8") as output:
            completed = subprocess.run(
                command,
                env={**os.environ, "PULSEQUEUE_SCRAPE": str(scrape)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if completed.returncode:
            reason = last_line(log) or "no output"
            raise ToolError(f"docker compose {arguments[0]} failed: {reason} (log: {log})")


def _output_of(binary: str, *arguments: str) -> str | None:
    try:
        completed = subprocess.run(
            [binary, *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return completed.stdout.strip() if completed.returncode == 0 else None

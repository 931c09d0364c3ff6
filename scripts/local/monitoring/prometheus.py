"""Prometheus as a local process: its scrape target, its configuration, its start."""

import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT
from scripts.environment.local_state import ProcessRecord
from scripts.local import processes
from scripts.local.aws.emulator import HOST, last_line

CONFIGURATION = CHECKOUT / "monitoring" / "prometheus"

_START_SECONDS = 60.0
"""Replaying the write-ahead log of a long run takes a while."""


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    url: str
    token: str
    environment: str = "local"


@dataclass(frozen=True, slots=True)
class Prometheus:
    process: ProcessRecord
    url: str


def start(  # noqa: PLR0913 - one parameter per option
    binary: str,
    target: ScrapeTarget,
    folder: Path,
    port: int,
    *,
    scrape_interval: str = "30s",
    rules: bool = True,
) -> Prometheus:
    """Start Prometheus on a port of 127.0.0.1 with its data in a folder; return when it answers."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_scrape(folder / "scrape", target)
    config = folder / "prometheus.yml"
    config.write_text(_configuration(port, scrape_interval=scrape_interval, rules=rules), encoding="utf-8")
    command = [
        binary,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=30d",
        f"--web.listen-address={HOST}:{port}",
    ]
    log = folder / "prometheus.log"
    process = processes.start("prometheus", command, {}, log)
    running = Prometheus(process, f"http://{HOST}:{port}")
    try:
        wait_until_ready("Prometheus", running.process, running.url, log)
    except BaseException:
        stop(running.process)
        raise
    return running


def page_of(url: str, path: str) -> str | None:
    """Return the path under which this Prometheus shows a page; Debian's has only the classic ones."""
    return next((it for it in (path, f"/classic{path}") if _answers(f"{url}{it}")), None)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 -- http to ourselves
            return True
    except (OSError, urllib.error.URLError):
        return False


def stop(process: ProcessRecord) -> None:
    """Stop Prometheus; it flushes its memory to disk first."""
    processes.stop([process], timeout=15.0)


def is_ready(url: str) -> bool:
    return _answers(f"{url}/-/ready")


def write_scrape(folder: Path, target: ScrapeTarget, *, host: str | None = None) -> None:
    """Write the scrape target, under another host name if given; Prometheus reloads it by itself."""
    folder.mkdir(parents=True, exist_ok=True)
    where = urlsplit(target.url)
    address = where.netloc if host is None else f"{host}:{where.port}"
    labels = {
        "environment": target.environment,
        "__scheme__": where.scheme,
        "__metrics_path__": where.path,
    }
    # The token first: a scrape of the new target needs it.
    _replace(folder / "token", target.token)
    _replace(folder / "pulsequeue.yml", yaml.safe_dump([{"targets": [address], "labels": labels}]))


def write_alertmanager(folder: Path, address: str) -> None:
    """Write the address of Alertmanager."""
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / "alertmanager.yml", yaml.safe_dump([{"targets": [address]}]))


def _replace(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    # Containers read it as another user; the private folder around it keeps other users out.
    draft.chmod(0o644)
    draft.replace(path)


def _configuration(port: int, *, scrape_interval: str, rules: bool) -> str:
    """Adapt monitoring/prometheus/prometheus.yml to this process, with absolute paths."""
    config: dict[str, Any] = yaml.safe_load((CONFIGURATION / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] |= {"scrape_interval": scrape_interval, "evaluation_interval": scrape_interval}
    config["rule_files"] = [str(CONFIGURATION / pattern) for pattern in config["rule_files"]] if rules else []
    for job in config["scrape_configs"]:
        if job["job_name"] == "prometheus":
            job["static_configs"] = [{"targets": [f"{HOST}:{port}"]}]
    return yaml.safe_dump(config, sort_keys=False)


def wait_until_ready(name: str, process: ProcessRecord, url: str, log: Path) -> None:
    """Wait until Prometheus or Alertmanager is ready; raise an error with the reason if it exits."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        answers = is_ready(url)
        # Asked after the page: what answers may be another program that took the port first.
        if processes.find(process) is None:
            reason = last_line(log) or "no output"
            raise ToolError(f"{name} exited at startup: {reason} (log: {log})")
        if answers:
            return
        if time.monotonic() > deadline:
            raise ToolError(f"{name} was not ready after {_START_SECONDS:.0f} s; see {log}.")
        time.sleep(0.05)

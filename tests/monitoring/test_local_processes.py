"""`pulsequeue monitoring` as processes of this machine: Alertmanager, ports, and the printed pages."""

import json
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.cli.monitoring import prometheus_pages
from scripts.common.errors import ToolError
from scripts.environment.local_state import make_home
from scripts.local import processes
from scripts.local.aws.emulator import free_port
from scripts.local.monitoring import launcher, prometheus
from scripts.local.monitoring.launcher import Tools
from tests.monitoring import programs
from tests.monitoring.exposition import TOKEN, serving
from tests.monitoring.stack_state import stack_state
from tests.support.polling import wait_until


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    make_home(tmp_path / "home")
    with serving() as url:
        stack_state(url=url, token=TOKEN).write(tmp_path / "home")
        yield tmp_path / "home"
        launcher.down(home=tmp_path / "home")


@pytest.fixture
def tools() -> Tools:
    manager = programs.program("prometheus-alertmanager", "prometheus-alertmanager")
    return Tools(docker=None, prometheus=programs.prometheus(), alertmanager=manager)


def test_prometheus_sends_its_alerts_to_the_alertmanager_that_was_started(home: Path, tools: Tools) -> None:
    found = launcher.up(home=home, tools=tools, port=free_port())

    assert prometheus.is_ready(found.pages["Alertmanager"])

    def targets() -> list[str]:
        url = f"{found.pages['Prometheus']}/api/v1/alertmanagers"
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - loopback
            return [it["url"] for it in json.load(response)["data"]["activeAlertmanagers"]]

    wait_until(lambda: targets() == [f"{found.pages['Alertmanager']}/api/v2/alerts"], "Alertmanager is found")


def test_down_stops_both_and_up_again_keeps_both(home: Path, tools: Tools) -> None:
    found = launcher.up(home=home, tools=tools, port=free_port())
    assert launcher.up(home=home, tools=tools) == found
    assert found.process is not None
    assert found.alertmanager is not None

    assert launcher.down(home=home)

    assert processes.find(found.process) is None
    assert processes.find(found.alertmanager) is None
    assert launcher.up(home=home, tools=tools).pages["Prometheus"] == found.pages["Prometheus"]


def test_an_alertmanager_goes_with_a_prometheus_that_cannot_start(home: Path, tools: Tools) -> None:
    (home / "monitoring").mkdir()
    (home / "monitoring" / "data").write_text("not a folder", encoding="utf-8")

    with pytest.raises(ToolError, match="Prometheus exited at startup"):
        launcher.up(home=home, tools=tools, port=free_port())

    log = (home / "monitoring" / "alertmanager.log").read_text(encoding="utf-8")
    assert "SIGTERM" in log


def test_a_port_is_chosen_and_kept(home: Path, tools: Tools) -> None:
    port = free_port()

    found = launcher.up(home=home, tools=tools, port=port)

    assert found.pages["Prometheus"] == f"http://127.0.0.1:{port}"
    assert launcher.up(home=home, tools=tools, port=port) == found
    with pytest.raises(ToolError, match=rf"already runs on http://127\.0\.0\.1:{port}; stop it"):
        launcher.up(home=home, tools=tools, port=free_port())


def test_a_taken_port_is_refused_in_one_sentence(home: Path, tools: Tools) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ToolError, match=rf"port {port} .* taken .* PROMETHEUS_PORT"):
            launcher.up(home=home, tools=tools, port=port)


def test_every_printed_page_answers(home: Path, tools: Tools) -> None:
    url = launcher.up(home=home, tools=tools, port=free_port()).pages["Prometheus"]

    pages = [page.split(": ") for page in prometheus_pages(url).split("; ")]

    assert [what for _, what in pages] == ["scrapes", "alerts", "queries"]
    for path, _ in pages:
        with urllib.request.urlopen(f"{url}{path}", timeout=10) as response:  # noqa: S310 - loopback
            assert response.status == 200

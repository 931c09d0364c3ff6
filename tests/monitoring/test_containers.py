"""Docker commands, recorded by a fake `docker` executable."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from scripts.common.errors import ToolError
from scripts.environment.local_state import make_home
from scripts.local.monitoring import launcher
from scripts.local.monitoring.compose import COMPOSE, ON_LINUX, PAGES, Docker
from scripts.local.monitoring.launcher import Monitoring, Tools
from tests.monitoring.rules import PROMETHEUS
from tests.monitoring.stack_state import stack_state

URL = "http://127.0.0.1:4820/_aws/execute-api/abc/$default/metrics"

Install = Callable[..., str]


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Write a fake `docker` into a folder; return the folder for PATH."""

    def make(*, compose: int = 0, info: int = 0, system: str = "Debian GNU/Linux 13", work: int = 0) -> str:
        script = tmp_path / "bin" / "docker"
        script.parent.mkdir(exist_ok=True)
        script.write_text(
            "#!/bin/sh\n"
            f'[ "$1 $2" = "compose version" ] && exit {compose}\n'
            f'[ "$1" = info ] && {{ echo "{system}"; exit {info}; }}\n'
            f'echo "$@" >> {tmp_path}/calls\n'
            f'echo "$PULSEQUEUE_SCRAPE" > {tmp_path}/scrape\n'
            f"echo port is already allocated; exit {work}\n",
            encoding="utf-8",
        )
        script.chmod(0o755)
        return str(script.parent)

    return make


@pytest.fixture
def home(tmp_path: Path) -> Path:
    make_home(tmp_path / "home")
    stack_state(url=URL, token="secret").write(tmp_path / "home")
    return tmp_path / "home"


def tools(path: str, platform: str = "linux") -> Tools:
    return Tools(docker=Docker.find(path, platform=platform), prometheus=None)


def calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "calls").read_text(encoding="utf-8").splitlines()


def scraped(home: Path) -> str:
    (entry,) = yaml.safe_load((home / "monitoring/scrape/pulsequeue.yml").read_text(encoding="utf-8"))
    (target,) = entry["targets"]
    return str(target)


@pytest.mark.parametrize("lacking", [{"compose": 1}, {"info": 1}, {"system": ""}])
def test_a_docker_without_compose_or_with_nobody_behind_it_is_none(
    install: Install, lacking: dict[str, int | str]
) -> None:
    assert Docker.find(install(**lacking)) is None


def test_no_docker_is_none(tmp_path: Path) -> None:
    assert Docker.find(str(tmp_path)) is None


def test_on_linux_the_containers_share_the_loopback_of_the_stack(
    install: Install, home: Path, tmp_path: Path
) -> None:
    found = launcher.up(home=home, tools=tools(install()))

    assert found.pages == PAGES
    assert calls(tmp_path) == [f"compose --file={COMPOSE} --file={ON_LINUX} up --detach --wait"]
    assert scraped(home) == "127.0.0.1:4820"


@pytest.mark.parametrize(
    ("system", "platform"), [("Docker Desktop", "linux"), ("Docker Desktop", "darwin"), ("Linux", "darwin")]
)
def test_elsewhere_they_reach_the_stack_through_the_host_s_name(
    install: Install, home: Path, tmp_path: Path, system: str, platform: str
) -> None:
    launcher.up(home=home, tools=tools(install(system=system), platform))

    assert calls(tmp_path) == [f"compose --file={COMPOSE} up --detach --wait"]
    assert scraped(home) == "host.docker.internal:4820"


def test_the_containers_find_target_and_token_and_may_read_them(
    install: Install, home: Path, tmp_path: Path
) -> None:
    launcher.up(home=home, tools=tools(install()))

    scrape = Path((tmp_path / "scrape").read_text(encoding="utf-8").strip())
    assert (scrape / "token").read_text(encoding="utf-8") == "secret"
    assert {path.stat().st_mode & 0o777 for path in scrape.iterdir()} == {0o644}


def test_prometheus_finds_alertmanager_by_the_name_of_its_container(install: Install, home: Path) -> None:
    launcher.up(home=home, tools=tools(install()))

    targets = (home / "monitoring/scrape/alertmanager.yml").read_text(encoding="utf-8")
    assert yaml.safe_load(targets) == [{"targets": ["alertmanager:9093"]}]
    by_hand = (PROMETHEUS / "scrape" / "alertmanager.yml").read_text(encoding="utf-8")
    assert yaml.safe_load(by_hand) == yaml.safe_load(targets)


def test_down_takes_the_containers_down_once(install: Install, home: Path, tmp_path: Path) -> None:
    there = tools(install())
    launcher.up(home=home, tools=there)

    assert launcher.down(home=home, tools=there)
    assert not launcher.down(home=home, tools=there)

    assert [line.split()[-1] for line in calls(tmp_path)] == ["--wait", "down"]


def test_a_start_that_fails_says_so_and_can_still_be_taken_down(install: Install, home: Path) -> None:
    with pytest.raises(
        ToolError, match=r"docker compose up failed: port is already allocated .*compose\.log"
    ):
        launcher.up(home=home, tools=tools(install(work=1)))

    assert launcher.down(home=home, tools=tools(install()))


def test_containers_that_cannot_be_asked_any_more_are_not_forgotten(install: Install, home: Path) -> None:
    launcher.up(home=home, tools=tools(install()))

    with pytest.raises(ToolError, match="could not be stopped"):
        launcher.down(home=home, tools=Tools(docker=None, prometheus=None))

    assert Monitoring.read(home) is not None

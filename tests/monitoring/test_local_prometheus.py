"""A real Prometheus that scrapes with a token, and `make monitoring`."""

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.common.errors import ToolError
from scripts.environment.local_state import make_home
from scripts.local import processes, stack
from scripts.local.aws.emulator import free_port
from scripts.local.monitoring import launcher, prometheus
from scripts.local.monitoring.launcher import Monitoring, Tools
from scripts.local.monitoring.prometheus import Prometheus, ScrapeTarget
from tests.monitoring import programs
from tests.monitoring.exposition import PATH, TOKEN, serving
from tests.monitoring.rules import rules
from tests.monitoring.stack_state import stack_state

Watch = Callable[..., Prometheus]


def ask(url: str, path: str, **parameters: str) -> Any:  # noqa: ANN401 - whatever Prometheus answers
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"{url}/api/v1/{path}?{query}", timeout=10) as answer:  # noqa: S310 - loopback
        return json.load(answer)["data"]


def values(url: str, expression: str) -> dict[str, float]:
    found = ask(url, "query", query=expression)["result"]
    return {one["metric"].get("environment", ""): float(one["value"][1]) for one in found}


def until(met: Callable[[], bool], deadline: float = 30.0) -> None:
    end = time.monotonic() + deadline
    while not met():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.1)


@pytest.fixture
def page() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    started: list[Prometheus] = []

    def start(target: ScrapeTarget, *, with_rules: bool = False) -> Prometheus:
        folder = tmp_path / "monitoring"
        binary = programs.prometheus()
        started.append(
            prometheus.start(binary, target, folder, free_port(), scrape_interval="1s", rules=with_rules)
        )
        return started[-1]

    yield start
    for running in started:
        prometheus.stop(running.process)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A state folder whose Prometheus, if a test starts one, is stopped afterwards."""
    make_home(tmp_path / "home")
    yield tmp_path / "home"
    launcher.down(home=tmp_path / "home")


def here() -> Tools:
    return Tools(docker=None, prometheus=programs.prometheus())


def test_the_target_is_up_under_our_job_and_its_environment(watch: Watch, page: str) -> None:
    running = watch(ScrapeTarget(page, TOKEN, "local"))

    until(lambda: values(running.url, 'up{job="pulsequeue"}') == {"local": 1.0})

    assert values(running.url, 'orders_total{job="pulsequeue",outcome="reserved"}') == {"local": 7.0}
    (target,) = ask(running.url, "targets", scrapePool="pulsequeue")["activeTargets"]
    assert target["labels"] == {
        "environment": "local",
        "instance": page.removeprefix("http://").removesuffix(PATH),
        "job": "pulsequeue",
    }


def test_the_environment_is_ours_to_say_and_not_the_target_s(watch: Watch, page: str) -> None:
    running = watch(ScrapeTarget(page, TOKEN, "local"))

    until(lambda: values(running.url, "pulsequeue_info") == {"local": 1.0})


def test_a_wrong_token_is_refused_and_the_right_one_taken_without_a_restart(
    watch: Watch, page: str, tmp_path: Path
) -> None:
    running = watch(ScrapeTarget(page, "wrong"))
    until(lambda: values(running.url, 'up{job="pulsequeue"}') == {"local": 0.0})

    prometheus.write_scrape(tmp_path / "monitoring" / "scrape", ScrapeTarget(page, TOKEN))

    until(lambda: values(running.url, 'up{job="pulsequeue"}') == {"local": 1.0})


def test_prometheus_loads_all_rules_and_watches_itself(watch: Watch, page: str) -> None:
    running = watch(ScrapeTarget(page, TOKEN), with_rules=True)

    loaded = [rule["name"] for group in ask(running.url, "rules")["groups"] for rule in group["rules"]]

    assert sorted(loaded) == sorted(rule.name for rule in rules())
    until(lambda: list(values(running.url, 'up{job="prometheus"}').values()) == [1.0])


def test_a_prometheus_that_cannot_start_says_why_in_a_sentence(tmp_path: Path, page: str) -> None:
    (tmp_path / "data").write_text("not a folder", encoding="utf-8")

    with pytest.raises(ToolError, match=r"Prometheus exited at startup: .*prometheus\.log"):
        prometheus.start(programs.prometheus(), ScrapeTarget(page, TOKEN), tmp_path, free_port())


def test_up_twice_keeps_one_prometheus_and_down_ends_it(home: Path, page: str) -> None:
    stack_state(url=page, token=TOKEN).write(home)

    first = launcher.up(home=home, tools=here())
    second = launcher.up(home=home, tools=here())

    assert first == second
    assert first.process is not None
    assert prometheus.is_ready(first.pages["Prometheus"])
    assert launcher.down(home=home)
    assert processes.find(first.process) is None
    assert not launcher.down(home=home)


def test_up_again_points_a_running_prometheus_at_the_stack_as_it_is_now(home: Path, page: str) -> None:
    stack_state(url="http://127.0.0.1:9/metrics", token="old").write(home)
    found = launcher.up(home=home, tools=here())
    url = found.pages["Prometheus"]

    stack_state(url=page, token=TOKEN).write(home)
    assert launcher.up(home=home, tools=here()) == found

    where = page.removeprefix("http://").removesuffix(PATH)
    until(
        lambda: (
            [it["labels"]["instance"] for it in ask(url, "targets", scrapePool="pulsequeue")["activeTargets"]]
            == [where]
        )
    )


def test_down_of_the_stack_stops_what_watches_it(home: Path, page: str) -> None:
    stack_state(url=page, token=TOKEN).write(home)
    found = launcher.up(home=home, tools=here())
    assert found.process is not None

    stack.down(home=home)

    assert processes.find(found.process) is None
    assert Monitoring.read(home) is None


def test_nobody_else_can_read_the_token(home: Path, page: str) -> None:
    stack_state(url=page, token=TOKEN).write(home)

    launcher.up(home=home, tools=here())

    assert (home / "monitoring").stat().st_mode & 0o077 == 0


def test_without_a_stack_there_is_nothing_to_watch(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="the local stack is not running; start it with `make up`"):
        launcher.up(home=tmp_path, tools=Tools(docker=None, prometheus=None))


def test_a_stack_that_serves_no_metrics_is_said_to_be_incomplete(home: Path) -> None:
    stack_state().write(home)

    with pytest.raises(ToolError, match="serves no metrics yet; complete it with `make up`"):
        launcher.up(home=home, tools=Tools(docker=None, prometheus=None))


def test_without_docker_and_prometheus_it_says_what_to_install(home: Path, page: str) -> None:
    stack_state(url=page, token=TOKEN).write(home)

    with pytest.raises(ToolError, match="neither a running Docker with compose nor `prometheus` on the PATH"):
        launcher.up(home=home, tools=Tools(docker=None, prometheus=None))

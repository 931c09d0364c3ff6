"""The containers: pinned, bound to loopback, with mounts that exist."""

import re
from typing import Any

import pytest
import yaml

from scripts.local.monitoring import compose
from tests.monitoring.rules import MONITORING, load

SERVICES = ("prometheus", "alertmanager", "grafana")


class _Compose(yaml.SafeLoader):
    """YAML as compose reads it, with its !reset tag."""


_Compose.add_constructor("!reset", lambda _loader, _node: [])


def compose_file() -> dict[str, Any]:
    read: dict[str, Any] = load(compose.COMPOSE)
    return read


def on_linux() -> dict[str, Any]:
    read: dict[str, Any] = yaml.load(compose.ON_LINUX.read_text(encoding="utf-8"), _Compose)  # noqa: S506 - a SafeLoader
    return read


def test_there_are_prometheus_alertmanager_and_grafana() -> None:
    assert set(compose_file()["services"]) == set(SERVICES)
    assert set(on_linux()["services"]) == set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_is_pinned_to_one_release(service: str) -> None:
    assert re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+", compose_file()["services"][service]["image"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_says_whether_it_is_well(service: str) -> None:
    check = compose_file()["services"][service]["healthcheck"]

    assert check["test"][0] == "CMD"
    assert check["retries"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_listens_on_loopback_only(service: str) -> None:
    (published,) = compose_file()["services"][service]["ports"]
    there = on_linux()["services"][service]
    listens = [
        *(argument for argument in there.get("command", ()) if "web.listen-address" in argument),
        *there.get("environment", {}).values(),
    ]

    assert published.startswith("127.0.0.1:")
    assert f"http://{published.rpartition(':')[0]}" in compose.PAGES.values()
    assert there["network_mode"] == "host"
    assert there["ports"] == []
    assert [re.sub(r".*=", "", listen).partition(":")[0] for listen in listens] == ["127.0.0.1"]


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_service_is_given_is_there(service: str) -> None:
    sources = [
        re.sub(r"\$\{\w+:-(.*?)\}", r"\1", volume).partition(":")[0]
        for volume in compose_file()["services"][service]["volumes"]
    ]

    assert [it for it in sources if it.startswith(".") and not (MONITORING / it).exists()] == []
    assert {it for it in sources if not it.startswith(".")} <= set(compose_file()["volumes"])


def test_dashboards_and_their_provisioning_are_where_grafana_looks() -> None:
    volumes = compose_file()["services"]["grafana"]["volumes"]

    assert "./grafana/provisioning:/etc/grafana/provisioning:ro" in volumes
    assert "./grafana:/var/lib/grafana/dashboards:ro" in volumes


def test_on_linux_containers_still_know_each_other_by_name() -> None:
    assert on_linux()["services"]["prometheus"]["extra_hosts"] == ["alertmanager:127.0.0.1"]
    assert on_linux()["services"]["grafana"]["extra_hosts"] == ["prometheus:127.0.0.1"]


def test_on_linux_the_arguments_only_gain_an_address() -> None:
    for service in ("prometheus", "alertmanager"):
        usual, there = (one["services"][service]["command"] for one in (compose_file(), on_linux()))

        assert there[: len(usual)] == usual
        assert [argument for argument in there[len(usual) :] if "listen-address" not in argument] == []

"""`pulsequeue grafana setup` against a fake Grafana over HTTP."""

import io
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.cli.main import main
from scripts.cli.session import Session
from scripts.grafana.identifiers import DATASOURCE_UID, FOLDER_UID
from scripts.grafana.install import contains
from tests.monitoring.grafana_server import FakeGrafana, running
from tests.monitoring.panels import committed

PROMETHEUS = "http://prometheus:9090"
BOARDS = len(committed())


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def outcomes(self) -> list[str]:
        return [one["outcome"] for one in self.json["installed"]]

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was printed
        return json.loads(self.out)


class Setup:
    def __init__(self, grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]) -> None:
        self._grafana = grafana
        self._capsys = capsys

    def __call__(
        self,
        *options: str,
        url: str | None = None,
        user: str = "admin",
        password: str = "s3cret",
        prometheus: str = PROMETHEUS,
        stdin: str = "",
    ) -> Ran:
        arguments = ["grafana", "setup", url or self._grafana.url, user, password, prometheus, *options]
        code = main(arguments, Session(stdin=io.StringIO(stdin)))
        output = self._capsys.readouterr()
        return Ran(code, output.out, output.err)


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    with running(FakeGrafana()) as started:
        yield started


@pytest.fixture
def setup(grafana: FakeGrafana, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Setup:
    for name in ("GRAFANA_PASSWORD", "PROMETHEUS_PASSWORD", "PROMETHEUS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return Setup(grafana, capsys)


# --- What it does ------------------------------------------------------------------------------------------


def test_an_empty_grafana_gets_everything(setup: Setup, grafana: FakeGrafana) -> None:
    ran = setup("--json")

    assert ran.code == 0
    assert ran.outcomes == ["created"] * (2 + BOARDS)
    assert grafana.data_sources[DATASOURCE_UID]["url"] == PROMETHEUS
    assert grafana.data_sources[DATASOURCE_UID]["jsonData"]["timeInterval"] == "1m"
    assert {one["meta"]["folderUid"] for one in grafana.dashboards.values()} == {FOLDER_UID}
    assert grafana.dashboards.keys() == {board["uid"] for board in committed().values()}


def test_a_second_time_changes_nothing_and_says_so(setup: Setup, grafana: FakeGrafana) -> None:
    setup()
    grafana.writes.clear()

    as_json, as_table = setup("--json"), setup()

    assert as_json.outcomes == ["unchanged"] * (2 + BOARDS)
    assert as_table.out.endswith("nothing changed.\n")
    assert grafana.writes == []


def test_what_somebody_changed_is_set_right_and_nothing_else(setup: Setup, grafana: FakeGrafana) -> None:
    setup()
    grafana.dashboards["pulsequeue-cost"]["dashboard"]["panels"][1]["title"] = "Mine"
    grafana.writes.clear()

    ran = setup("--json")

    assert [one["uid"] for one in ran.json["installed"] if one["outcome"] == "updated"] == ["pulsequeue-cost"]
    assert grafana.writes == ["POST /api/dashboards/db"]


def test_a_dashboard_that_was_moved_comes_back_to_its_folder(setup: Setup, grafana: FakeGrafana) -> None:
    setup()
    grafana.dashboards["pulsequeue-cost"]["meta"]["folderUid"] = "elsewhere"

    ran = setup("--json")

    assert ran.outcomes.count("updated") == 1
    assert grafana.dashboards["pulsequeue-cost"]["meta"]["folderUid"] == FOLDER_UID


def test_another_prometheus_and_a_renamed_folder_are_updated(setup: Setup, grafana: FakeGrafana) -> None:
    setup()
    grafana.folders[FOLDER_UID]["title"] = "Old"

    ran = setup("--json", prometheus="https://prometheus.example/base/")

    assert ran.outcomes[:2] == ["updated", "updated"]
    assert grafana.data_sources[DATASOURCE_UID]["url"] == "https://prometheus.example/base"
    assert grafana.folders[FOLDER_UID]["title"] == "PulseQueue"


def test_what_others_chose_for_the_data_source_stays(setup: Setup, grafana: FakeGrafana) -> None:
    setup()
    grafana.data_sources[DATASOURCE_UID]["isDefault"] = True
    grafana.data_sources[DATASOURCE_UID]["jsonData"]["manageAlerts"] = False

    setup(prometheus="http://other:9090")

    assert grafana.data_sources[DATASOURCE_UID]["isDefault"] is True
    assert grafana.data_sources[DATASOURCE_UID]["jsonData"]["manageAlerts"] is False


def test_the_table_names_what_was_done_and_where_it_is(setup: Setup, grafana: FakeGrafana) -> None:
    ran = setup()

    (line,) = [line for line in ran.out.splitlines() if "Overview" in line]
    assert line.split()[0] == "dashboard"
    assert "created" in line
    assert line.endswith(f"{grafana.url}/d/pulsequeue-overview")


def test_a_slash_at_the_end_of_the_address_does_no_harm(setup: Setup, grafana: FakeGrafana) -> None:
    assert setup(url=f"{grafana.url}/").code == 0


def test_a_version_that_grafana_keeps_to_itself_is_no_hindrance(setup: Setup, grafana: FakeGrafana) -> None:
    grafana.version = None

    assert setup().code == 0


@pytest.mark.parametrize(
    ("found", "expected", "same"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1.0}, {"a": 1}, True),
        ({}, {"a": None}, True),
        ({"a": True}, {"a": 1}, False),
        ({"a": [1, 2]}, {"a": [1]}, False),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, False),
        (None, {"a": 1}, False),
    ],
)
def test_defaults_that_grafana_adds_are_no_difference(found: object, expected: object, same: bool) -> None:
    assert contains(found, expected) is same


# --- Passwords ---------------------------------------------------------------------------------------------


def test_the_password_may_come_from_the_environment(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFANA_PASSWORD", "s3cret")

    assert setup(password="-").code == 0


def test_the_password_may_come_from_standard_input(setup: Setup) -> None:
    assert setup(password="-", stdin="s3cret\n").code == 0


def test_a_password_in_any_script_gets_through(setup: Setup, grafana: FakeGrafana) -> None:
    grafana.users["admin"] = "pässwörd:€"

    assert setup(password="pässwörd:€").code == 0


def test_no_password_is_refused_before_anything_is_asked(setup: Setup) -> None:
    assert setup(password="-", stdin="").code == 2


def test_prometheus_may_ask_for_a_user(
    setup: Setup, grafana: FakeGrafana, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_PASSWORD", "hush")

    ran = setup("--prometheus-user", "grafana")

    assert grafana.data_sources[DATASOURCE_UID]["basicAuthUser"] == "grafana"
    assert grafana.secrets[DATASOURCE_UID] == {"basicAuthPassword": "hush"}
    assert "hush" not in ran.out + ran.err


def test_prometheus_may_ask_for_a_token_and_it_is_written_each_time(
    setup: Setup, grafana: FakeGrafana, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_TOKEN", "hush")
    setup("--prometheus-token")
    monkeypatch.setenv("PROMETHEUS_TOKEN", "hush hush")

    ran = setup("--prometheus-token", "--json")

    assert ran.outcomes[0] == "updated"
    assert grafana.data_sources[DATASOURCE_UID]["jsonData"]["httpHeaderName1"] == "Authorization"
    assert grafana.secrets[DATASOURCE_UID] == {"httpHeaderValue1": "Bearer hush hush"}


@pytest.mark.parametrize(
    "options", [("--prometheus-token",), ("--prometheus-user", "grafana")], ids=["token", "user"]
)
def test_a_secret_that_is_nowhere_is_asked_for(setup: Setup, options: tuple[str, ...]) -> None:
    ran = setup(*options)

    assert ran.code == 2
    assert "is not set" in ran.err


# --- What can go wrong -------------------------------------------------------------------------------------


def _sentence(ran: Ran, code: int) -> str:
    """Assert that a failure is one sentence with its exit code and no password."""
    assert ran.code == code
    assert ran.err.startswith("pulsequeue: ")
    assert ran.err.count("\n") == 1
    assert "s3cret" not in ran.out + ran.err
    return ran.err


def test_an_address_where_nothing_answers(setup: Setup) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        ran = setup(url=url)

    assert f"cannot be reached at {url}" in _sentence(ran, 3)


def test_a_wrong_password(setup: Setup, grafana: FakeGrafana) -> None:
    output = _sentence(setup(password="guessed"), 4)

    assert "does not accept this password for admin" in output
    assert "guessed" not in output
    assert grafana.writes == []


def test_a_user_who_may_only_look(setup: Setup) -> None:
    output = _sentence(setup(user="viewer", password="looking"), 4)

    assert "does not let viewer do this" in output
    assert "Admin" in output


def test_something_that_is_not_grafana(setup: Setup, grafana: FakeGrafana) -> None:
    grafana.html = True

    assert "not as Grafana does" in _sentence(setup(), 5)


def test_an_address_that_leads_elsewhere_gets_no_password(setup: Setup, grafana: FakeGrafana) -> None:
    grafana.redirect_to = "http://127.0.0.1:1/login"

    assert "redirects elsewhere" in _sentence(setup(), 5)


@pytest.mark.parametrize("version", ["9.5.21", "10.4.1", "10.4.1-security-01"])
def test_a_grafana_that_is_too_old(setup: Setup, grafana: FakeGrafana, version: str) -> None:
    grafana.version = version

    assert f"is version {version}; 11.0 or newer is needed" in _sentence(setup(), 5)


def test_a_grafana_whose_database_is_down(setup: Setup, grafana: FakeGrafana) -> None:
    grafana.database = "failing"

    assert "is unhealthy" in _sentence(setup(), 1)


def test_a_prometheus_that_does_not_answer_is_told_after_everything_is_in_place(
    setup: Setup, grafana: FakeGrafana
) -> None:
    grafana.prometheus_answers = False

    ran = setup("--json")

    assert "cannot query Prometheus" in _sentence(ran, 6)
    assert "connection refused" in ran.json["prometheus"]["complaint"]
    assert len(grafana.dashboards) == BOARDS


def test_a_data_source_of_the_same_name_is_left_alone(setup: Setup, grafana: FakeGrafana) -> None:
    grafana.data_sources["theirs"] = {"uid": "theirs", "name": "PulseQueue Prometheus", "version": 1}

    assert "same name already exists" in _sentence(setup(), 1)


def test_a_data_source_that_a_file_provides_is_not_fought_over(setup: Setup, grafana: FakeGrafana) -> None:
    setup()
    grafana.data_sources[DATASOURCE_UID] |= {"readOnly": True, "url": "http://elsewhere:9090"}

    assert "read-only" in _sentence(setup(), 4)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:9090",
        "ftp://prometheus",
        "http://",
        "http://host:port",
        "prometheus",
        "http://[",
        "http://p/?q=1",
    ],
)
def test_an_address_of_prometheus_that_is_none(setup: Setup, grafana: FakeGrafana, url: str) -> None:
    assert "the address of Prometheus" in _sentence(setup(prometheus=url), 2)
    assert grafana.writes == []


def test_a_password_in_an_address_is_refused_and_not_repeated(setup: Setup) -> None:
    assert "no user or password" in _sentence(setup(url="http://admin:s3cret@127.0.0.1:3000"), 2)
    assert "no user or password" in _sentence(setup(prometheus="http://me:s3cret@prometheus:9090"), 2)


# --- build -------------------------------------------------------------------------------------------------


def test_building_twice_writes_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["grafana", "build", "--output", str(tmp_path)])
    main(["grafana", "build", "--output", str(tmp_path)])

    output = capsys.readouterr().out.splitlines()
    assert len(output) == BOARDS + 1
    assert output[-1] == f"{tmp_path} is up to date."

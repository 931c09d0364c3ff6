"""The dashboards: generated, linted, accepted by Prometheus."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.grafana import identifiers, slo_queries
from scripts.grafana.build import dashboards, render, write_all
from services.shared.histogram_buckets import BUCKETS
from tests.monitoring import dashboard_lint as rules
from tests.monitoring import programs
from tests.monitoring.dashboard_lint import RULES, lint
from tests.monitoring.panels import FOLDER, Document, committed, expressions, panels, substituted
from tests.monitoring.promql import metric_names
from tests.monitoring.rules import DECLARED_SERIES

ROOT = Path(__file__).parents[2]
PROVISIONING = FOLDER / "provisioning"
BOARDS = committed()


# --- The files ---------------------------------------------------------------------------------------------


def test_the_committed_dashboards_are_what_the_sources_make() -> None:
    generated = {name: render(dashboard) for name, dashboard in dashboards().items()}

    committed_files = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}

    assert committed_files == generated, "run `make dashboards`"


def test_writing_brings_a_folder_up_to_date_and_then_leaves_it_alone(tmp_path: Path) -> None:
    outdated, forgotten = tmp_path / "pulsequeue-cost.json", tmp_path / "pulsequeue-gone.json"
    outdated.write_text("{}")
    forgotten.write_text("{}")

    first, second = write_all(tmp_path), write_all(tmp_path)

    assert {outdated, forgotten} < set(first)
    assert not forgotten.exists()
    assert second == []


def test_there_is_a_dashboard_for_each_concern() -> None:
    assert {board["title"] for board in BOARDS.values()} == {
        "PulseQueue / Overview",
        "PulseQueue / Order processing",
        "PulseQueue / Payment processing",
        "PulseQueue / Inventory",
        "PulseQueue / Queues and DLQs",
        "PulseQueue / Lambda performance",
        "PulseQueue / Pipeline cost",
    }


def test_every_runbook_that_a_panel_names_exists() -> None:
    urls = {
        link["url"] for board in BOARDS.values() for panel in panels(board) for link in panel.get("links", ())
    }

    pages = {url.rpartition("/")[2] for url in urls}

    assert pages
    assert pages <= {path.name for path in (ROOT / "docs" / "runbooks").glob("*.md")}


def test_the_speed_objective_is_a_bound_of_the_histogram() -> None:
    assert slo_queries.SPEED_SECONDS in BUCKETS


@pytest.mark.parametrize("name", BOARDS)
def test_every_metric_of_a_dashboard_is_declared(name: str) -> None:
    queries = [one.expr for one in expressions(BOARDS[name])]
    variables = [
        re.fullmatch(r"label_values\((.+), \w+\)", variable["definition"])
        for variable in BOARDS[name]["templating"]["list"]
        if variable["type"] == "query"
    ]

    assert None not in variables
    queries += [variable[1] for variable in variables if variable]
    assert {metric for query in queries for metric in metric_names(substituted(query))} <= DECLARED_SERIES | {
        "up"
    }


# --- The rules ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_keeps_every_rule(name: str) -> None:
    assert lint(BOARDS[name]) == []


def _first_panel(board: dict[str, Any]) -> dict[str, Any]:
    return next(panel for panel in board["panels"] if panel["type"] != "row")


def _expr(expr: str) -> Callable[[dict[str, Any]], None]:
    def change(board: dict[str, Any]) -> None:
        _first_panel(board)["targets"][0]["expr"] = expr

    return change


def _panel(**values: object) -> Callable[[dict[str, Any]], None]:
    return lambda board: _first_panel(board).update(values)


def _board(**values: object) -> Callable[[dict[str, Any]], None]:
    return lambda board: board.update(values)


def _target(**values: object) -> Callable[[dict[str, Any]], None]:
    return lambda board: _first_panel(board)["targets"][0].update(values)


def _variable(name: str, /, **values: object) -> Callable[[dict[str, Any]], None]:
    def change(board: dict[str, Any]) -> None:
        next(one for one in board["templating"]["list"] if one["name"] == name).update(values)

    return change


def _hidden_link(board: dict[str, Any]) -> None:
    board["links"][0]["placement"] = "inControlsMenu"


_IN = '{job=~"$job", environment=~"$environment"}'
_FIXED = {"type": "prometheus", "uid": "somebody-elses"}
BROKEN: list[tuple[rules.Rule, Callable[[dict[str, Any]], None]]] = [
    (rules.is_not_edited_in_grafana, _board(editable=True)),
    (rules.has_a_stable_uid, _board(uid=None)),
    (rules.has_a_stable_uid, _board(id=7)),
    (rules.refreshes_itself, _board(refresh="1h")),
    (rules.has_a_data_source_variable, _variable("datasource", query="loki")),
    (rules.has_a_data_source_variable, _variable("datasource", name="source")),
    (rules.has_a_job_variable, _variable("job", multi=False)),
    (rules.has_a_job_variable, _variable("job", allValue=None)),
    (rules.has_an_environment_variable, _variable("environment", multi=True)),
    (rules.has_an_environment_variable, _variable("environment", name="env")),
    (rules.refreshes_its_variables, _variable("job", refresh=1)),
    (rules.refreshes_its_variables, _variable("environment", datasource=_FIXED)),
    (rules.links_to_dashboards_and_runbooks, _board(links=[])),
    (rules.links_to_dashboards_and_runbooks, _board(tags=[])),
    (rules.links_to_dashboards_and_runbooks, _hidden_link),
    (rules.panels_have_titles_and_descriptions, _panel(title="")),
    (rules.panels_have_titles_and_descriptions, _panel(description="")),
    (rules.panels_have_a_unit, _panel(fieldConfig={"defaults": {}})),
    (rules.panels_are_numbered, _panel(id=None)),
    (rules.panels_are_numbered, _panel(id=3)),
    (rules.panels_do_not_overlap, _panel(gridPos={"x": 0, "y": 1, "w": 24, "h": 9})),
    (rules.panels_do_not_overlap, _panel(gridPos={"x": 20, "y": 900, "w": 5, "h": 1})),
    (rules.panels_use_the_chosen_data_source, _panel(datasource=_FIXED)),
    (rules.panels_use_the_chosen_data_source, _target(datasource=_FIXED)),
    (rules.panels_step_by_the_minute, _panel(interval="10s")),
    (rules.panels_step_by_the_minute, _target(interval=None)),
    (rules.panels_have_queries, _panel(targets=[])),
    (rules.panels_have_queries, _expr(" ")),
    (rules.targets_have_unique_ref_ids, _target(refId=None)),
    (rules.selectors_match_job_and_environment, _expr("max (aws_sqs_messages_visible)")),
    (rules.selectors_match_job_and_environment, _expr('max (up{job=~"$job"})')),
    (
        rules.selectors_match_job_and_environment,
        _expr('max (up{job="pulsequeue", environment=~"$environment"})'),
    ),
    (rules.ranges_follow_the_scrape_interval, _expr(f"sum (rate(orders_total{_IN}[5m]))")),
    (rules.ranges_follow_the_scrape_interval, _expr(f"sum (irate(orders_total{_IN}[$__rate_interval]))")),
    (rules.ranges_follow_the_scrape_interval, _expr(f"sum (rate(orders_total{_IN}[$__range]))")),
    (rules.counters_are_summed_rates, _expr(f"sum (orders_total{_IN})")),
    (rules.counters_are_summed_rates, _expr(f"rate(orders_total{_IN}[$__rate_interval])")),
    (rules.counters_are_summed_rates, _expr(f"max (rate(orders_total{_IN}[$__rate_interval]))")),
    (rules.gauges_have_no_rates, _expr(f"sum (rate(up{_IN}[$__rate_interval]))")),
    (
        rules.quantiles_keep_their_buckets,
        _expr(f"histogram_quantile(0.9, sum (rate(x_bucket{_IN}[$__rate_interval])))"),
    ),
]


@pytest.mark.parametrize(("rule", "change"), BROKEN, ids=lambda case: getattr(case, "__name__", ""))
def test_a_rule_finds_what_breaks_it(rule: rules.Rule, change: Callable[[dict[str, Any]], None]) -> None:
    board = copy.deepcopy(dict(BOARDS["pulsequeue-overview.json"]))

    change(board)

    assert list(rule(board))


def test_every_rule_was_seen_to_fail() -> None:
    assert {rule for rule, _ in BROKEN} == set(RULES)


# --- What they ask -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOARDS)
def test_no_variable_is_left_when_all_have_values(name: str) -> None:
    assert not [one for one in expressions(BOARDS[name]) if "$" in substituted(one.expr)]


def test_values_take_the_place_of_variables_in_either_spelling() -> None:
    expr = 'up{environment="$environment", queue="${queue}"}[$__range] $__range_s $__interval'

    assert substituted(expr, environment="dev", queue="q", range_seconds=60, interval="2m") == (
        'up{environment="dev", queue="q"}[60s] 60 2m'
    )


def test_a_variable_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError):
        substituted("up{instance='$instance'}")


def test_prometheus_understands_every_expression(tmp_path: Path) -> None:
    promtool = programs.promtool()
    recorded = [
        {
            "record": f"panel:{re.sub('[^a-z]', '_', name)}:{index}",
            "expr": substituted(one.expr),
            "labels": {"panel": one.panel},
        }
        for name, board in BOARDS.items()
        for index, one in enumerate(expressions(board))
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))

    ran = programs.run(promtool, "check", "rules", str(file))

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{len(recorded)} rules found" in ran.stdout


# --- Provisioning ------------------------------------------------------------------------------------------


def _yaml(path: str) -> Any:  # noqa: ANN401 - whatever the file holds
    return yaml.safe_load((PROVISIONING / path).read_text(encoding="utf-8"))


def test_the_provisioned_data_source_is_the_one_that_setup_makes() -> None:
    (source,) = _yaml("datasources/prometheus.yml")["datasources"]

    assert (source["uid"], source["name"]) == (identifiers.DATASOURCE_UID, identifiers.DATASOURCE_NAME)
    assert source["url"] == "http://prometheus:9090"
    assert source["jsonData"] == identifiers.DATASOURCE_SETTINGS


def test_the_provisioned_folder_is_the_one_that_setup_makes() -> None:
    (provider,) = _yaml("dashboards/pulsequeue.yml")["providers"]

    assert (provider["folderUid"], provider["folder"]) == (identifiers.FOLDER_UID, identifiers.FOLDER_TITLE)
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"


def _documents() -> list[Document]:
    return [json.loads(render(board)) for board in dashboards().values()]


def test_no_two_dashboards_share_a_uid() -> None:
    uids = [board["uid"] for board in _documents()]

    assert len(set(uids)) == len(uids)

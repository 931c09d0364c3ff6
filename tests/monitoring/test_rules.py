"""Rules that load, alerts that fire and stay quiet as their cases say, and a runbook for each."""

import re
from pathlib import Path

import pytest

from scripts.grafana.runbooks import link_rules, runbooks_url
from tests.monitoring import programs
from tests.monitoring.promql import metric_names
from tests.monitoring.rules import (
    DECLARED_SERIES,
    PROMETHEUS,
    RUNBOOKS,
    Case,
    Rule,
    alerts,
    case_files,
    cases,
    rules,
    sources,
)
from tests.support.metrics_fakes import exposed_names

BY_PROMETHEUS = {"up"}
RECORDED = {rule.name for rule in rules() if not rule.alert}

an_alert = pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.id)
a_rule = pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)


def of(alert: Rule) -> list[Case]:
    return [case for case in cases() if case.alert == alert.name]


def test_the_rules_are_valid() -> None:
    files = sorted(str(path) for path in PROMETHEUS.glob("rules/*.yml"))

    checked = programs.run(programs.promtool(), "check", "rules", *files)

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("cases_of", case_files(), ids=lambda path: path.stem)
def test_alerts_fire_and_stay_quiet_as_the_cases_say(cases_of: Path) -> None:
    tested = programs.run(programs.promtool(), "test", "rules", str(cases_of))

    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_the_configuration_is_valid_once_the_scrape_folder_is_filled(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "rules"):
        (tmp_path / name).symlink_to(PROMETHEUS / name)
    scrape = tmp_path / "scrape"
    scrape.mkdir()
    (scrape / "token").write_text("secret", encoding="utf-8")
    example = (PROMETHEUS / "scrape" / "pulsequeue.example.yml").read_text(encoding="utf-8")
    (scrape / "pulsequeue.yml").write_text(example, encoding="utf-8")

    checked = programs.run(programs.promtool(), "check", "config", str(tmp_path / "prometheus.yml"))

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "rule files found" in checked.stdout


@an_alert
def test_every_alert_has_a_case_in_which_it_fires(alert: Rule) -> None:
    assert [case for case in of(alert) if alert.severity in case.severities]


@an_alert
def test_every_alert_has_a_case_in_which_it_stays_quiet_about_numbers_of_its_own(alert: Rule) -> None:
    quiet = [case for case in of(alert) if alert.severity not in case.severities]

    assert [case for case in quiet if sources(alert) <= case.series]


@an_alert
def test_every_alert_says_how_urgent_it_is_what_is_wrong_and_where(alert: Rule) -> None:
    assert alert.severity in {"page", "ticket"}
    assert set(alert.annotations) == {"summary", "description", "runbook_url"}
    assert "$labels.environment" in alert.annotations["summary"]


@an_alert
def test_every_alert_leads_to_a_page_that_knows_it(alert: Rule) -> None:
    base, _, page = alert.annotations["runbook_url"].rpartition("/")

    assert base == runbooks_url()
    assert (RUNBOOKS / page).is_file()
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"`{alert.name}`.*\({re.escape(page)}\)", index)


def test_links_follow_the_setting(tmp_path: Path) -> None:
    rules, other = tmp_path / "rules" / "a.yml", tmp_path / "rules" / "b.yml"
    rules.parent.mkdir()
    rules.write_text("runbook_url: https://old.example/x/runbooks/backlog.md\n")
    other.write_text("expr: up\n")

    assert link_rules(tmp_path) == [rules]
    assert rules.read_text() == f"runbook_url: {runbooks_url()}/backlog.md\n"
    assert link_rules(tmp_path) == []


def test_the_cases_speak_of_no_alert_that_is_none() -> None:
    assert {case.alert for case in cases()} <= {alert.name for alert in alerts()}


@a_rule
def test_every_metric_of_a_rule_is_declared(rule: Rule) -> None:
    assert metric_names(rule.expression) <= DECLARED_SERIES | BY_PROMETHEUS | RECORDED


@a_rule
def test_every_series_of_a_rule_exists(rule: Rule) -> None:
    assert metric_names(rule.expression) <= exposed_names() | BY_PROMETHEUS | RECORDED


@a_rule
def test_every_rule_keeps_environments_apart_and_reads_only_the_series_of_our_job(rule: Rule) -> None:
    expression = rule.expression
    for clause in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression):
        assert "environment" in clause.replace(" ", "").split(",")
    for name in metric_names(expression) - RECORDED:
        selectors = re.findall(rf"\b{name}\b(.{{0,18}})", expression)
        assert selectors == [it for it in selectors if it.startswith('{job="pulsequeue"')]


@pytest.mark.parametrize("record", sorted(RECORDED))
def test_recordings_are_named_by_level_metric_and_operation(record: str) -> None:
    level, metric, operation = record.split(":")

    assert level in {"environment", "environment_function_name"}
    assert metric
    assert re.fullmatch(r"(ratio_rate|increase)\d+[mhd]", operation)

"""Alert routing and inhibition."""

import re
from typing import Any

import pytest

from tests.monitoring import programs
from tests.monitoring.rules import MONITORING, alerts, load

CONFIGURATION = MONITORING / "alertmanager" / "alertmanager.yml"


def test_the_configuration_is_valid() -> None:
    checked = programs.run(programs.amtool(), "check-config", str(CONFIGURATION))

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("environment=prod", "severity=page", "alertname=InventoryMismatch"), "page"),
        (("environment=prod", "severity=ticket", "alertname=DeadLettersWaiting"), "ticket"),
        (("environment=dev", "severity=page", "alertname=QueueBehind"), "page"),
        (("environment=local", "severity=page", "alertname=InventoryMismatch"), "nobody"),
        (("severity=page", "alertname=MetricsAbsent"), "page"),
        (("alertname=SomethingUnforeseen",), "ticket"),
    ],
)
def test_an_alert_reaches_its_receiver(labels: tuple[str, ...], receiver: str) -> None:
    routed = programs.run(
        programs.amtool(), "config", "routes", "test", f"--config.file={CONFIGURATION}", *labels
    )

    assert routed.returncode == 0, routed.stderr
    assert routed.stdout.split() == [receiver]


def alert(name: str, environment: str = "prod", severity: str = "page", **labels: str) -> dict[str, str]:
    return {"alertname": name, "environment": environment, "severity": severity, **labels}


METRICS_GONE = alert("MetricsUnreachable")


@pytest.mark.parametrize(
    ("source", "target", "held_back"),
    [
        (METRICS_GONE, alert("QueueBehind"), True),
        (METRICS_GONE, alert("DeadLettersWaiting", severity="ticket"), True),
        (METRICS_GONE, alert("MetricsStale"), True),
        (METRICS_GONE, alert("QueueBehind", environment="dev"), False),
        (METRICS_GONE, alert("MetricsUnreachable", environment="dev"), False),
        (METRICS_GONE, METRICS_GONE, False),
        (alert("MetricsStale"), alert("OrdersNotSettled"), True),
        (alert("MetricsStale"), METRICS_GONE, False),
        (alert("MetricsIncomplete", severity="ticket"), alert("OrdersNotSettled"), False),
        (alert("OrdersNotSettled"), alert("OrdersNotSettled", severity="ticket"), True),
        (alert("OrdersNotSettled"), alert("OrdersSettledLate", severity="ticket"), False),
        (alert("OrdersNotSettled", severity="ticket"), alert("OrdersNotSettled"), False),
        (
            alert("QueueBehind", queue="payment"),
            alert("QueueBehind", severity="ticket", queue="payment"),
            True,
        ),
        (
            alert("QueueBehind", queue="payment"),
            alert("QueueBehind", severity="ticket", queue="order"),
            False,
        ),
    ],
)
def test_an_alert_holds_back_what_follows_from_it_and_nothing_else(
    source: dict[str, str], target: dict[str, str], held_back: bool
) -> None:
    inhibitions = load(CONFIGURATION)["inhibit_rules"]

    assert any(_holds_back(rule, source, target) for rule in inhibitions) is held_back


def test_what_hides_the_rest_is_still_the_name_of_an_alert() -> None:
    named = set(re.findall(r"\bMetrics[A-Za-z]+\b", CONFIGURATION.read_text(encoding="utf-8")))

    assert named <= {one.name for one in alerts()}


def test_no_address_to_post_to_stands_in_the_configuration() -> None:
    text = CONFIGURATION.read_text(encoding="utf-8")

    assert "slack_api_url_file: /etc/alertmanager/secrets/slack-url" in text
    assert "https://" not in text


def _holds_back(rule: dict[str, Any], source: dict[str, str], target: dict[str, str]) -> bool:
    same = all(source.get(label, "") == target.get(label, "") for label in rule["equal"])
    return (
        same
        and all(_matches(matcher, source) for matcher in rule["source_matchers"])
        and all(_matches(matcher, target) for matcher in rule["target_matchers"])
        # An alert that is on both sides of a rule does not hold itself back.
        and not all(_matches(matcher, source) for matcher in rule["target_matchers"])
    )


def _matches(matcher: str, labels: dict[str, str]) -> bool:
    label, operator, pattern = re.fullmatch(r'(\w+)(=~|!~|!=|=)"(.*)"', matcher).groups()  # type: ignore[union-attr]
    value = labels.get(label, "")
    met = bool(re.fullmatch(pattern, value)) if "~" in operator else value == pattern
    return met is not operator.startswith("!")

"""Messages of CloudWatch, Prometheus and Budgets become notifications."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from services.notifications.domain import Kind, Receiver, State, read, receivers
from services.shared.errors import MisconfiguredError

AT = "2026-01-31T12:00:00.000Z"


def message(text: str, subject: str | None = None, **attributes: str) -> Mapping[str, Any]:
    """A message as SNS hands it to a function."""
    return {
        "Subject": subject,
        "Message": text,
        "Timestamp": AT,
        "MessageAttributes": {name: {"Type": "String", "Value": it} for name, it in attributes.items()},
    }


def alarm(**fields: object) -> Mapping[str, Any]:
    """What CloudWatch publishes."""
    return {
        "AlarmName": "prod-pulsequeue-order-queue-age",
        "AlarmDescription": "A message has waited for more than 600 s.",
        "AlarmArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:prod-pulsequeue-order-queue-age",
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed",
        "StateChangeTime": "2026-01-31T11:59:58.000+0000",
        **fields,
    }


def test_an_alarm_has_its_state_its_description_and_a_link_to_the_console() -> None:
    notification = read(message(json.dumps(alarm()), "ALARM: in EU (Frankfurt)"))

    assert notification.title == "ALARM: prod-pulsequeue-order-queue-age"
    assert notification.text == "A message has waited for more than 600 s."
    assert notification.state is State.ALARM
    assert notification.at == "2026-01-31T11:59:58.000+0000"
    assert notification.link == (
        "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1"
        "#alarmsV2:alarm/prod-pulsequeue-order-queue-age"
    )


@pytest.mark.parametrize(
    ("value", "state"),
    [("OK", State.OK), ("INSUFFICIENT_DATA", State.UNKNOWN), ("something new", State.NOTICE)],
)
def test_an_alarm_that_recovers_or_has_no_data_says_so(value: str, state: State) -> None:
    assert read(message(json.dumps(alarm(NewStateValue=value)))).state is state


def test_an_alarm_without_description_and_arn_gives_its_reason_and_no_link() -> None:
    notification = read(message(json.dumps(alarm(AlarmDescription=None, AlarmArn=""))))

    assert (notification.text, notification.link) == ("Threshold Crossed", "")


@pytest.mark.parametrize(("status", "state"), [("firing", State.ALARM), ("resolved", State.OK)])
def test_an_alert_of_prometheus_has_its_runbook_as_link(status: str, state: State) -> None:
    text = "Orders are not settled.\nSee https://example.com/runbooks/orders-not-settled.md.\n"

    notification = read(message(text, "FIRING prod: OrdersNotSettled", state=status))

    assert notification.title == "FIRING prod: OrdersNotSettled"
    assert notification.state is state
    assert notification.link == "https://example.com/runbooks/orders-not-settled.md"


def test_any_other_message_is_a_notice() -> None:
    notification = read(message('["a list, as JSON"]'))

    assert (notification.title, notification.state, notification.at) == (
        '["a list, as JSON"]',
        State.NOTICE,
        AT,
    )


def test_receivers_are_read_by_kind() -> None:
    value = json.dumps({"webhook": ["https://example.com"], "slack": ["https://hooks.slack.com/1"]})

    assert receivers(value) == (
        Receiver(Kind.SLACK, "https://hooks.slack.com/1"),
        Receiver(Kind.WEBHOOK, "https://example.com"),
    )


def test_nobody_is_notified_while_the_parameter_has_its_generated_value() -> None:
    assert receivers("Zm9v0d9e") == ()


@pytest.mark.parametrize("value", ['{"pager": []}', "{", "{}"])
def test_receivers_that_nobody_knows_are_refused_rather_than_forgotten(value: str) -> None:
    with pytest.raises(MisconfiguredError, match="pulsequeue alerts add"):
        receivers(value)

"""Each kind of receiver gets a notification in its own format, and one that is away harms no other."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from services.notifications.domain import Kind, Receiver
from services.notifications.http_post import post
from services.notifications.service import NotDeliveredError, Notifier
from services.shared.log_events import LogEvent
from tests.support.fakes import RecordingTelemetry
from tests.support.http_receiver import Receiver as HttpReceiver
from tests.support.http_receiver import http_receiver
from tests.unit.notifications.test_domain import alarm, message

EVENT = {"Records": [{"Sns": message(json.dumps(alarm(AlarmDescription="5 < 6 & <rising>")))}]}


@pytest.fixture
def server() -> Iterator[HttpReceiver]:
    with http_receiver() as started:
        yield started


def notify(telemetry: RecordingTelemetry, *receivers: Receiver) -> None:
    Notifier(lambda: receivers, post, telemetry).notify(EVENT)


def sent(server: HttpReceiver, kind: Kind) -> Any:  # noqa: ANN401 -- JSON
    notify(RecordingTelemetry(), Receiver(kind, server.url))
    assert server.content_types == ["application/json"]
    (body,) = server.bodies
    return body


def test_slack_gets_an_attachment_with_its_markup_escaped(server: HttpReceiver) -> None:
    (attachment,) = sent(server, Kind.SLACK)["attachments"]

    assert attachment["title"] == "ALARM: prod-pulsequeue-order-queue-age"
    assert attachment["text"] == "5 &lt; 6 &amp; &lt;rising&gt;"
    assert attachment["color"] == "danger"
    assert attachment["title_link"].startswith("https://eu-central-1.console.aws.amazon.com/")


def test_teams_gets_an_adaptive_card_with_a_button(server: HttpReceiver) -> None:
    body = sent(server, Kind.TEAMS)

    (attachment,) = body["attachments"]
    card = attachment["content"]
    assert (body["type"], attachment["contentType"]) == (
        "message",
        "application/vnd.microsoft.card.adaptive",
    )
    assert [it["text"] for it in card["body"][:2]] == [
        "ALARM: prod-pulsequeue-order-queue-age",
        "5 < 6 & <rising>",
    ]
    assert card["body"][0]["color"] == "Attention"
    assert [it["type"] for it in card["actions"]] == ["Action.OpenUrl"]


def test_a_webhook_gets_plain_json(server: HttpReceiver) -> None:
    body = sent(server, Kind.WEBHOOK)

    assert body["state"] == "ALARM"
    assert body.keys() == {"title", "text", "state", "at", "link"}


def test_a_receiver_that_refuses_harms_no_other_and_is_tried_again(server: HttpReceiver) -> None:
    telemetry = RecordingTelemetry()

    with http_receiver() as refusing:
        refusing.status = 500
        with pytest.raises(NotDeliveredError, match="not delivered to slack"):
            notify(telemetry, Receiver(Kind.SLACK, refusing.url), Receiver(Kind.WEBHOOK, server.url))

    assert len(server.bodies) == 1
    assert [it[0] for it in telemetry.lines] == [
        LogEvent.NOTIFICATION_FAILED,
        LogEvent.NOTIFICATION_SENT,
    ]


def test_a_receiver_that_is_away_is_tried_again_and_its_address_is_not_logged() -> None:
    telemetry = RecordingTelemetry()
    with http_receiver() as away:
        url = away.url

    with pytest.raises(NotDeliveredError):
        notify(telemetry, Receiver(Kind.TEAMS, url))

    assert url not in str(telemetry.lines)

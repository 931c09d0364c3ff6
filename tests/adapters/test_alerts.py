"""A test notification goes the way of an alarm: topic, function, receiver."""

from collections.abc import Iterator

import pytest

from scripts.common.errors import ToolError
from scripts.environment.environment import Environment
from scripts.environment.topology import Topology
from scripts.local.aws.provision import Overrides, provision
from scripts.ops.alerts import Alerts
from services.notifications.domain import Kind, Receiver
from tests.conftest import RunningEmulator
from tests.support.http_receiver import http_receiver
from tests.support.polling import wait_until

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def alerts(emulator: RunningEmulator) -> Alerts:
    environment = Environment("local", Topology.load(), emulator.clients)
    provision(environment, Overrides())
    return Alerts(environment)


@pytest.fixture(autouse=True)
def _nobody(alerts: Alerts) -> Iterator[None]:
    yield
    for kind in Kind:
        alerts.remove(kind)


def test_a_test_notification_reaches_every_receiver(alerts: Alerts) -> None:
    with http_receiver() as slack, http_receiver() as teams, http_receiver() as webhook:
        alerts.add(Receiver(Kind.SLACK, slack.url))
        alerts.add(Receiver(Kind.TEAMS, teams.url))
        alerts.add(Receiver(Kind.WEBHOOK, webhook.url))

        alerts.test()

        wait_until(lambda: all(it.bodies for it in (slack, teams, webhook)), "all receivers were notified")
        assert webhook.bodies[0]["title"] == "Test of the alarms of local"
        assert "`pulsequeue alerts test`" in webhook.bodies[0]["text"]


def test_a_receiver_is_added_once_and_removed_with_its_kind(alerts: Alerts) -> None:
    receiver = Receiver(Kind.SLACK, "https://hooks.slack.com/services/1")

    assert alerts.receivers() == ()
    assert alerts.add(receiver)
    assert not alerts.add(receiver)
    assert alerts.receivers() == (receiver,)
    assert alerts.remove(Kind.TEAMS) == 0
    assert alerts.remove(Kind.SLACK) == 1
    assert alerts.receivers() == ()


@pytest.mark.parametrize("url", ["http://example.com/hook", "ftp://127.0.0.1", "hook", "https://", ""])
def test_only_https_leaves_this_machine(alerts: Alerts, url: str) -> None:
    with pytest.raises(ToolError, match="https"):
        alerts.add(Receiver(Kind.WEBHOOK, url))


def test_the_topic_lists_the_function_as_subscriber(alerts: Alerts) -> None:
    (subscriber,) = alerts.subscribers()

    assert (subscriber.protocol, subscriber.confirmed) == ("lambda", True)
    assert subscriber.endpoint.endswith("local-pulsequeue-notify")


def test_an_environment_that_is_not_deployed_is_named(emulator: RunningEmulator) -> None:
    alerts = Alerts(Environment("nowhere", Topology.load(), emulator.clients))

    with pytest.raises(ToolError, match="topic nowhere-pulsequeue-alarms does not exist"):
        alerts.test()
    with pytest.raises(ToolError, match="deploy nowhere first"):
        alerts.receivers()

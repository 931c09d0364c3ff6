"""Webhooks as deployed: an order's events reach subscribers, whatever some of them do."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from standardwebhooks import Webhook

from scripts.cli.main import main
from scripts.environment.local_state import HOME_VARIABLE
from scripts.local.aws import emulator as ministack
from scripts.local.aws.user_pool import TENANT
from scripts.ops.webhooks.webhooks import webhooks_of
from services.webhooks.model import Delivery, Endpoint
from services.webhooks.service import EndpointSpec, Webhooks
from tests.conftest import RunningStack
from tests.support.http_receiver import Receiver, http_receiver
from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until

pytestmark = pytest.mark.stack


@pytest.fixture
def pipeline(stack: RunningStack) -> PipelineClient:
    return PipelineClient(stack.environment)


@pytest.fixture
def webhooks(stack: RunningStack) -> Webhooks:
    return webhooks_of(stack.environment)


@contextmanager
def subscribed(webhooks: Webhooks, url: str) -> Iterator[Endpoint]:
    endpoint = webhooks.add(TENANT, "ann", EndpointSpec(url=url, types=("order.confirmed",)))
    try:
        yield endpoint
    finally:
        webhooks.remove(TENANT, endpoint.id)


def wait_for_delivery(
    webhooks: Webhooks, endpoint: Endpoint, order_id: str, holds: Callable[[Delivery], bool], what: str
) -> Delivery:
    """Return the entry of an order's message in the log, as soon as the condition holds for it."""
    found: list[Delivery] = []

    def look() -> bool:
        log = webhooks.log(TENANT, endpoint.id, 100)
        found[:] = [it for it in log if it.message.data["orderId"] == order_id and holds(it)]
        return bool(found)

    wait_until(look, what)
    return found[0]


def posts(receiver: Receiver, order_id: str) -> list[int]:
    return [at for at, body in enumerate(receiver.bodies) if body["data"]["orderId"] == order_id]


def test_a_subscriber_that_fails_twice_gets_the_same_signed_message(
    pipeline: PipelineClient, webhooks: Webhooks
) -> None:
    with http_receiver() as receiver, subscribed(webhooks, receiver.url) as endpoint:
        receiver.first_statuses[:] = [500, 503]

        order_id = pipeline.confirm("heard")

        # At least once: the queues of this stack bring a message again within seconds, also one in work.
        done = wait_for_delivery(
            webhooks,
            endpoint,
            order_id,
            lambda it: it.status == "delivered" and it.attempts == len(posts(receiver, order_id)),
            "the message is delivered, and the log counts every attempt that was received",
        )
        made = posts(receiver, order_id)
    assert len(made) >= 3
    assert done.http_status == 200
    assert {receiver.headers[at]["webhook-id"] for at in made} == {done.message.id}
    for at in made:
        body = Webhook(endpoint.secrets[0].value).verify(receiver.raw[at], dict(receiver.headers[at]))
        assert body["type"] == "order.confirmed"


def test_a_dead_subscriber_keeps_no_other_from_its_messages(
    pipeline: PipelineClient, webhooks: Webhooks
) -> None:
    dead_url = f"http://127.0.0.1:{ministack.free_port()}/"
    with (
        http_receiver() as receiver,
        subscribed(webhooks, dead_url) as dead,
        subscribed(webhooks, receiver.url) as alive,
    ):
        order_id = pipeline.confirm("both")

        done = wait_for_delivery(
            webhooks, alive, order_id, lambda it: it.status == "delivered", "the other one has the message"
        )
        failing = wait_for_delivery(
            webhooks, dead, order_id, lambda it: it.attempts >= 2, "the dead one is tried again"
        )
    assert posts(receiver, order_id)
    assert done.http_status == 200
    assert (failing.status, failing.error) == ("retrying", "connection")


def test_an_operator_adds_tests_and_removes_a_webhook_by_command(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(stack.home))

    def run(*arguments: str) -> Any:  # noqa: ANN401 - any JSON
        code = main(["webhook", *arguments, "--tenant", TENANT, "--json"])
        output = capsys.readouterr()
        assert code == 0, output.err
        return json.loads(output.out)

    with http_receiver() as receiver:
        added = run("add", receiver.url, "--type", "subscription.cancelled", "--description", "by command")
        assert added["id"] in {it["id"] for it in run("ls")}
        sent = run("test", added["id"])["messageId"]

        def delivered() -> list[Any]:
            return [it for it in run("log", added["id"]) if it["status"] == "delivered"]

        wait_until(lambda: bool(delivered()), "the test is delivered")
        assert [(it["messageId"], it["httpStatus"]) for it in delivered()] == [(sent, 200)]
        second = run("rotate", added["id"])["secret"]
        before = len(receiver.raw)
        assert run("redeliver", added["id"], sent) == {"messageId": sent}
        wait_until(lambda: len(receiver.raw) > before, "the message is delivered again")
        for secret in (added["secret"], second):  # the secret before signs for a day
            Webhook(secret).verify(receiver.raw[-1], dict(receiver.headers[-1]))
        run("rm", added["id"])
        assert main(["webhook", "log", added["id"], "--tenant", TENANT]) == 1
        assert "See `pulsequeue webhook ls`" in capsys.readouterr().err

"""`pulsequeue events tail` on the running stack: what it prints and forwards, and that it leaves nothing."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from scripts.common.project_files import CHECKOUT
from scripts.environment.local_state import HOME_VARIABLE
from services.webhooks.service import new_secret
from tests.conftest import RunningStack
from tests.support.http_receiver import http_receiver
from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until

pytestmark = pytest.mark.stack


@pytest.fixture
def pipeline(stack: RunningStack) -> PipelineClient:
    return PipelineClient(stack.environment)


@contextmanager
def tailing(stack: RunningStack, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the command, and continue when it listens."""
    program = Path(sys.executable).parent / "pulsequeue"
    with subprocess.Popen(  # noqa: S603 - our own program
        [program, "events", "tail", *options],
        cwd=CHECKOUT,
        env={**os.environ, HOME_VARIABLE: str(stack.home), "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        try:
            assert running.stderr.readline().startswith("Listening in local for 1h")
            yield running
        finally:
            running.kill()


def taps(stack: RunningStack) -> list[str]:
    environment = stack.environment
    prefix, bus = f"{environment.names.prefix}-tail-", environment.names.bus
    rules = environment.client("events").list_rules(EventBusName=bus, NamePrefix=prefix)["Rules"]
    urls = environment.client("sqs").list_queues(QueueNamePrefix=prefix).get("QueueUrls", [])
    return sorted([*(it["Name"] for it in rules), *(url.rpartition("/")[2] for url in urls)])


def test_events_of_an_order_are_printed_and_ctrl_c_removes_rule_and_queue(
    stack: RunningStack, pipeline: PipelineClient
) -> None:
    with tailing(stack, "--type", "order.confirmed", "--type", "PaymentRequested", "--json") as running:
        assert len(taps(stack)) == 2
        order_id = pipeline.confirm("tailed")
        assert running.stdout is not None
        received: set[str] = set()
        while received != {"OrderConfirmed", "PaymentRequested"}:
            envelope = json.loads(running.stdout.readline())
            if envelope["detail"]["orderId"] == order_id:
                received.add(envelope["detail-type"])

        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 130
    assert taps(stack) == []


def test_events_are_forwarded_signed_as_webhooks_are(stack: RunningStack, pipeline: PipelineClient) -> None:
    secret = new_secret()
    with (
        http_receiver() as receiver,
        tailing(stack, "--forward", receiver.url, "--secret", secret, "--type", "order.confirmed") as running,
    ):
        order_id = pipeline.confirm("forwarded")
        assert running.stdout is not None
        line = next(it for it in iter(running.stdout.readline, "") if order_id in it)
        at = next(n for n, body in enumerate(receiver.bodies) if body["data"]["orderId"] == order_id)
        running.send_signal(signal.SIGTERM)
        running.wait(60)
    assert re.search(rf"OrderConfirmed +{order_id} .*-> 200 in \d+ ms$", line)
    assert Webhook(secret).verify(receiver.raw[at], dict(receiver.headers[at]))["type"] == "order.confirmed"


def test_what_a_killed_tail_left_behind_is_removed_by_the_next(stack: RunningStack) -> None:
    environment = stack.environment
    name = f"{environment.names.prefix}-tail-1000000000-killed"
    environment.client("sqs").create_queue(QueueName=name)
    environment.client("events").put_rule(
        Name=name, EventBusName=environment.names.bus, EventPattern='{"detail-type": ["Nothing"]}'
    )

    with tailing(stack) as running:
        wait_until(lambda: name not in taps(stack), "what was left behind is removed at the start")
        running.send_signal(signal.SIGINT)
        running.wait(60)
    assert taps(stack) == []


def test_a_tail_that_is_killed_says_in_its_name_until_when_it_was_wanted(stack: RunningStack) -> None:
    with tailing(stack):
        pass  # killed
    rule, queue = taps(stack)
    assert rule == queue
    environment = stack.environment
    try:
        assert re.fullmatch(rf"{environment.names.prefix}-tail-\d{{10}}-[0-9a-f]{{8}}", rule)
    finally:
        bus = environment.names.bus
        environment.client("events").remove_targets(Rule=rule, EventBusName=bus, Ids=["queue"])
        environment.client("events").delete_rule(Name=rule, EventBusName=bus)
        sqs = environment.client("sqs")
        sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=rule)["QueueUrl"])

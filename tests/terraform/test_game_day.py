"""Game day: each link of the pipeline is stopped in turn, and an alarm's condition becomes true.

The environment is applied from infra/envs/local and takes real orders. The emulator has no clock to move, so
ages are read as of twenty minutes later, when what waits still waits. What AWS counts and the emulator does
not is counted here: messages sent to a queue, and answers of the API.
"""

import json
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scripts.local.aws.cloudwatch_shipper import observe
from scripts.local.aws.log_cursors import invocations
from scripts.local.aws.queue_peek import Message, QueuePeek, age_of_oldest
from scripts.local.aws.triggers import route_url
from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until
from tests.terraform.alarm_conditions import Alarm, Dimensions
from tests.terraform.conftest import Applied, managed_resources
from tests.terraform.proofs import PROOFS

LATER_MS = 20 * 60_000
PATIENCE_SECONDS = 120


@dataclass
class Pipeline:
    """The applied environment, its alarms, and what happened since the last quiet moment."""

    applied: Applied
    alarms: Sequence[Alarm]
    token: str
    sku: str
    since_ms: int = 0
    answers: Counter[int] = field(default_factory=Counter)

    def settle_down(self, alarms: frozenset[str] = frozenset()) -> None:
        """Wait until nothing is left in the queues and none of these alarms is due; count from here."""
        wait_until(
            lambda: not any(map(self.messages, self._queues())), "the queues are empty", PATIENCE_SECONDS
        )
        self._count_from_here()
        self.collect()
        wait_until(lambda: not alarms & self.breached(), f"none of {sorted(alarms)} is due", PATIENCE_SECONDS)
        self._count_from_here()

    def _count_from_here(self) -> None:
        self.since_ms = int(time.time() * 1_000) + 1
        self.answers.clear()

    def collect(self) -> None:
        """Collect as the schedule does: without an answer of the collector, metrics are stale."""
        environment = self.applied.environment
        environment.client("lambda").invoke(FunctionName=environment.names.function("collector"))

    def order(self) -> None:
        """Place an order over HTTP; the answer is counted, as API Gateway counts it."""
        endpoint = self.applied.terraform.environ["AWS_ENDPOINT_URL"]
        body = {"customerId": "ann", "items": [{"sku": self.sku, "quantity": 1}]}
        request = urllib.request.Request(  # noqa: S310 -- loopback
            route_url(endpoint, self.applied.outputs["api_id"], "/api/orders"),
            json.dumps(body).encode(),
            {
                "authorization": f"Bearer {self.token}",
                "content-type": "application/json",
                "idempotency-key": f"game-{time.time_ns()}",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 -- loopback
                self.answers[response.status] += 1
        except urllib.error.HTTPError as error:
            error.close()
            self.answers[error.code] += 1

    def messages(self, url: str) -> Sequence[Message]:
        found = QueuePeek(self.applied.terraform.environ["AWS_ENDPOINT_URL"]).messages(url)
        assert found is not None
        return found

    def readings(self) -> dict[tuple[str, str, Dimensions], float]:
        """Add up what was counted since the last quiet moment."""
        found: defaultdict[tuple[str, str, Dimensions], float] = defaultdict(float)
        environment = self.applied.environment
        logs, names = environment.client("logs"), environment.names
        for function in environment.topology.functions:
            events = logs.filter_log_events(logGroupName=names.log_group(function), startTime=self.since_ms)[
                "events"
            ]
            for invocation in invocations(events):
                for it in observe(names.function(function), invocation)[0]:
                    series = it.series
                    found[series.namespace, series.name, frozenset(series.dimensions)] += sum(it.values)
        later_ms = int(time.time() * 1_000) + LATER_MS
        for function in environment.topology.consumers:
            queue: Dimensions = frozenset({("QueueName", names.queue(function))})
            waiting = self.messages(environment.queue_url(function))
            found["AWS/SQS", "ApproximateAgeOfOldestMessage", queue] = age_of_oldest(waiting, later_ms)
            invoked: Dimensions = frozenset({("FunctionName", names.function(function))})
            # An invocation has received a message, and it was sent.
            if sent := len(waiting) + found.get(("AWS/Lambda", "Invocations", invoked), 0):
                found["AWS/SQS", "NumberOfMessagesSent", queue] = sent
            dlq: Dimensions = frozenset({("QueueName", names.dead_letter_queue(function))})
            dead = self.messages(environment.dead_letter_url(function))
            found["AWS/SQS", "ApproximateNumberOfMessagesVisible", dlq] = len(dead)
        api: Dimensions = frozenset({("ApiId", self.applied.outputs["api_id"])})
        if self.answers:
            found["AWS/ApiGateway", "Count", api] = self.answers.total()
            found["AWS/ApiGateway", "5xx", api] = sum(n for code, n in self.answers.items() if code >= 500)
        return found

    def breached(self) -> set[str]:
        readings, prefix = self.readings(), f"{self.applied.environment.names.prefix}-"
        return {it.name.removeprefix(prefix) for it in self.alarms if it.is_breached(readings)}

    def counted(self, metric: str, **labels: str) -> float:
        namespace = self.applied.environment.names.metrics_namespace
        return self.readings().get((namespace, metric, frozenset(labels.items())), 0)

    def _queues(self) -> Iterator[str]:
        for function in self.applied.environment.topology.consumers:
            yield self.applied.environment.queue_url(function)


@pytest.fixture(scope="module")
def pipeline(applied: Applied, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    plan = tmp_path_factory.mktemp("plan") / "plan"
    applied.terraform.run(applied.folder, "plan", f"-out={plan}")
    planned = json.loads(applied.terraform.run(applied.folder, "show", "-json", str(plan)))
    alarms = [
        Alarm(it["values"])
        for it in managed_resources(planned["planned_values"]["root_module"])
        if it["type"] == "aws_cloudwatch_metric_alarm"
    ]
    sku = PipelineClient(applied.environment).create_sku(10_000)
    return Pipeline(applied, alarms, applied.token("gamer", "editor"), sku)


# --- links ------------------------------------------------------------------------------------------------


@contextmanager
def rule(pipeline: Pipeline, function: str) -> Iterator[None]:
    environment = pipeline.applied.environment
    events, name, bus = environment.client("events"), environment.names.rule(function), environment.names.bus
    events.disable_rule(Name=name, EventBusName=bus)
    try:
        yield
    finally:
        events.enable_rule(Name=name, EventBusName=bus)


@contextmanager
def mapping(pipeline: Pipeline, function: str) -> Iterator[None]:
    environment = pipeline.applied.environment
    client, name = environment.client("lambda"), environment.names.function(function)
    uuids = [
        it["UUID"]
        for it in client.list_event_source_mappings()["EventSourceMappings"]
        if f":function:{name}" in it["FunctionArn"]
    ]
    assert uuids
    for uuid in uuids:
        client.update_event_source_mapping(UUID=uuid, Enabled=False)
    try:
        yield
    finally:
        for uuid in uuids:
            client.update_event_source_mapping(UUID=uuid, Enabled=True)


@contextmanager
def rights(pipeline: Pipeline, function: str) -> Iterator[None]:
    environment = pipeline.applied.environment
    iam, role = environment.client("iam"), environment.names.role(function)
    policies = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    for name in policies:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    try:
        yield
    finally:
        for name, document in policies.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
        if function in environment.topology.consumers:
            # A message that failed is hidden for minutes before it comes again.
            environment.client("sqs").purge_queue(QueueUrl=environment.queue_url(function))


@contextmanager
def unreadable_message(pipeline: Pipeline, function: str) -> Iterator[None]:
    environment = pipeline.applied.environment
    sqs = environment.client("sqs")
    sqs.send_message(QueueUrl=environment.queue_url(function), MessageBody="no event")
    try:
        yield
    finally:
        sqs.purge_queue(QueueUrl=environment.dead_letter_url(function))


# --- what happens meanwhile -------------------------------------------------------------------------------


def place(pipeline: Pipeline) -> None:
    pipeline.order()
    wait_until(
        lambda: pipeline.counted("events_published_total", event="OrderPlaced") > 0,
        "the order is published",
        PATIENCE_SECONDS,
    )


def reserve(pipeline: Pipeline) -> None:
    place(pipeline)
    wait_until(
        lambda: pipeline.counted("events_published_total", event="PaymentRequested") > 0,
        "the order is reserved",
        PATIENCE_SECONDS,
    )


def settle(pipeline: Pipeline) -> None:
    reserve(pipeline)
    wait_until(
        lambda: pipeline.counted("payments_total", outcome="succeeded") > 0, "it is paid", PATIENCE_SECONDS
    )


def nothing(_pipeline: Pipeline) -> None:
    """Something is wrong already."""


Link = tuple[Callable[[Pipeline, str], AbstractContextManager[None]], str]


@dataclass(frozen=True)
class Outage:
    links: Sequence[Link]
    meanwhile: Callable[[Pipeline], None]
    alarms: frozenset[str]


# The hold is seconds here and 15 minutes on AWS: while a payment waits, no expiry may settle the order.
NO_EXPIRY: Link = (mapping, "expiry")

OUTAGES = {
    "rule of `order` disabled": Outage([(rule, "order")], place, frozenset({"order-rule-silent"})),
    "rule of `payment` disabled": Outage(
        [(rule, "payment"), NO_EXPIRY], reserve, frozenset({"payment-rule-silent", "nothing-settled"})
    ),
    "rule of `expiry` disabled": Outage([(rule, "expiry")], settle, frozenset({"expiry-rule-silent"})),
    "rule of `projector` disabled": Outage(
        [(rule, "projector")], settle, frozenset({"projector-rule-silent"})
    ),
    "mapping of `order` disabled": Outage(
        [(mapping, "order")], place, frozenset({"order-queue-age", "nothing-settled"})
    ),
    "mapping of `payment` disabled": Outage(
        [(mapping, "payment"), NO_EXPIRY], reserve, frozenset({"payment-queue-age", "nothing-settled"})
    ),
    "mapping of `expiry` disabled": Outage([(mapping, "expiry")], settle, frozenset({"expiry-queue-age"})),
    "mapping of `projector` disabled": Outage(
        [(mapping, "projector")], settle, frozenset({"projector-queue-age"})
    ),
    "rights of `order` lost": Outage([(rights, "order")], place, frozenset({"nothing-settled"})),
    "rights of `collector` lost": Outage(
        [(rights, "collector")], Pipeline.collect, frozenset({"metrics-stale", "collector-errors"})
    ),
    "rights of `commands` lost": Outage([(rights, "commands")], Pipeline.order, frozenset({"api-5xx"})),
    "unreadable message": Outage([(unreadable_message, "order")], nothing, frozenset({"order-dlq"})),
}


def test_nothing_is_breached_while_nothing_is_stopped(pipeline: Pipeline) -> None:
    pipeline.settle_down()
    pipeline.collect()
    settle(pipeline)

    wait_until(lambda: pipeline.breached() == set(), "no condition is true", PATIENCE_SECONDS)


@pytest.mark.parametrize("name", OUTAGES)
def test_a_stopped_link_makes_a_condition_true(pipeline: Pipeline, name: str) -> None:
    outage = OUTAGES[name]
    pipeline.settle_down(outage.alarms)

    with ExitStack() as stopped:
        for stop, function in outage.links:
            stopped.enter_context(stop(pipeline, function))
        outage.meanwhile(pipeline)
        wait_until(lambda: outage.alarms <= pipeline.breached(), f"{sorted(outage.alarms)}", PATIENCE_SECONDS)


def test_every_link_is_in_the_table_of_proofs() -> None:
    rows = [
        f"| {name} | {', '.join(f'`{it}`' for it in sorted(outage.alarms))} |"
        for name, outage in OUTAGES.items()
    ]

    assert "\n".join(rows) in Path(PROOFS).read_text(encoding="utf-8")

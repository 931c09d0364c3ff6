"""The verification of a stack passes where the stack works, and else names the broken link."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.cli.main import main
from scripts.environment.environment import Clients, Environment
from scripts.environment.local_state import HOME_VARIABLE, StackState
from scripts.environment.topology import CHECKOUT
from scripts.ops.metrics_page import Address
from scripts.verify.checks import Finding, Report, State
from scripts.verify.diagnostics import Evidence
from scripts.verify.endpoints import Doors, doors
from scripts.verify.scenarios import Scenario
from scripts.verify.suite import Pace, verify
from services.shared.ledger import Status
from services.shared.log_events import LogEvent
from services.shared.wiring import utc_now
from tests.conftest import RunningStack
from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until

pytestmark = pytest.mark.stack

PACE = Pace(seconds=45, pause=0.2, collection_pause=0.5)
SOON = Pace(seconds=6, pause=0.2, collection_pause=0.5)
"""For what is going to be broken, and need not be waited for."""
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def found(stack: RunningStack) -> Doors:
    return doors(stack.environment, home=stack.home)


def _states(report: Report) -> dict[str, State]:
    return {it.link: it.state for it in report.findings}


def _left_behind(stack: RunningStack) -> list[str]:
    """List every rule, queue and SKU of any verification."""
    environment = stack.environment
    prefix = f"{environment.names.prefix}-verify-"
    rules = environment.client("events").list_rules(EventBusName=environment.names.bus, NamePrefix=prefix)
    queues = environment.client("sqs").list_queues(QueueNamePrefix=prefix)
    stock = PipelineClient(environment).ops.store.scan_stock()
    return [
        *(it["Name"] for it in rules["Rules"]),
        *queues.get("QueueUrls", []),
        *(it.key.id for it in stock if it.name == "verification"),
    ]


def test_a_stack_that_works_passes_link_by_link(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(stack.home))

    code = main(["verify", "--json"])

    said = capsys.readouterr()
    told: dict[str, Any] = json.loads(said.out)
    assert (code, told["broken"]) == (0, None), said
    assert {it["state"] for it in told["links"]} == {"ok"}
    assert [it["link"] for it in told["links"]][-1] == "cleaning up"


def test_it_leaves_nothing_behind_and_other_data_alone(stack: RunningStack, found: Doors) -> None:
    pipeline = PipelineClient(stack.environment)
    sku = pipeline.create_sku(7)
    pipeline.place({"orderId": pipeline.order_id("unreadable"), "customerId": "c", "items": []})
    wait_until(lambda: bool(pipeline.dlq("order")), "somebody else's letter is dead")
    letters = pipeline.dlq("order")

    report = verify(stack.environment, found, PACE)

    assert report.broken is None, report.broken
    assert _left_behind(stack) == []
    assert pipeline.levels(sku) == (7, 0, 7)
    assert pipeline.dlq("order") == letters


def test_an_interrupted_verification_cleans_up_too(stack: RunningStack, found: Doors) -> None:
    def interrupt(finding: Finding) -> None:
        if finding.link == "placing":
            assert _left_behind(stack) != []
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(stack.environment, found, PACE, seen=interrupt)

    assert _left_behind(stack) == []


@contextmanager
def _refusing(stack: RunningStack, service: str, *operations: str) -> Iterator[Environment]:
    """Reach the stack as somebody who may not do some things; whatever then stays is removed in the end."""
    state = StackState.read(stack.home)
    assert state is not None
    clients = Clients.of_state(state)

    def refuse(model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not yours"}}, model.name)

    client: Any = clients.client(service)  # type: ignore[call-overload]
    for operation in operations:
        client.meta.events.register(f"before-call.{service}.{operation}", refuse)
    environment = stack.environment
    try:
        yield replace(environment, clients=clients, _queue_urls={})
    finally:
        prefix, events, sqs = (
            f"{environment.names.prefix}-verify-",
            environment.client("events"),
            environment.client("sqs"),
        )
        for rule in events.list_rules(EventBusName=environment.names.bus, NamePrefix=prefix)["Rules"]:
            which = rule["Name"]
            events.remove_targets(Rule=which, EventBusName=environment.names.bus, Ids=["queue"])
            events.delete_rule(Name=which, EventBusName=environment.names.bus)
        for url in sqs.list_queues(QueueNamePrefix=prefix).get("QueueUrls", []):
            sqs.delete_queue(QueueUrl=url)


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda it: it.name)
def test_the_command_cleans_up_however_it_is_ended(stack: RunningStack, ended_by: signal.Signals) -> None:
    program = Path(sys.executable).parent / "pulsequeue"
    with subprocess.Popen(  # noqa: S603 - our own program
        [program, "verify"],
        cwd=CHECKOUT,
        env={**os.environ, HOME_VARIABLE: str(stack.home), "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        said = iter(running.stderr.readline, "")
        assert any("placing" in line for line in said)
        assert _left_behind(stack) != []

        running.send_signal(ended_by)
        *_, last = said

    assert (running.returncode, last.split(maxsplit=1)) == (130, ["ok", "cleaning up\n"])
    assert _left_behind(stack) == []


def test_what_may_not_be_taken_away_is_named_and_all_else_is_taken_away(
    stack: RunningStack, found: Doors
) -> None:
    with _refusing(stack, "events", "RemoveTargets") as environment:
        report = verify(environment, found, PACE)
        left = _left_behind(stack)

    assert report.broken is not None
    assert report.broken.link == "cleaning up"
    (rule,) = left
    assert report.broken.says.startswith(f"rule and queue {rule} cannot be taken away: ")


def test_an_interrupt_stays_one_and_what_was_left_behind_is_told(stack: RunningStack, found: Doors) -> None:
    heard: list[Finding] = []

    def interrupt(finding: Finding) -> None:
        heard.append(finding)
        if finding.link == "inventory":
            raise KeyboardInterrupt

    with _refusing(stack, "sqs", "DeleteQueue") as environment, pytest.raises(KeyboardInterrupt):
        verify(environment, found, PACE, seen=interrupt)

    last = heard[-1]
    assert (last.link, last.state) == ("cleaning up", State.BROKEN)
    assert "-verify-" in last.says
    assert "DeleteQueue" in last.says


def test_a_log_line_is_found_by_a_clock_that_is_ahead(stack: RunningStack) -> None:
    pipeline = PipelineClient(stack.environment)
    detail = pipeline.order("ahead", pipeline.create_sku(5))
    pipeline.place(detail)
    ahead = Evidence(stack.environment, "order", utc_now() + timedelta(minutes=4))
    wanted = Scenario("ahead", detail, Status.CONFIRMED)

    wait_until(lambda: ahead.missing(wanted, [LogEvent.ORDER_RESERVED]) == [], "the line is found")

    assert ahead.missing(wanted, [LogEvent.ORDER_REJECTED]) == [LogEvent.ORDER_REJECTED]


def test_a_rule_that_is_switched_off_breaks_the_wiring(stack: RunningStack, found: Doors) -> None:
    events, names = stack.environment.client("events"), stack.environment.names
    events.disable_rule(Name=names.rule("payment"), EventBusName=names.bus)
    try:
        report = verify(stack.environment, found, SOON)
    finally:
        events.enable_rule(Name=names.rule("payment"), EventBusName=names.bus)

    assert report.broken is not None
    assert report.broken.link == "wiring"
    assert report.broken.says == f"rule {names.rule('payment')} is DISABLED"
    assert _states(report)["order function"] is State.NOT_REACHED
    assert _left_behind(stack) == []


def test_a_mapping_that_is_switched_off_breaks_the_wiring(stack: RunningStack, found: Doors) -> None:
    name = stack.environment.names.function("order")
    with _unfed(stack, "order"):
        report = verify(stack.environment, found, SOON)

    assert report.broken is not None
    assert report.broken.link == "wiring"
    assert report.broken.says == f"the mapping from queue {name} to function {name} is Disabled"


@contextmanager
def _unfed(stack: RunningStack, function: str) -> Iterator[None]:
    functions, name = stack.environment.client("lambda"), stack.environment.names.function(function)
    mapping = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"][0]["UUID"]
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping, Enabled=True)


def _in_hand(stack: RunningStack, function: str) -> int:
    answer = stack.environment.client("sqs").get_queue_attributes(
        QueueUrl=stack.environment.queue_url(function),
        AttributeNames=["ApproximateNumberOfMessagesNotVisible"],
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"])


@contextmanager
def _told_otherwise(stack: RunningStack, function: str, **variables: str) -> Iterator[None]:
    functions, name = stack.environment.client("lambda"), stack.environment.names.function(function)
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**before, **variables}}
    )
    try:
        yield
    finally:
        with _unfed(stack, function):
            # A worker that is busy while its function is changed would go on as it was.
            wait_until(lambda: _in_hand(stack, function) == 0, "no batch is under way")
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})


def test_a_function_that_does_not_get_to_its_tables_is_named_with_its_own_words(
    stack: RunningStack, found: Doors
) -> None:
    with _told_otherwise(stack, "payment", AWS_ENDPOINT_URL_DYNAMODB=NOWHERE):
        report = verify(stack.environment, found, SOON)

    states = _states(report)
    assert report.broken is not None
    assert report.broken.link == "payment function"
    assert "StoreUnavailableError: Could not connect" in report.broken.says
    assert states["order function"] is State.WHOLE
    assert states["tables"] is State.NOT_REACHED
    assert states["cleaning up"] is State.WHOLE
    assert _left_behind(stack) == []


def test_a_late_function_that_does_not_get_to_its_tables_is_named_though_no_order_is_late(
    stack: RunningStack, found: Doors
) -> None:
    with _told_otherwise(stack, "expiry", AWS_ENDPOINT_URL_DYNAMODB=NOWHERE):
        report = verify(stack.environment, found, SOON)

    assert report.broken is not None
    assert report.broken.link == "late function"
    assert "StoreUnavailableError: Could not connect" in report.broken.says
    assert _left_behind(stack) == []


def test_a_token_that_the_metrics_do_not_take_breaks_the_page_and_no_order(
    stack: RunningStack, found: Doors
) -> None:
    url = found.metrics().url

    report = verify(stack.environment, replace(found, metrics=lambda: Address(url, "wrong")), PACE)

    states = _states(report)
    assert report.broken is not None
    assert report.broken.link == "metrics page"
    assert "401" in report.broken.says
    assert states.pop("metrics page") is State.BROKEN
    assert states.pop("counters") is State.NOT_REACHED
    assert set(states.values()) == {State.WHOLE}


def test_the_command_names_the_broken_link_and_ends_with_one(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(stack.home))
    events, names = stack.environment.client("events"), stack.environment.names
    events.disable_rule(Name=names.rule("order"), EventBusName=names.bus)
    try:
        code = main(["verify", "--timeout", "6"])
    finally:
        events.enable_rule(Name=names.rule("order"), EventBusName=names.bus)

    said = capsys.readouterr()
    assert code == 1
    assert said.err.splitlines()[-1] == (
        f"pulsequeue: local is broken at wiring: rule {names.rule('order')} is DISABLED"
    )
    assert "not reached" in said.out


def test_without_a_user_analytics_is_left_out_with_a_sentence(stack: RunningStack, found: Doors) -> None:
    report = verify(stack.environment, replace(found, token=None), PACE)

    analytics = next(it for it in report.findings if it.link == "analytics")
    assert report.broken is None, report.broken
    assert analytics.state is State.LEFT_OUT
    assert "--user" in analytics.says

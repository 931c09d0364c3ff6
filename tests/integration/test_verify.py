"""The verification of a stack passes where the stack works, and otherwise names the failed check."""

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
from scripts.common.project_files import CHECKOUT
from scripts.environment.environment import Clients, Environment
from scripts.environment.local_state import HOME_VARIABLE, StackState
from scripts.ops.metrics_page import Address
from scripts.verify.checks import CheckOutcome, CheckReport, CheckResult
from scripts.verify.diagnostics import FunctionDiagnostics
from scripts.verify.endpoints import Endpoints, find_endpoints
from scripts.verify.scenarios import Scenario
from scripts.verify.suite import Timing, verify
from services.shared.ledger import Status
from services.shared.log_events import LogEvent
from services.shared.wiring import utc_now
from tests.conftest import RunningStack
from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until

pytestmark = pytest.mark.stack

TIMING = Timing(timeout=45, poll_interval=0.2, collection_interval=0.5)
SHORT = Timing(timeout=6, poll_interval=0.2, collection_interval=0.5)
"""For checks that are going to fail."""
UNTIL_DEADLINE = Timing(timeout=75, poll_interval=0.2, collection_interval=0.5)
"""For functions that retry until shortly before their own timeout, and only then log why."""
UNREACHABLE = "http://127.0.0.1:9"


@pytest.fixture
def endpoints(stack: RunningStack) -> Endpoints:
    return find_endpoints(stack.environment, home=stack.home)


def _outcomes(report: CheckReport) -> dict[str, CheckOutcome]:
    return {it.check: it.outcome for it in report.results}


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


def test_a_working_stack_passes_every_check(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(stack.home))

    code = main(["verify", "--json"])

    output = capsys.readouterr()
    report: dict[str, Any] = json.loads(output.out)
    assert (code, report["failed"]) == (0, None), output
    assert {it["outcome"] for it in report["checks"]} == {"pass"}
    assert [it["check"] for it in report["checks"]][-1] == "cleanup"


def test_it_leaves_nothing_behind_and_other_data_alone(stack: RunningStack, endpoints: Endpoints) -> None:
    pipeline = PipelineClient(stack.environment)
    sku = pipeline.create_sku(7)
    pipeline.place({"orderId": pipeline.order_id("unreadable"), "customerId": "c", "items": []})
    wait_until(lambda: bool(pipeline.dlq("order")), "another dead letter is there")
    dead_letters = pipeline.dlq("order")

    report = verify(stack.environment, endpoints, TIMING)

    assert report.failure is None, report.failure
    assert _left_behind(stack) == []
    assert pipeline.levels(sku) == (7, 0, 7)
    assert pipeline.dlq("order") == dead_letters


def test_an_interrupted_verification_cleans_up_too(stack: RunningStack, endpoints: Endpoints) -> None:
    def interrupt(result: CheckResult) -> None:
        if result.check == "placing":
            assert _left_behind(stack) != []
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(stack.environment, endpoints, TIMING, on_result=interrupt)

    assert _left_behind(stack) == []


@contextmanager
def _denying(stack: RunningStack, service: str, *operations: str) -> Iterator[Environment]:
    """Use the stack with some operations denied; remove what is left behind in the end."""
    state = StackState.read(stack.home)
    assert state is not None
    clients = Clients.of_state(state)

    def deny(model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "denied"}}, model.name)

    client: Any = clients.client(service)  # type: ignore[call-overload]
    for operation in operations:
        client.meta.events.register(f"before-call.{service}.{operation}", deny)
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
            name = rule["Name"]
            events.remove_targets(Rule=name, EventBusName=environment.names.bus, Ids=["queue"])
            events.delete_rule(Name=name, EventBusName=environment.names.bus)
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
        lines = iter(running.stderr.readline, "")
        assert any("placing" in line for line in lines)
        assert _left_behind(stack) != []

        running.send_signal(ended_by)
        *_, last = lines

    assert (running.returncode, last.split(maxsplit=1)) == (130, ["pass", "cleanup\n"])
    assert _left_behind(stack) == []


def test_what_cannot_be_removed_is_reported_and_everything_else_is_removed(
    stack: RunningStack, endpoints: Endpoints
) -> None:
    with _denying(stack, "events", "RemoveTargets") as environment:
        report = verify(environment, endpoints, TIMING)
        left = _left_behind(stack)

    assert report.failure is not None
    assert report.failure.check == "cleanup"
    (rule,) = left
    assert report.failure.message.startswith(f"rule and queue {rule} cannot be removed: ")


def test_an_interrupt_is_raised_and_what_was_left_behind_is_reported(
    stack: RunningStack, endpoints: Endpoints
) -> None:
    results: list[CheckResult] = []

    def interrupt(result: CheckResult) -> None:
        results.append(result)
        if result.check == "inventory":
            raise KeyboardInterrupt

    with _denying(stack, "sqs", "DeleteQueue") as environment, pytest.raises(KeyboardInterrupt):
        verify(environment, endpoints, TIMING, on_result=interrupt)

    last = results[-1]
    assert (last.check, last.outcome) == ("cleanup", CheckOutcome.FAIL)
    assert "-verify-" in last.message
    assert "DeleteQueue" in last.message


def test_a_log_line_is_found_when_the_local_clock_is_ahead(stack: RunningStack) -> None:
    pipeline = PipelineClient(stack.environment)
    detail = pipeline.order("ahead", pipeline.create_sku(5))
    pipeline.place(detail)
    ahead = FunctionDiagnostics(stack.environment, "order", utc_now() + timedelta(minutes=4))
    scenario = Scenario("ahead", detail, Status.CONFIRMED)

    wait_until(lambda: ahead.missing(scenario, [LogEvent.ORDER_RESERVED]) == [], "the line is found")

    assert ahead.missing(scenario, [LogEvent.ORDER_REJECTED]) == [LogEvent.ORDER_REJECTED]


def test_a_disabled_rule_fails_the_wiring_check(stack: RunningStack, endpoints: Endpoints) -> None:
    events, names = stack.environment.client("events"), stack.environment.names
    events.disable_rule(Name=names.rule("payment"), EventBusName=names.bus)
    try:
        report = verify(stack.environment, endpoints, SHORT)
    finally:
        events.enable_rule(Name=names.rule("payment"), EventBusName=names.bus)

    assert report.failure is not None
    assert report.failure.check == "wiring"
    assert report.failure.message == f"rule {names.rule('payment')} is DISABLED"
    assert _outcomes(report)["order function"] is CheckOutcome.BLOCKED
    assert _left_behind(stack) == []


def test_a_disabled_mapping_fails_the_wiring_check(stack: RunningStack, endpoints: Endpoints) -> None:
    name = stack.environment.names.function("order")
    with _mapping_disabled(stack, "order"):
        report = verify(stack.environment, endpoints, SHORT)

    assert report.failure is not None
    assert report.failure.check == "wiring"
    assert report.failure.message == f"the mapping from queue {name} to function {name} is Disabled"


@contextmanager
def _mapping_disabled(stack: RunningStack, function: str) -> Iterator[None]:
    functions, name = stack.environment.client("lambda"), stack.environment.names.function(function)
    mapping = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"][0]["UUID"]
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping, Enabled=True)


def _in_flight(stack: RunningStack, function: str) -> int:
    response = stack.environment.client("sqs").get_queue_attributes(
        QueueUrl=stack.environment.queue_url(function),
        AttributeNames=["ApproximateNumberOfMessagesNotVisible"],
    )
    return int(response["Attributes"]["ApproximateNumberOfMessagesNotVisible"])


@contextmanager
def _environment_changed(stack: RunningStack, function: str, **variables: str) -> Iterator[None]:
    functions, name = stack.environment.client("lambda"), stack.environment.names.function(function)
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**before, **variables}}
    )
    try:
        yield
    finally:
        with _mapping_disabled(stack, function):
            # A worker that is busy while its function is changed keeps the old configuration.
            wait_until(lambda: _in_flight(stack, function) == 0, "no batch is under way")
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})


def test_a_function_without_access_to_its_tables_fails_with_its_own_error(
    stack: RunningStack, endpoints: Endpoints
) -> None:
    with _environment_changed(stack, "payment", AWS_ENDPOINT_URL_DYNAMODB=UNREACHABLE):
        report = verify(stack.environment, endpoints, UNTIL_DEADLINE)

    outcomes = _outcomes(report)
    assert report.failure is not None
    assert report.failure.check == "payment function"
    assert f"{UNREACHABLE}/" in report.failure.message
    assert outcomes["order function"] is CheckOutcome.PASS
    assert outcomes["tables"] is CheckOutcome.BLOCKED
    assert outcomes["cleanup"] is CheckOutcome.PASS
    assert _left_behind(stack) == []


def test_an_expiry_function_without_access_to_its_tables_fails_though_no_order_is_overdue(
    stack: RunningStack, endpoints: Endpoints
) -> None:
    with _environment_changed(stack, "expiry", AWS_ENDPOINT_URL_DYNAMODB=UNREACHABLE):
        report = verify(stack.environment, endpoints, UNTIL_DEADLINE)

    assert report.failure is not None
    assert report.failure.check == "expiry function"
    assert f"{UNREACHABLE}/" in report.failure.message
    assert _left_behind(stack) == []


def test_a_wrong_metrics_token_fails_the_metrics_page_and_no_order_check(
    stack: RunningStack, endpoints: Endpoints
) -> None:
    url = endpoints.metrics().url

    report = verify(stack.environment, replace(endpoints, metrics=lambda: Address(url, "wrong")), TIMING)

    outcomes = _outcomes(report)
    assert report.failure is not None
    assert report.failure.check == "metrics page"
    assert "401" in report.failure.message
    assert outcomes.pop("metrics page") is CheckOutcome.FAIL
    assert outcomes.pop("counters") is CheckOutcome.BLOCKED
    assert set(outcomes.values()) == {CheckOutcome.PASS}


def test_the_command_names_the_failed_check_and_exits_with_one(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(stack.home))
    events, names = stack.environment.client("events"), stack.environment.names
    events.disable_rule(Name=names.rule("order"), EventBusName=names.bus)
    try:
        code = main(["verify", "--timeout", "6"])
    finally:
        events.enable_rule(Name=names.rule("order"), EventBusName=names.bus)

    output = capsys.readouterr()
    assert code == 1
    assert output.err.splitlines()[-1] == (
        f"pulsequeue: local: check failed: wiring: rule {names.rule('order')} is DISABLED"
    )
    assert "blocked" in output.out


def test_without_a_user_the_analytics_check_is_skipped_with_a_hint(
    stack: RunningStack, endpoints: Endpoints
) -> None:
    report = verify(stack.environment, replace(endpoints, token=None), TIMING)

    analytics = next(it for it in report.results if it.check == "analytics")
    assert report.failure is None, report.failure
    assert analytics.outcome is CheckOutcome.SKIP
    assert "--user" in analytics.message

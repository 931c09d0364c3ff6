"""Wiring defects that would lose orders silently are found before any order is sent."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from mypy_boto3_sqs.literals import QueueAttributeNameType

from scripts.environment.environment import Environment
from scripts.verify import resource_checks
from scripts.verify.checks import CheckFailedError
from scripts.verify.function_checks import allows_rule
from tests.conftest import RunningStack

pytestmark = pytest.mark.stack

Defect = AbstractContextManager[None]


@contextmanager
def rule_matching(environment: Environment, function: str, *events: str) -> Iterator[None]:
    client, names = environment.client("events"), environment.names
    spec = environment.topology.consumer(function)
    name, bus = names.rule(function), names.bus
    pattern = json.dumps({**spec.rule_pattern, "detail-type": events})
    client.put_rule(Name=name, EventBusName=bus, EventPattern=pattern, Description=spec.description)
    yield
    pattern = json.dumps(spec.rule_pattern)
    client.put_rule(Name=name, EventBusName=bus, EventPattern=pattern, Description=spec.description)


@contextmanager
def queue_attribute(
    environment: Environment, function: str, attribute: QueueAttributeNameType, value: str
) -> Iterator[None]:
    sqs, url = environment.client("sqs"), environment.queue_url(function)
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute]).get("Attributes", {})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={attribute: value})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes={attribute: before.get(attribute, "")})


@contextmanager
def variables(environment: Environment, function: str, **values: str) -> Iterator[None]:
    client, name = environment.client("lambda"), environment.names.function(function)
    before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {**before, **values}})
    yield
    client.update_function_configuration(FunctionName=name, Environment={"Variables": before})


@contextmanager
def handler_set(environment: Environment, function: str, handler: str) -> Iterator[None]:
    client, name = environment.client("lambda"), environment.names.function(function)
    client.update_function_configuration(FunctionName=name, Handler=handler)
    yield
    expected = environment.topology.function(function).handler
    client.update_function_configuration(FunctionName=name, Handler=expected)


@contextmanager
def without_authorizer(environment: Environment) -> Iterator[None]:
    gateway = environment.client("apigatewayv2")
    (api,) = gateway.get_apis()["Items"]
    routes = gateway.get_routes(ApiId=api["ApiId"])["Items"]
    (route,) = [it for it in routes if it["RouteKey"] == "GET /api/orders"]
    gateway.update_route(ApiId=api["ApiId"], RouteId=route["RouteId"], AuthorizationType="NONE")
    yield
    gateway.update_route(
        ApiId=api["ApiId"],
        RouteId=route["RouteId"],
        AuthorizationType="JWT",
        AuthorizerId=route["AuthorizerId"],
    )


@contextmanager
def route_to(environment: Environment, function: str, other: str) -> Iterator[None]:
    gateway, names = environment.client("apigatewayv2"), environment.names
    (api,) = gateway.get_apis()["Items"]
    (integration,) = [
        it
        for it in gateway.get_integrations(ApiId=api["ApiId"])["Items"]
        if it["IntegrationUri"].endswith(f":{names.function(function)}")
    ]

    def set_target(arn: str) -> None:
        gateway.update_integration(
            ApiId=api["ApiId"], IntegrationId=integration["IntegrationId"], IntegrationUri=arn
        )

    arn = integration["IntegrationUri"]
    set_target(arn.replace(names.function(function), names.function(other)))
    yield
    set_target(arn)


@contextmanager
def schedule_to(environment: Environment, function: str) -> Iterator[None]:
    scheduler, names = environment.client("scheduler"), environment.names
    it = scheduler.get_schedule(Name=names.schedule("collector"))

    def set_target(arn: str) -> None:
        scheduler.update_schedule(
            Name=it["Name"],
            ScheduleExpression=it["ScheduleExpression"],
            FlexibleTimeWindow=it["FlexibleTimeWindow"],
            Target={**it["Target"], "Arn": arn},
        )

    arn = it["Target"]["Arn"]
    set_target(arn.replace(names.function("collector"), names.function(function)))
    yield
    set_target(arn)


@contextmanager
def without_partial_failures(environment: Environment, function: str) -> Iterator[None]:
    client = environment.client("lambda")
    name = environment.names.function(function)
    (mapping,) = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], FunctionResponseTypes=[])
    yield
    client.update_event_source_mapping(
        UUID=mapping["UUID"], FunctionResponseTypes=mapping["FunctionResponseTypes"]
    )


@contextmanager
def outdated_alias(environment: Environment, function: str) -> Iterator[None]:
    """Invoke an alias that still points to the version before the latest deployment."""
    client, name = environment.client("lambda"), environment.names.function(function)
    (mapping,) = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    version = client.publish_version(FunctionName=name)["Version"]
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    client.update_event_source_mapping(UUID=mapping["UUID"], FunctionName=f"{name}:live")
    assert wiring_problem(environment) == ""
    with variables(environment, function, DEPLOYED="again"):
        yield
    client.update_event_source_mapping(UUID=mapping["UUID"], FunctionName=name)
    client.delete_alias(FunctionName=name, Name="live")
    client.delete_function(FunctionName=name, Qualifier=version)


def policy(rule: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["sqs:SendMessage"],
        "Resource": ["*"],
        "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:events:us-east-1:1:rule/bus/{rule}"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def wiring_problem(environment: Environment) -> str:
    """Return the problem that the wiring check reports; empty where it passes."""
    try:
        resource_checks.check_wiring(environment)
    except CheckFailedError as error:
        return str(error)
    return ""


PAYMENT_EVENTS = ("PaymentRequested", "PaymentAnswered", "OrderCancelled", "RefundRequested")

# `@` stands for the prefix of the environment's names with its dash, `!` for the prefix alone.
DEFECTS: dict[str, tuple[Callable[[Environment], Defect], str]] = {
    "a rule that matches too few events": (
        lambda it: rule_matching(it, "payment", "PaymentRequested", "PaymentAnswered", "OrderCancelled"),
        "rule @payment does not match RefundRequested",
    ),
    "a rule that matches too many events": (
        lambda it: rule_matching(it, "payment", *PAYMENT_EVENTS, "OrderPlaced"),
        'rule @payment has the pattern {"detail-type": ["PaymentRequested", ',
    ),
    "an expiry queue without a delay": (
        lambda it: queue_attribute(it, "expiry", "DelaySeconds", "0"),
        "queue @expiry delays messages by 0 s, expected ",
    ),
    "a queue without dead letters": (
        lambda it: queue_attribute(it, "order", "RedrivePolicy", ""),
        "queue @order does not have @order-dlq as its dead-letter queue",
    ),
    "a queue policy for another rule": (
        lambda it: queue_attribute(it, "order", "Policy", policy("other")),
        "the policy of queue @order does not allow rule @order to send messages",
    ),
    "a function with variables of another environment": (
        lambda it: variables(it, "expiry", ORDERS_TABLE="prod-pulsequeue-orders"),
        "function @expiry has variables of another environment: ORDERS_TABLE=prod-pulsequeue-orders",
    ),
    "a function with another handler": (
        lambda it: handler_set(it, "expiry", "services.order.handlers.order"),
        "function @expiry has the handler services.order.handlers.order, expected services",
    ),
    "an API without an authorizer": (
        without_authorizer,
        "HTTP API ! requires no token at GET /api/orders",
    ),
    "a route to another function": (
        lambda it: route_to(it, "exposition", "migrator"),
        "route GET /metrics invokes @migrator, expected function @exposition",
    ),
    "a schedule of another function": (
        lambda it: schedule_to(it, "migrator"),
        "schedule @collector invokes @migrator, expected function @collector",
    ),
    "a mapping without partial failures": (
        lambda it: without_partial_failures(it, "order"),
        "the mapping from queue @order to function @order does not have ReportBatchItemFailures",
    ),
    "an outdated version": (
        lambda it: outdated_alias(it, "payment"),
        "the mapping from queue @payment to function @payment invokes version ",
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_wiring_defect_is_reported_and_nothing_else_is(stack: RunningStack, defect: str) -> None:
    introduce, expected = DEFECTS[defect]

    with introduce(stack.environment):
        problem = wiring_problem(stack.environment)

    prefix = stack.environment.names.prefix
    assert problem.startswith(expected.replace("@", f"{prefix}-").replace("!", prefix))
    assert wiring_problem(stack.environment) == ""


def test_a_missing_environment_is_reported_in_one_sentence(stack: RunningStack) -> None:
    absent = Environment("staging", stack.environment.topology, stack.environment.clients)

    assert (
        wiring_problem(absent)
        == "us-east-1 has neither bus nor tables of staging; check the region, or deploy it there"
    )


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        (policy("this"), True),
        (policy("that"), False),
        (policy("this").replace("Allow", "Deny"), False),
        (policy("this").replace("SendMessage", "ReceiveMessage"), False),
        (None, False),
    ],
)
def test_a_queue_policy_allows_its_own_rule_only(given: str | None, *, allowed: bool) -> None:
    assert allows_rule(given, "this") is allowed

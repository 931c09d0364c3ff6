"""What leads an order astray in silence is found before any order is sent, and named."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from mypy_boto3_sqs.literals import QueueAttributeNameType

from scripts.environment.environment import Environment
from scripts.verify import resource_checks
from scripts.verify.checks import BrokenLinkError
from scripts.verify.delivery_checks import admits
from tests.conftest import RunningStack

pytestmark = pytest.mark.stack

Broken = AbstractContextManager[None]


@contextmanager
def hearing(environment: Environment, function: str, *events: str) -> Iterator[None]:
    client, names = environment.client("events"), environment.names
    spec = environment.topology.consumer(function)
    name, bus = names.rule(function), names.bus
    pattern = json.dumps({**spec.rule_pattern, "detail-type": events})
    client.put_rule(Name=name, EventBusName=bus, EventPattern=pattern, Description=spec.description)
    yield
    pattern = json.dumps(spec.rule_pattern)
    client.put_rule(Name=name, EventBusName=bus, EventPattern=pattern, Description=spec.description)


@contextmanager
def queued(
    environment: Environment, function: str, attribute: QueueAttributeNameType, value: str
) -> Iterator[None]:
    sqs, url = environment.client("sqs"), environment.queue_url(function)
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute]).get("Attributes", {})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={attribute: value})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes={attribute: before.get(attribute, "")})


@contextmanager
def told(environment: Environment, function: str, **variables: str) -> Iterator[None]:
    client, name = environment.client("lambda"), environment.names.function(function)
    before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**before, **variables}}
    )
    yield
    client.update_function_configuration(FunctionName=name, Environment={"Variables": before})


@contextmanager
def handled(environment: Environment, function: str, handler: str) -> Iterator[None]:
    client, name = environment.client("lambda"), environment.names.function(function)
    client.update_function_configuration(FunctionName=name, Handler=handler)
    yield
    should = environment.topology.function(function).handler
    client.update_function_configuration(FunctionName=name, Handler=should)


@contextmanager
def unguarded(environment: Environment) -> Iterator[None]:
    gateway = environment.client("apigatewayv2")
    (api,) = gateway.get_apis()["Items"]
    (route,) = [it for it in gateway.get_routes(ApiId=api["ApiId"])["Items"] if "AuthorizerId" in it]
    gateway.update_route(ApiId=api["ApiId"], RouteId=route["RouteId"], AuthorizationType="NONE")
    yield
    gateway.update_route(
        ApiId=api["ApiId"],
        RouteId=route["RouteId"],
        AuthorizationType="JWT",
        AuthorizerId=route["AuthorizerId"],
    )


@contextmanager
def answered_by(environment: Environment, function: str, other: str) -> Iterator[None]:
    gateway, names = environment.client("apigatewayv2"), environment.names
    (api,) = gateway.get_apis()["Items"]
    (integration,) = [
        it
        for it in gateway.get_integrations(ApiId=api["ApiId"])["Items"]
        if it["IntegrationUri"].endswith(f":{names.function(function)}")
    ]

    def lead_to(arn: str) -> None:
        gateway.update_integration(
            ApiId=api["ApiId"], IntegrationId=integration["IntegrationId"], IntegrationUri=arn
        )

    arn = integration["IntegrationUri"]
    lead_to(arn.replace(names.function(function), names.function(other)))
    yield
    lead_to(arn)


@contextmanager
def scheduled(environment: Environment, function: str) -> Iterator[None]:
    scheduler, names = environment.client("scheduler"), environment.names
    it = scheduler.get_schedule(Name=names.schedule("collector"))

    def lead_to(arn: str) -> None:
        scheduler.update_schedule(
            Name=it["Name"],
            ScheduleExpression=it["ScheduleExpression"],
            FlexibleTimeWindow=it["FlexibleTimeWindow"],
            Target={**it["Target"], "Arn": arn},
        )

    arn = it["Target"]["Arn"]
    lead_to(arn.replace(names.function("collector"), names.function(function)))
    yield
    lead_to(arn)


@contextmanager
def silent_about_failures(environment: Environment, function: str) -> Iterator[None]:
    client = environment.client("lambda")
    name = environment.names.function(function)
    (mapping,) = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], FunctionResponseTypes=[])
    yield
    client.update_event_source_mapping(
        UUID=mapping["UUID"], FunctionResponseTypes=mapping["FunctionResponseTypes"]
    )


@contextmanager
def gone_back(environment: Environment, function: str) -> Iterator[None]:
    """Have an alias called that stayed behind when the function was deployed again."""
    client, name = environment.client("lambda"), environment.names.function(function)
    (mapping,) = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    version = client.publish_version(FunctionName=name)["Version"]
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    client.update_event_source_mapping(UUID=mapping["UUID"], FunctionName=f"{name}:live")
    assert named(environment) == ""
    with told(environment, function, DEPLOYED="again"):
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


def named(environment: Environment) -> str:
    """Return what the wiring is said to be broken at; nothing where it is whole."""
    try:
        resource_checks.whole(environment)
    except BrokenLinkError as error:
        return str(error)
    return ""


# `@` stands for how the environment's names begin, and `!` for that name alone.
BROKEN: dict[str, tuple[Callable[[Environment], Broken], str]] = {
    "a rule that hears too little": (
        lambda it: hearing(it, "payment", "PaymentRequested"),
        "rule @payment does not hear RefundRequested",
    ),
    "a rule that hears too much": (
        lambda it: hearing(it, "payment", "PaymentRequested", "RefundRequested", "OrderPlaced"),
        'rule @payment has the pattern {"detail-type": ["PaymentRequested", ',
    ),
    "a late queue that is not late": (
        lambda it: queued(it, "expiry", "DelaySeconds", "0"),
        "queue @expiry delays what comes by 0 s, not by ",
    ),
    "a queue without dead letters": (
        lambda it: queued(it, "order", "RedrivePolicy", ""),
        "queue @order does not give up what cannot be done to queue @order-dlq",
    ),
    "a queue for another rule": (
        lambda it: queued(it, "order", "Policy", policy("other")),
        "queue @order takes nothing from rule @order: its policy",
    ),
    "a function told of another environment": (
        lambda it: told(it, "expiry", ORDERS_TABLE="prod-pulsequeue-orders"),
        "function @expiry is told of another environment: ORDERS_TABLE=prod-pulsequeue-orders",
    ),
    "a function that runs something else": (
        lambda it: handled(it, "expiry", "services.order.handlers.order"),
        "function @expiry runs services.order.handlers.order, not services.order.handlers.expiry",
    ),
    "an API that lets everybody in": (
        unguarded,
        "HTTP API ! asks nobody for a token at ANY /api/{proxy+}",
    ),
    "a route that leads elsewhere": (
        lambda it: answered_by(it, "exposition", "migrator"),
        "route GET /metrics leads to @migrator, not to function @exposition",
    ),
    "a schedule that leads elsewhere": (
        lambda it: scheduled(it, "migrator"),
        "schedule @collector leads to @migrator, not to function @collector",
    ),
    "a mapping that does not ask what failed": (
        lambda it: silent_about_failures(it, "order"),
        "the mapping from queue @order to function @order has a whole batch come again",
    ),
    "a version that was deployed once": (
        lambda it: gone_back(it, "payment"),
        "the mapping from queue @payment to function @payment leads to version ",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_it_is_found_and_named_and_nothing_else_is(stack: RunningStack, what: str) -> None:
    broken, says = BROKEN[what]

    with broken(stack.environment):
        fault = named(stack.environment)

    prefix = stack.environment.names.prefix
    assert fault.startswith(says.replace("@", f"{prefix}-").replace("!", prefix))
    assert named(stack.environment) == ""


def test_an_environment_that_is_not_there_is_told_in_one_sentence(stack: RunningStack) -> None:
    absent = Environment("staging", stack.environment.topology, stack.environment.clients)

    assert named(absent) == "us-east-1 has neither bus nor tables of staging; is it deployed there?"


@pytest.mark.parametrize(
    ("given", "lets_in"),
    [
        (policy("this"), True),
        (policy("that"), False),
        (policy("this").replace("Allow", "Deny"), False),
        (policy("this").replace("SendMessage", "ReceiveMessage"), False),
        (None, False),
    ],
)
def test_a_queue_takes_only_what_its_policy_allows(given: str | None, *, lets_in: bool) -> None:
    assert admits(given, "this") is lets_in

"""Checks that a function is deployed as configured, and that its rule, queue and mapping deliver to it.

Each check returns a description of the problem, or None.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from scripts.environment.lambda_env import DatabaseAddress, LambdaEnvInputs, SignIn, variables
from scripts.verify.checks import listed, problem_or_missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

    from scripts.environment.environment import Environment
    from scripts.environment.topology import Consumer

# A function is Pending for a moment after it is created, and can be invoked all the same.
_INVOCABLE: Final = frozenset({"Active", "Pending", "Inactive"})
_NO_REASON: Final = "no reason given"
_PLACEHOLDERS: Final = LambdaEnvInputs(0, DatabaseAddress("", 0, ""), sign_in=SignIn("", "", "", "", ""))
"""Values that only the environment itself knows; they are not compared."""
_COMPARED_SUFFIXES: Final = ("_TABLE", "_PARAMETER", "BUS_NAME", "PULSEQUEUE_ENV")
"""Of variables that name resources of the environment."""
ACTIVE_MAPPING: Final = frozenset({"Enabled", "Enabling", "Updating", "Creating"})
_PARTIAL_FAILURES: Final = "ReportBatchItemFailures"
_SEND_ACTIONS: Final = frozenset({"sqs:sendmessage", "sqs:*"})


def function_problem(environment: Environment, function: str) -> str | None:
    """Check state, handler and environment variables of the latest deployment."""
    name, spec = environment.names.function(function), environment.topology.function(function)

    def probe() -> str | None:
        config = environment.client("lambda").get_function_configuration(FunctionName=name)
        state = config.get("State", "Active")
        if state not in _INVOCABLE:
            return f"function {name} is {state}: {config.get('StateReason', _NO_REASON)}"
        if config.get("LastUpdateStatus") == "Failed":
            reason = config.get("LastUpdateStatusReason", _NO_REASON)
            return f"the last update of function {name} failed: {reason}"
        if config["Handler"] != spec.handler:
            return f"function {name} has the handler {config['Handler']}, expected {spec.handler}"
        expected = variables(environment.names, environment.topology, function, _PLACEHOLDERS)
        actual = _variables(config)
        wrong = [
            f"{key}={actual.get(key)}"
            for key, value in expected.items()
            if key.endswith(_COMPARED_SUFFIXES) and actual.get(key) != value
        ]
        return f"function {name} has variables of another environment: {listed(wrong)}" if wrong else None

    return problem_or_missing(f"function {name}", probe)


def target_problem(environment: Environment, caller: str, arn: str, function: str) -> str | None:
    """Check that a caller invokes this function, and the version that was deployed last."""
    client, name = environment.client("lambda"), environment.names.function(function)
    _, _, target = arn.partition(":function:")
    invoked, _, qualifier = target.partition(":")
    if invoked != name:
        return f"{caller} invokes {target or arn}, expected function {name}"
    if not qualifier:
        return None

    def probe() -> str | None:
        used = client.get_function_configuration(FunctionName=name, Qualifier=qualifier)
        latest = client.get_function_configuration(FunctionName=name)
        if (used["CodeSha256"], _variables(used)) == (latest["CodeSha256"], _variables(latest)):
            return None
        return f"{caller} invokes version {used['Version']} of function {name}, not the latest deployment"

    return problem_or_missing(f"{qualifier} of function {name}", probe)


def _variables(config: FunctionConfigurationResponseTypeDef) -> Mapping[str, str]:
    return config.get("Environment", {}).get("Variables", {})


# --- what feeds a consumer ----------------------------------------------------------------------------


def rule_problem(environment: Environment, function: str, spec: Consumer) -> str | None:
    if not spec.subscriptions:
        return None
    events, names = environment.client("events"), environment.names
    name, queue = names.rule(function), names.queue(function)

    def probe() -> str | None:
        rule = events.describe_rule(Name=name, EventBusName=names.bus)
        if not rule["State"].startswith("ENABLED"):
            return f"rule {name} is {rule['State']}"
        if problem := _pattern_problem(json.loads(rule.get("EventPattern", "{}")), spec):
            return f"rule {name} {problem}"
        targets = events.list_targets_by_rule(Rule=name, EventBusName=names.bus)["Targets"]
        if not any(target["Arn"].endswith(f":{queue}") for target in targets):
            return f"rule {name} does not have queue {queue} as a target"
        return None

    return problem_or_missing(f"rule {name}", probe)


def _pattern_problem(pattern: Mapping[str, Any], spec: Consumer) -> str | None:
    expected = spec.rule_pattern
    if missing := sorted(set(spec.subscriptions) - {*pattern.get("detail-type", ())}):
        return f"does not match {listed(missing)}"
    if {**pattern, "detail-type": sorted(pattern["detail-type"])} != {
        **expected,
        "detail-type": sorted(expected["detail-type"]),
    }:
        return f"has the pattern {json.dumps(pattern)}, expected {json.dumps(expected)}"
    return None


def queue_problem(environment: Environment, function: str, spec: Consumer) -> str | None:
    sqs, names = environment.client("sqs"), environment.names
    name, dlq, rule = names.queue(function), names.dead_letter_queue(function), names.rule(function)

    def probe() -> str | None:
        sqs.get_queue_url(QueueName=dlq)
        attributes = sqs.get_queue_attributes(
            QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"],
            AttributeNames=["DelaySeconds", "Policy", "RedrivePolicy"],
        )["Attributes"]
        delay = spec.delay_seconds(_hold_seconds(environment, function) if spec.delay else 0)
        if int(attributes["DelaySeconds"]) != delay:
            return f"queue {name} delays messages by {attributes['DelaySeconds']} s, expected {delay} s"
        target = json.loads(attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn", "")
        if not target.endswith(f":{dlq}"):
            return f"queue {name} does not have {dlq} as its dead-letter queue"
        policy = attributes.get("Policy")
        # An emulator delivers to queues without a policy, AWS does not.
        needs_policy = spec.subscriptions and not (environment.is_local and not policy)
        if needs_policy and not allows_rule(policy, rule):
            return f"the policy of queue {name} does not allow rule {rule} to send messages"
        return None

    return problem_or_missing(f"queue {name} or {dlq}", probe)


def _hold_seconds(environment: Environment, function: str) -> int:
    """Return how long a consumer is configured to hold a reservation."""
    config = environment.client("lambda").get_function_configuration(
        FunctionName=environment.names.function(function)
    )
    return int(_variables(config).get("HOLD_SECONDS", environment.topology.settings.hold_seconds))


def allows_rule(policy: str | None, rule: str) -> bool:
    """Tell whether a queue's policy lets a rule of that name send messages."""
    return any(
        statement["Effect"] == "Allow"
        and _SEND_ACTIONS & {action.lower() for action in _as_list(statement["Action"])}
        and _applies_to(statement, rule)
        for statement in _as_list(json.loads(policy or "{}").get("Statement", []))
    )


def _applies_to(statement: Mapping[str, Any], rule: str) -> bool:
    conditions: Mapping[str, Any] = statement.get("Condition", {})
    sources = [
        source
        for condition in conditions.values()
        for key, value in condition.items()
        if key.lower() == "aws:sourcearn"
        for source in _as_list(value)
    ]
    return not sources or any(source.endswith(f"/{rule}") for source in sources)


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401 - IAM takes one for a list of one
    return value if isinstance(value, list) else [value]


def mapping_problem(environment: Environment, function: str) -> str | None:
    client, names = environment.client("lambda"), environment.names
    queue, name = names.queue(function), names.function(function)

    def probe() -> str | None:
        sqs = environment.client("sqs")
        arn = sqs.get_queue_attributes(
            QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"], AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        # The function itself, or an alias of it.
        mappings = [
            it
            for it in client.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
            if name in it.get("FunctionArn", "").split(":")
        ]
        if not mappings:
            return f"no event source mapping from queue {queue} to function {name}"
        label = f"the mapping from queue {queue} to function {name}"
        active = [it for it in mappings if it.get("State", "Enabled") in ACTIVE_MAPPING]
        if not active:
            return f"{label} is {listed(sorted({it['State'] for it in mappings}))}"
        if not all(_PARTIAL_FAILURES in it.get("FunctionResponseTypes", ()) for it in active):
            return f"{label} does not have {_PARTIAL_FAILURES}: one failed message retries its whole batch"
        problems = (target_problem(environment, label, it["FunctionArn"], function) for it in active)
        return next(filter(None, problems), None)

    return problem_or_missing(f"queue {queue}", probe)

"""The way of an event to a function: the rule that hears it, the queue, and what hands it over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from scripts.verify import function_checks
from scripts.verify.absence import unless_absent
from scripts.verify.checks import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.environment.environment import Environment
    from scripts.environment.topology import Consumer

_FEEDS: Final = frozenset({"Enabled", "Enabling", "Updating", "Creating"})
_REPORTS: Final = "ReportBatchItemFailures"
_SENDS: Final = frozenset({"sqs:sendmessage", "sqs:*"})


def rule(environment: Environment, function: str, spec: Consumer) -> str | None:
    events, names = environment.client("events"), environment.names
    name, queue = names.rule(function), names.queue(function)

    def look() -> str | None:
        it = events.describe_rule(Name=name, EventBusName=names.bus)
        if not it["State"].startswith("ENABLED"):
            return f"rule {name} is {it['State']}"
        if fault := _misheard(json.loads(it.get("EventPattern", "{}")), spec):
            return f"rule {name} {fault}"
        targets = events.list_targets_by_rule(Rule=name, EventBusName=names.bus)["Targets"]
        if not any(target["Arn"].endswith(f":{queue}") for target in targets):
            return f"rule {name} does not lead to queue {queue}"
        return None

    return unless_absent(f"rule {name}", look)


def _misheard(pattern: Mapping[str, Any], spec: Consumer) -> str | None:
    should = spec.rule_pattern
    if missing := sorted(set(spec.subscriptions) - {*pattern.get("detail-type", ())}):
        return f"does not hear {told(missing)}"
    if {**pattern, "detail-type": sorted(pattern["detail-type"])} != {
        **should,
        "detail-type": sorted(should["detail-type"]),
    }:
        return f"has the pattern {json.dumps(pattern)}, not {json.dumps(should)}"
    return None


def queue(environment: Environment, function: str, spec: Consumer) -> str | None:
    sqs, names = environment.client("sqs"), environment.names
    name, letters = names.queue(function), names.dead_letter_queue(function)

    def look() -> str | None:
        sqs.get_queue_url(QueueName=letters)
        it = sqs.get_queue_attributes(
            QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"],
            AttributeNames=["DelaySeconds", "Policy", "RedrivePolicy"],
        )["Attributes"]
        delay = spec.delay_seconds(function_checks.hold_seconds(environment, function) if spec.delay else 0)
        if int(it["DelaySeconds"]) != delay:
            return f"queue {name} delays what comes by {it['DelaySeconds']} s, not by {delay} s"
        target = json.loads(it.get("RedrivePolicy") or "{}").get("deadLetterTargetArn", "")
        if not target.endswith(f":{letters}"):
            return f"queue {name} does not give up what cannot be done to queue {letters}"
        # An emulator delivers to queues without a policy, AWS does not.
        if not (environment.is_local and not it.get("Policy")) and not admits(
            it.get("Policy"), names.rule(function)
        ):
            return (
                f"queue {name} takes nothing from rule {names.rule(function)}: its policy does not allow it"
            )
        return None

    return unless_absent(f"queue {name} or {letters}", look)


def admits(policy: str | None, rule: str) -> bool:
    """Tell whether a queue's policy lets a rule of that name put something in."""
    return any(
        it["Effect"] == "Allow"
        and _SENDS & {action.lower() for action in _several(it["Action"])}
        and _is_for(it, rule)
        for it in _several(json.loads(policy or "{}").get("Statement", []))
    )


def _is_for(statement: Mapping[str, Any], rule: str) -> bool:
    conditions: Mapping[str, Any] = statement.get("Condition", {})
    sources = [
        source
        for condition in conditions.values()
        for key, value in condition.items()
        if key.lower() == "aws:sourcearn"
        for source in _several(value)
    ]
    return not sources or any(it.endswith(f"/{rule}") for it in sources)


def _several(given: Any) -> list[Any]:  # noqa: ANN401 - IAM takes one for a list of one
    return given if isinstance(given, list) else [given]


def mapping(environment: Environment, function: str) -> str | None:
    functions, names = environment.client("lambda"), environment.names
    queue, name = names.queue(function), names.function(function)

    def look() -> str | None:
        sqs = environment.client("sqs")
        arn = sqs.get_queue_attributes(
            QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"], AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        # The function itself, or an alias of it.
        mappings = [
            it
            for it in functions.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
            if name in it.get("FunctionArn", "").split(":")
        ]
        if not mappings:
            return f"nothing hands the messages of queue {queue} to function {name}"
        what = f"the mapping from queue {queue} to function {name}"
        feeding = [it for it in mappings if it.get("State", "Enabled") in _FEEDS]
        if not feeding:
            return f"{what} is {told(sorted({it['State'] for it in mappings}))}"
        if not all(_REPORTS in it.get("FunctionResponseTypes", ()) for it in feeding):
            return f"{what} has a whole batch come again for one message: it does not ask which failed"
        calls = (function_checks.by(environment, what, it["FunctionArn"], function) for it in feeding)
        return next(filter(None, calls), None)

    return unless_absent(f"queue {queue}", look)

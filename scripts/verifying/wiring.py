"""What has to be there, switched on, and led to the right place before any order is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from scripts.topology import Consumer, Endpoint, Scheduled
from scripts.verifying.chain import BrokenLinkError, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scripts.environment import Environment

_ABSENT: Final = frozenset({"ResourceNotFoundException", "NotFoundException", "ParameterNotFound"})
# A function is Pending for a moment after it was made, and takes work all the same.
_WORKS: Final = frozenset({"Active", "Pending", "Inactive"})
_FEEDS: Final = frozenset({"Enabled", "Enabling", "Updating", "Creating"})


def whole(environment: Environment) -> str:
    """Look at everything that the table of functions asks for, and name every fault there is."""
    faults = [fault for fault in _faults(environment) if fault]
    if faults:
        raise BrokenLinkError("; ".join(faults))
    it = environment.topology
    return f"{len(it.functions)} functions, {len(it.consumers)} queues, {len(it.tables)} tables"


def _faults(environment: Environment) -> Iterator[str | None]:
    yield _bus(environment)
    for table in environment.topology.tables:
        yield _table(environment, table)
    for name, spec in environment.topology.functions.items():
        yield _function(environment, name)
        match spec:
            case Consumer():
                yield _rule(environment, name)
                yield _mapping(environment, name)
            case Scheduled():
                yield _schedule(environment, name)
            case Endpoint():
                yield _routes(environment, name, spec)
            case _:
                pass


def _unless_absent(what: str, look: Callable[[], str | None]) -> str | None:
    try:
        return look()
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return f"{what} does not exist"
        raise


def _bus(environment: Environment) -> str | None:
    events, name = environment.client("events"), environment.names.bus

    def look() -> None:
        events.describe_event_bus(Name=name)

    return _unless_absent(f"bus {name}", look)


def _table(environment: Environment, table: str) -> str | None:
    dynamodb, name = environment.client("dynamodb"), environment.names.table(table)

    def look() -> str | None:
        state = dynamodb.describe_table(TableName=name)["Table"].get("TableStatus", "ACTIVE")
        return None if state in {"ACTIVE", "UPDATING"} else f"table {name} is {state}"

    return _unless_absent(f"table {name}", look)


def _function(environment: Environment, function: str) -> str | None:
    functions, name = environment.client("lambda"), environment.names.function(function)

    def look() -> str | None:
        it = functions.get_function_configuration(FunctionName=name)
        state = it.get("State", "Active")
        if state not in _WORKS:
            return f"function {name} is {state}: {it.get('StateReason', 'it does not say why')}"
        if it.get("LastUpdateStatus") == "Failed":
            return (
                f"function {name} was not updated: {it.get('LastUpdateStatusReason', 'it does not say why')}"
            )
        return None

    return _unless_absent(f"function {name}", look)


def _rule(environment: Environment, function: str) -> str | None:
    events, names = environment.client("events"), environment.names
    name, queue = names.rule(function), names.queue(function)

    def look() -> str | None:
        state = events.describe_rule(Name=name, EventBusName=names.bus)["State"]
        if not state.startswith("ENABLED"):
            return f"rule {name} is {state}"
        targets = events.list_targets_by_rule(Rule=name, EventBusName=names.bus)["Targets"]
        if not any(target["Arn"].endswith(f":{queue}") for target in targets):
            return f"rule {name} does not lead to queue {queue}"
        return None

    return _unless_absent(f"rule {name}", look)


def _mapping(environment: Environment, function: str) -> str | None:
    functions, names = environment.client("lambda"), environment.names
    queue, name = names.queue(function), names.function(function)
    arn = environment.client("sqs").get_queue_attributes(
        QueueUrl=environment.queue_url(function), AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    # The function itself, or an alias of it.
    mappings = [
        it
        for it in functions.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
        if name in it.get("FunctionArn", "").split(":")
    ]
    if not mappings:
        return f"nothing hands the messages of queue {queue} to function {name}"
    states = sorted({it.get("State", "Enabled") for it in mappings})
    if _FEEDS.isdisjoint(states):
        return f"the mapping from queue {queue} to function {name} is {told(states)}"
    return None


def _schedule(environment: Environment, function: str) -> str | None:
    scheduler, name = environment.client("scheduler"), environment.names.schedule(function)

    def look() -> str | None:
        state = scheduler.get_schedule(Name=name)["State"]
        return None if state == "ENABLED" else f"schedule {name} is {state}"

    return _unless_absent(f"schedule {name}", look)


def _routes(environment: Environment, function: str, spec: Endpoint) -> str | None:
    gateway, name = environment.client("apigatewayv2"), environment.names.api
    pages = gateway.get_paginator("get_apis").paginate()
    found = [api["ApiId"] for page in pages for api in page["Items"] if api.get("Name") == name]
    if not found:
        return f"HTTP API {name} does not exist"
    routes = gateway.get_paginator("get_routes").paginate(ApiId=found[0])
    there = {it["RouteKey"] for page in routes for it in page["Items"]}
    missing = sorted(set(spec.routes) - there)
    return f"HTTP API {name} has no {told(missing)} for function {function}" if missing else None

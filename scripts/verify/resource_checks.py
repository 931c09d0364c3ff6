"""What has to be there, switched on, and led to the right place before any order is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scripts.environment.topology import Consumer, Endpoint, Scheduled
from scripts.verify import delivery_checks, function_checks
from scripts.verify.absence import unless_absent
from scripts.verify.checks import BrokenLinkError, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.environment.environment import Environment

_MOST: Final = 6
"""Faults that are spelled out; one cause may have very many."""


def whole(environment: Environment) -> str:
    """Look at everything that the table of functions asks for, and name the faults there are."""
    it = environment.topology
    lies_there = [_bus(environment), *(_table(environment, table) for table in it.tables)]
    if all(lies_there):
        raise BrokenLinkError(
            f"{environment.region} has neither bus nor tables of {environment.name}; is it deployed there?"
        )
    if faults := [fault for fault in (*lies_there, *_faults(environment)) if fault]:
        more = f" and {len(faults) - _MOST} more" if len(faults) > _MOST else ""
        raise BrokenLinkError("; ".join(faults[:_MOST]) + more)
    return f"{len(it.functions)} functions, {len(it.consumers)} queues, {len(it.tables)} tables"


def _faults(environment: Environment) -> Iterator[str | None]:
    for name, spec in environment.topology.functions.items():
        yield function_checks.function(environment, name)
        match spec:
            case Consumer():
                yield delivery_checks.rule(environment, name, spec)
                yield delivery_checks.queue(environment, name, spec)
                yield delivery_checks.mapping(environment, name)
            case Scheduled():
                yield _schedule(environment, name)
            case Endpoint():
                yield _routes(environment, name, spec)
            case _:
                pass


def _bus(environment: Environment) -> str | None:
    events, name = environment.client("events"), environment.names.bus

    def look() -> None:
        events.describe_event_bus(Name=name)

    return unless_absent(f"bus {name}", look)


def _table(environment: Environment, table: str) -> str | None:
    dynamodb, name = environment.client("dynamodb"), environment.names.table(table)

    def look() -> str | None:
        state = dynamodb.describe_table(TableName=name)["Table"].get("TableStatus", "ACTIVE")
        return None if state in {"ACTIVE", "UPDATING"} else f"table {name} is {state}"

    return unless_absent(f"table {name}", look)


def _schedule(environment: Environment, function: str) -> str | None:
    scheduler, name = environment.client("scheduler"), environment.names.schedule(function)

    def look() -> str | None:
        it = scheduler.get_schedule(Name=name)
        if it["State"] != "ENABLED":
            return f"schedule {name} is {it['State']}"
        return function_checks.by(environment, f"schedule {name}", it["Target"]["Arn"], function)

    return unless_absent(f"schedule {name}", look)


def _routes(environment: Environment, function: str, spec: Endpoint) -> str | None:
    gateway, name = environment.client("apigatewayv2"), environment.names.api
    pages = gateway.get_paginator("get_apis").paginate()
    found = [api["ApiId"] for page in pages for api in page["Items"] if api.get("Name") == name]
    if not found:
        return f"HTTP API {name} does not exist"
    routes = gateway.get_paginator("get_routes").paginate(ApiId=found[0])
    there = {it["RouteKey"]: it for page in routes for it in page["Items"]}
    if missing := sorted(set(spec.routes) - there.keys()):
        return f"HTTP API {name} has no {told(missing)} for function {function}"
    if spec.callers == "users" and (
        unguarded := [it for it in spec.routes if there[it].get("AuthorizationType") != "JWT"]
    ):
        return f"HTTP API {name} asks nobody for a token at {told(unguarded)}"
    integrations = gateway.get_paginator("get_integrations").paginate(ApiId=found[0])
    leads = {
        it["IntegrationId"]: it.get("IntegrationUri", "") for page in integrations for it in page["Items"]
    }
    return next(
        filter(
            None,
            (
                function_checks.by(
                    environment, f"route {it}", leads[there[it]["Target"].rpartition("/")[2]], function
                )
                for it in spec.routes
            ),
        ),
        None,
    )

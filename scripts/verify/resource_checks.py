"""Checks that every resource exists, is enabled and wired correctly, before any order is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scripts.common.errors import ToolError
from scripts.environment.topology import Consumer, Endpoint, Scheduled, Socket, StreamConsumer
from scripts.verify import function_checks, socket_checks
from scripts.verify.checks import CheckFailedError, listed, problem_or_missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.environment.environment import Environment

_PROBLEMS_SHOWN: Final = 6
"""One cause may have very many."""


def check_wiring(environment: Environment) -> str:
    """Check everything that infra/functions.yaml declares, and fail with the problems found."""
    topology = environment.topology
    basics = [_bus_problem(environment), *(_table_problem(environment, it) for it in topology.tables)]
    if all(basics):
        raise CheckFailedError(
            f"{environment.region} has neither bus nor tables of {environment.name}; "
            "check the region, or deploy it there"
        )
    if problems := [it for it in (*basics, *_function_problems(environment)) if it]:
        hidden = len(problems) - _PROBLEMS_SHOWN
        more = f" and {hidden} more" if hidden > 0 else ""
        raise CheckFailedError("; ".join(problems[:_PROBLEMS_SHOWN]) + more)
    counts = len(topology.functions), len(topology.consumers), len(topology.tables)
    return "{} functions, {} queues, {} tables".format(*counts)


def _function_problems(environment: Environment) -> Iterator[str | None]:
    for name, spec in environment.topology.functions.items():
        yield function_checks.function_problem(environment, name)
        match spec:
            case Consumer():
                yield function_checks.rule_problem(environment, name, spec)
                yield function_checks.queue_problem(environment, name, spec)
                yield function_checks.mapping_problem(environment, name)
            case Scheduled():
                yield _schedule_problem(environment, name)
            case Endpoint():
                yield _route_problem(environment, name, spec)
            case StreamConsumer():
                yield socket_checks.stream_problem(environment, name, spec)
            case Socket():
                yield socket_checks.socket_problem(environment, name, spec)
            case _:
                pass


def _bus_problem(environment: Environment) -> str | None:
    events, name = environment.client("events"), environment.names.bus

    def probe() -> None:
        events.describe_event_bus(Name=name)

    return problem_or_missing(f"bus {name}", probe)


def _table_problem(environment: Environment, table: str) -> str | None:
    dynamodb, name = environment.client("dynamodb"), environment.names.table(table)

    def probe() -> str | None:
        status = dynamodb.describe_table(TableName=name)["Table"].get("TableStatus", "ACTIVE")
        return None if status in {"ACTIVE", "UPDATING"} else f"table {name} is {status}"

    return problem_or_missing(f"table {name}", probe)


def _schedule_problem(environment: Environment, function: str) -> str | None:
    scheduler, name = environment.client("scheduler"), environment.names.schedule(function)

    def probe() -> str | None:
        schedule = scheduler.get_schedule(Name=name)
        if schedule["State"] != "ENABLED":
            return f"schedule {name} is {schedule['State']}"
        arn = schedule["Target"]["Arn"]
        return function_checks.target_problem(environment, f"schedule {name}", arn, function)

    return problem_or_missing(f"schedule {name}", probe)


def _route_problem(environment: Environment, function: str, spec: Endpoint) -> str | None:
    gateway, name = environment.client("apigatewayv2"), environment.names.api
    pages = gateway.get_paginator("get_apis").paginate()
    api_ids = [api["ApiId"] for page in pages for api in page["Items"] if api.get("Name") == name]
    if not api_ids:
        return f"HTTP API {name} does not exist"
    route_pages = gateway.get_paginator("get_routes").paginate(ApiId=api_ids[0])
    routes = {it["RouteKey"]: it for page in route_pages for it in page["Items"]}
    if missing := sorted(set(spec.routes) - routes.keys()):
        return f"HTTP API {name} has no route {listed(missing)} for function {function}"
    if spec.callers == "users" and (
        unguarded := [it for it in spec.routes if routes[it].get("AuthorizationType") != "JWT"]
    ):
        return f"HTTP API {name} requires no token at {listed(unguarded)}"
    integration_pages = gateway.get_paginator("get_integrations").paginate(ApiId=api_ids[0])
    uris = {
        it["IntegrationId"]: it.get("IntegrationUri", "")
        for page in integration_pages
        for it in page["Items"]
    }
    problems = (
        function_checks.target_problem(
            environment, f"route {it}", uris[routes[it]["Target"].rpartition("/")[2]], function
        )
        for it in spec.routes
    )
    return next(filter(None, problems), None)


# --- which part of functions.yaml is deployed ---------------------------------------------------------


def has_read_side(environment: Environment) -> bool:
    """Tell whether the environment has a read side; fail where none of its functions exists at all."""
    if _has_database_functions(environment):
        return True
    if not any(_exists(environment, name) for name in environment.topology.functions):
        raise ToolError(
            f"{environment.region} has no function of {environment.name}; "
            "check the region, or deploy it there."
        )
    return False


def as_deployed(environment: Environment) -> Environment:
    """Leave out the functions with a database where the environment has no read side."""
    topology = environment.topology
    if _has_database_functions(environment):
        return environment
    functions = {name: spec for name, spec in topology.functions.items() if not spec.database}
    return replace(environment, topology=topology.model_copy(update={"functions": functions}))


def _has_database_functions(environment: Environment) -> bool:
    return any(
        _exists(environment, name) for name, spec in environment.topology.functions.items() if spec.database
    )


def _exists(environment: Environment, function: str) -> bool:
    client = environment.client("lambda")
    try:
        client.get_function_configuration(FunctionName=environment.names.function(function))
    except client.exceptions.ResourceNotFoundException:
        return False
    return True

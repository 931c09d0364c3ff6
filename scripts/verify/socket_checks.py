"""Checks of streams and of the WebSocket API: what feeds their functions, and who may connect.

Each check returns a description of the problem, or None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scripts.verify.checks import listed, problem_or_missing
from scripts.verify.function_checks import ACTIVE_MAPPING, target_problem

if TYPE_CHECKING:
    from scripts.environment.environment import Environment
    from scripts.environment.topology import Socket, StreamConsumer

_STAGE: Final = "live"


def stream_problem(environment: Environment, function: str, spec: StreamConsumer) -> str | None:
    """Check that the changes of the table reach the function, and what fails its dead-letter queue."""
    names = environment.names
    table, name, dlq = names.table(spec.stream), names.function(function), names.dead_letter_queue(function)

    def probe() -> str | None:
        environment.client("sqs").get_queue_url(QueueName=dlq)
        stream = (
            environment.client("dynamodb").describe_table(TableName=table)["Table"].get("LatestStreamArn")
        )
        if stream is None:
            return f"table {table} has no stream"
        found = environment.client("lambda").list_event_source_mappings(EventSourceArn=stream)
        mappings = [it for it in found["EventSourceMappings"] if name in it.get("FunctionArn", "").split(":")]
        label = f"the mapping from the stream of {table} to function {name}"
        if not mappings:
            return f"{label} does not exist"
        if not any(it.get("State", "Enabled") in ACTIVE_MAPPING for it in mappings):
            return f"{label} is {listed(sorted({it['State'] for it in mappings}))}"
        problems = (target_problem(environment, label, it["FunctionArn"], function) for it in mappings)
        return next(filter(None, problems), None)

    return problem_or_missing(f"table {table} or queue {dlq}", probe)


def socket_problem(environment: Environment, function: str, spec: Socket) -> str | None:
    """Check the API's stage, its routes, that connecting needs a ticket, and which function answers."""
    gateway, name = environment.client("apigatewayv2"), environment.names.socket
    pages = gateway.get_paginator("get_apis").paginate()
    ids = [api["ApiId"] for page in pages for api in page["Items"] if api.get("Name") == name]
    if not ids:
        return f"WebSocket API {name} does not exist"
    if _STAGE not in {it["StageName"] for it in gateway.get_stages(ApiId=ids[0])["Items"]}:
        return f"WebSocket API {name} has no stage {_STAGE}"
    routes = {it["RouteKey"]: it for it in gateway.get_routes(ApiId=ids[0])["Items"]}
    if missing := sorted(set(spec.socket) - routes.keys()):
        return f"WebSocket API {name} has no route {listed(missing)} for function {function}"
    if routes["$connect"].get("AuthorizationType") != "CUSTOM":
        return f"WebSocket API {name} opens connections without a ticket"
    integrations = gateway.get_integrations(ApiId=ids[0])["Items"]
    uris = {it["IntegrationId"]: it.get("IntegrationUri", "") for it in integrations}
    problems = (
        target_problem(
            environment,
            f"route {it}",
            uris[routes[it]["Target"].rpartition("/")[2]].removesuffix("/invocations"),
            function,
        )
        for it in spec.socket
    )
    return next(filter(None, problems), None)

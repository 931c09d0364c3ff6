"""The WebSocket API of the emulator, with its stage `live`. infra/modules/socket-api is the same on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scripts.environment.topology import Socket

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client

    from scripts.environment.environment import Environment

STAGE: Final = "live"
"""CloudFront passes the path /live on as it is: it is the stage."""
_TICKET: Final = "route.request.querystring.ticket"


def make_socket(environment: Environment) -> str | None:
    """Create or update the API of the function that serves sockets; return its id, or None without one."""
    found = {name: it for name, it in environment.topology.functions.items() if isinstance(it, Socket)}
    for name, spec in found.items():
        gateway, title = environment.client("apigatewayv2"), environment.names.socket
        api = _api(gateway, title)
        authorizer = _authorizer(environment, api, spec.authorizer)
        integration = _integration(gateway, api, _invocation(environment, _arn(environment, name)))
        _routes(gateway, api, spec, f"integrations/{integration}", authorizer)
        return api
    return None


def _api(gateway: ApiGatewayV2Client, title: str) -> str:
    pages = gateway.get_paginator("get_apis").paginate()
    existing = [it["ApiId"] for page in pages for it in page["Items"] if it["Name"] == title]
    api = (
        existing[0]
        if existing
        else gateway.create_api(
            Name=title,
            ProtocolType="WEBSOCKET",
            RouteSelectionExpression="$request.body.action",
            Tags={"ms-custom-id": title},  # as the HTTP API
        )["ApiId"]
    )
    if not gateway.get_stages(ApiId=api)["Items"]:
        gateway.create_stage(ApiId=api, StageName=STAGE, AutoDeploy=True)
    return api


def _authorizer(environment: Environment, api: str, function: str) -> str:
    gateway = environment.client("apigatewayv2")
    for it in gateway.get_authorizers(ApiId=api)["Items"]:
        return it["AuthorizerId"]
    return gateway.create_authorizer(
        ApiId=api,
        Name="ticket",
        AuthorizerType="REQUEST",
        AuthorizerUri=_invocation(environment, _arn(environment, function)),
        IdentitySource=[_TICKET],
    )["AuthorizerId"]


def _integration(gateway: ApiGatewayV2Client, api: str, uri: str) -> str:
    for it in gateway.get_integrations(ApiId=api)["Items"]:
        if it.get("IntegrationUri") == uri:
            return it["IntegrationId"]
    return gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=uri, IntegrationMethod="POST"
    )["IntegrationId"]


def _routes(gateway: ApiGatewayV2Client, api: str, spec: Socket, target: str, authorizer: str) -> None:
    """Have the function serve its routes, and none that it no longer has; connecting needs a ticket."""
    existing = {it["RouteKey"]: it["RouteId"] for it in gateway.get_routes(ApiId=api)["Items"]}
    for key in spec.socket:
        if key in existing:
            continue
        if key == "$connect":
            gateway.create_route(
                ApiId=api,
                RouteKey=key,
                Target=target,
                AuthorizationType="CUSTOM",
                AuthorizerId=authorizer,
            )
        else:
            gateway.create_route(ApiId=api, RouteKey=key, Target=target)
    for key, route in existing.items():
        if key not in spec.socket:
            gateway.delete_route(ApiId=api, RouteId=route)


def _arn(environment: Environment, function: str) -> str:
    name = environment.names.function(function)
    return environment.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]


def _invocation(environment: Environment, function_arn: str) -> str:
    """Return a function's address as authorizers name it."""
    return (
        f"arn:aws:apigateway:{environment.region}:lambda:path/2015-03-31/functions/{function_arn}/invocations"
    )

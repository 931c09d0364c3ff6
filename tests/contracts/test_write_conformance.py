"""Whatever a client makes of the document, commands answer as the document says."""

import json
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from scripts.ops.contracts.openapi import document
from services.commands.api import ROUTES
from tests.support.commands import CommandsApi

AnyCase: TypeAlias = Case[Any]

SCHEMA = schemathesis.openapi.from_dict(document()).include(method="POST", path=[it.path for it in ROUTES])
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def send(api: CommandsApi, case: AnyCase) -> Response:
    sent = requests.Request(**case.as_transport_kwargs(base_url="http://api.example")).prepare()
    url = urlsplit(str(sent.url))
    signed_in = str(sent.headers.get("Authorization", "")).startswith("Bearer ")
    body = sent.body if isinstance(sent.body, bytes) else str(sent.body or "").encode()
    answer = api.send(
        {
            "rawPath": url.path,
            "rawQueryString": url.query,
            "headers": dict(sent.headers),
            "body": body.decode(errors="replace"),
            "requestContext": {
                "stage": "$default",
                "http": {"method": sent.method},
                "authorizer": {"jwt": {"claims": api.claims("adam", "admin")}} if signed_in else None,
                "requestId": "request-1",
            },
        }
    )
    headers = {name: [value] for name, value in answer["headers"].items()}
    return Response(answer["statusCode"], headers, answer["body"].encode(), sent, elapsed=0, verify=True)


@SCHEMA.parametrize()
@settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
def test_every_command_is_answered_as_the_document_says(case: AnyCase) -> None:
    response = send(CommandsApi(), case)

    case.validate_response(response, checks=CHECKS)
    if response.status_code >= 400:
        assert json.loads(response.content)["detail"]

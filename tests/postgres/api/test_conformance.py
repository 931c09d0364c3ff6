"""Requests generated from the OpenAPI document get the responses it describes."""

from typing import Any, Final, TypeAlias
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
from services.analytics.api.routes import ROUTES
from tests.postgres.api.client import ADMIN, ApiClient, insert, order, sold, sold_of
from tests.postgres.conftest import Analytics

AnyCase: TypeAlias = Case[Any]

# Writes are conformed to by the functions that own them (tests/contracts/test_write_conformance.py).
SCHEMA = schemathesis.openapi.from_dict(document()).include(method="GET", path=[it.path for it in ROUTES])

# Not checked: that what fits is always accepted. No schema says that one day is before another.
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def send(client: ApiClient, case: AnyCase) -> Response:
    """Invoke the function with a request as the gateway does, and return its response."""
    sent = requests.Request(**case.as_transport_kwargs(base_url="http://api.example")).prepare()
    url = urlsplit(str(sent.url))
    signed_in = str(sent.headers.get("Authorization", "")).startswith("Bearer ")
    answer = client.send(
        {
            "rawPath": url.path,
            "rawQueryString": url.query,
            "headers": dict(sent.headers),
            "requestContext": {
                "stage": "$default",
                "http": {"method": sent.method},
                "authorizer": {"jwt": {"claims": ADMIN}} if signed_in else None,
                "requestId": "request-1",
            },
        }
    )
    headers = {name: [value] for name, value in answer.headers.items()}
    return Response(answer.status, headers, answer.text.encode(), sent, elapsed=0, verify=True)


@SCHEMA.parametrize()
@settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
def test_every_request_is_answered_as_the_document_says(
    case: AnyCase, analytics: Analytics, client: ApiClient
) -> None:
    if not analytics.rows("SELECT * FROM orders"):
        insert(analytics, "orders", *(order(order_id) for order_id in ("0", "00", "000")))
        insert(analytics, "sales_daily", sold("2026-01-31", orders=1, confirmed=1, revenue_minor=1))
        insert(analytics, "product_daily", sold_of("tea", "2026-01-31", orders=1, confirmed=1))

    response = send(client, case)

    case.validate_response(response, checks=CHECKS)

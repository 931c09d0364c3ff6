"""The parts of an HTTP API event that our functions use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    """In order; a name may occur twice."""
    headers: Mapping[str, str]
    """Looked up case-insensitively."""
    claims: Mapping[str, Any] | None
    """Verified by the gateway's authorizer; None where there was no token to verify."""
    request_id: str

    @classmethod
    def of(cls, event: APIGatewayProxyEventV2) -> Self:
        context = event.get("requestContext") or {}
        authorizer = context.get("authorizer") or {}
        return cls(
            method=event.http_method.upper(),
            # The gateway decodes everything but the per cent sign itself.
            path=unquote(event.path),
            query=tuple(parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True)),
            headers=event.headers,
            claims=(authorizer.get("jwt") or {}).get("claims"),
            request_id=str(context.get("requestId") or "unknown"),
        )

    @property
    def instance(self) -> str:
        """A URN of this very request, to find it in the log."""
        return f"urn:pulsequeue:request:{quote(self.request_id, safe='')}"

"""What a request says, of all that an HTTP API hands to a function."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    """Of the query, in its order; a name may come twice."""
    headers: Mapping[str, str]
    """By name, whatever its case."""
    claims: Mapping[str, Any] | None
    """What the gateway's authorizer verified; None where it had nothing to verify."""
    request_id: str

    @classmethod
    def of(cls, event: APIGatewayProxyEventV2) -> Self:
        context = event.get("requestContext") or {}
        authorizer = context.get("authorizer") or {}
        return cls(
            method=event.http_method.upper(),
            # The gateway decodes everything but the per cent sign itself.
            path=unquote(event.path),
            parameters=tuple(parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True)),
            headers=event.headers,
            claims=(authorizer.get("jwt") or {}).get("claims"),
            request_id=str(context.get("requestId") or "unknown"),
        )

    @property
    def instance(self) -> str:
        """Name this very request, for whoever has to find it in the log."""
        return f"urn:pulsequeue:request:{quote(self.request_id, safe='')}"

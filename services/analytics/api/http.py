"""A request as an HTTP API hands it to a function (payload format 2.0), and the answer it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    """Of the query, in its order; a name may come twice."""
    headers: Mapping[str, str]
    """By lower-case name."""
    claims: Mapping[str, Any] | None
    """What the gateway's authorizer verified; None where it had nothing to verify."""
    request_id: str

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        context = event.get("requestContext") or {}
        authorizer = context.get("authorizer") or {}
        query = event.get("rawQueryString") or ""
        return cls(
            method=str((context.get("http") or {}).get("method", "")).upper(),
            # The gateway decodes everything but the per cent sign itself.
            path=unquote(str(event.get("rawPath") or "/")),
            parameters=tuple(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): str(value) for name, value in (event.get("headers") or {}).items()},
            claims=(authorizer.get("jwt") or {}).get("claims"),
            request_id=str(context.get("requestId") or "unknown"),
        )

    @property
    def instance(self) -> str:
        """Name this very request, for whoever has to find it in the log."""
        return f"urn:pulsequeue:request:{quote(self.request_id, safe='')}"


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def having(self, headers: Mapping[str, str]) -> Self:
        return replace(self, headers={**self.headers, **headers})

    def for_gateway(self) -> dict[str, Any]:
        return {
            "statusCode": self.status,
            "headers": dict(self.headers),
            "body": self.body,
            "isBase64Encoded": False,
        }

"""The parts of an HTTP API event that our functions use."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from services.shared.http import problems


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
    body: bytes = b""

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
            body=_body(event.get("body") or "", encoded=bool(event.get("isBase64Encoded"))),
        )

    def json(self, most_bytes: int) -> Any:  # noqa: ANN401 - any JSON value
        """Decode a body of JSON, or refuse it."""
        if len(self.body) > most_bytes:
            raise problems.too_large(most_bytes)
        media_type = (self.headers.get("content-type") or "").partition(";")[0].strip().lower()
        if self.body and media_type != "application/json":
            raise problems.wrong_media_type()
        try:
            return json.loads(self.body or b"{}", parse_constant=_no_constant, object_pairs_hook=_unique)
        except (ValueError, RecursionError):
            raise problems.bad_body(
                "Send valid JSON, encoded as UTF-8, without a member given twice."
            ) from None

    @property
    def instance(self) -> str:
        """A URN of this very request, to find it in the log."""
        return f"urn:pulsequeue:request:{quote(self.request_id, safe='')}"


def _body(text: str, *, encoded: bool) -> bytes:
    if not encoded:
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise problems.bad_body("Send a body that is encoded as its headers say.") from None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Refuse a member that is given twice: two readers could understand two different bodies."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is given twice")
    return found

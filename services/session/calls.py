"""What a request for signing in brings along, and what is answered; the forms of OAuth among it."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from services.shared.http.request import Request

MAX_BODY_BYTES: Final = 8 * 1_024


@dataclass(frozen=True, slots=True)
class Call:
    request: Request
    cookies: Mapping[str, str]

    def param(self, name: str) -> str:
        """Return a parameter of the query; one that is given twice counts as not given."""
        values = [value for key, value in self.request.query if key == name]
        return values[0] if len(values) == 1 else ""

    @property
    def authorization(self) -> tuple[str, str]:
        """Return scheme, in lower case, and credentials."""
        scheme, _, credentials = (self.request.headers.get("authorization") or "").partition(" ")
        return scheme.lower(), credentials.strip()


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[str] = ()


def oauth_error(status: int, error: str, description: str) -> Reply:
    challenge = {"www-authenticate": 'Basic realm="pulsequeue"'} if status == 401 else {}  # noqa: PLR2004 - HTTP
    return Reply(status, {"error": error, "error_description": description}, challenge)


def form_of(request: Request) -> Mapping[str, str] | None:
    """Return the fields of a form; None for another body, or a field that is given twice."""
    media_type = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded" or len(request.body) > MAX_BODY_BYTES:
        return None
    try:
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return None
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else None


def client_of(call: Call, form: Mapping[str, str]) -> tuple[str, str]:
    """Return the client's id and secret, from Basic authentication or from the form, not from both."""
    scheme, credentials = call.authorization
    if not scheme:
        return form.get("client_id", ""), form.get("client_secret", "")
    if scheme != "basic" or "client_secret" in form:
        return "", ""
    try:
        name, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(name), unquote_plus(secret)

"""Events as webhooks would send them, posted to a developer's own address."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from scripts.common.errors import ToolError
from services.shared.messages import detail_of
from services.webhooks.addresses import AddressError, checked_url
from services.webhooks.http_client import PinnedHttpClient
from services.webhooks.model import TYPES, Endpoint, Format, Secret, message_for
from services.webhooks.service import SECRET_PREFIX, new_secret
from services.webhooks.signing import body_of, headers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.shared.events import Event
    from services.webhooks.delivery import Answer

_MODELS: Final[Mapping[str, type[Event]]] = {event.detail_type(): event for event in TYPES}
_USAGE: Final = 2


@dataclass(frozen=True, slots=True)
class Forwarded:
    message_id: str
    type: str
    answer: Answer


class Forwarder:
    """Posts events to a URL, signed as the messages of a webhook are; each once."""

    def __init__(self, url: str, secret: str | None, format_: Format) -> None:
        try:
            self._url = checked_url(url, allow_local=True)
        except AddressError as error:
            raise ToolError(f"--forward {error}.", exit_code=_USAGE) from error
        if secret and not _is_secret(secret):
            raise ToolError("--secret must be whsec_ and base64.", exit_code=_USAGE)
        self.secret = secret or new_secret()
        self._format = format_
        self._call = PinnedHttpClient(allow_local=True)

    def forward(self, envelope: Mapping[str, Any]) -> Forwarded | None:
        """Post an event; returns what came of it, None if webhooks do not carry it."""
        model = _MODELS.get(str(envelope["detail-type"]))
        if model is None:
            return None
        try:
            event = model.model_validate(detail_of(envelope))
        except ValidationError:
            return None  # consumers refuse it, too
        message = message_for(self._endpoint(event.tenant_id), event)
        if message is None:
            return None
        body = body_of(message, self._format)
        headers = headers_of(message, self._format, body, [self.secret], datetime.now(UTC))
        return Forwarded(message.id, message.type, self._call(self._url, headers, body.encode()))

    def _endpoint(self, tenant_id: str) -> Endpoint:
        return Endpoint(
            tenant_id=tenant_id,
            id="forward",
            url=self._url,
            types=(),
            description="",
            format=self._format,
            enabled=True,
            secrets=(Secret(self.secret),),
            created_at=datetime.now(UTC),
            created_by="developer",
        )


def _is_secret(text: str) -> bool:
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        return False
    return bool(key) and text.startswith(SECRET_PREFIX)

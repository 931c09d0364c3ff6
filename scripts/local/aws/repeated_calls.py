"""Answers a call that Terraform's provider repeats with the answer it did not get.

On a busy machine the provider now and then misses an answer of the emulator and repeats the call, as the
AWS SDK does after any broken connection. The second CreatePolicy is then refused, and the deployment fails.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Message, Receive, Send], Awaitable[None]]

_AGENT: Final = b"HashiCorp"
_CALL: Final = b"amz-sdk-invocation-id"
"""The same at each attempt of a call."""
_REMEMBERED: Final = 1_000

_logger = logging.getLogger("ministack")


class RepeatedCalls:
    """An ASGI application around the emulator's. Errors are not remembered: a retry may succeed."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._answers: OrderedDict[bytes, asyncio.Future[list[Message]]] = OrderedDict()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        call = _call(scope)
        if call is None:
            await self._application(scope, receive, send)
        elif call in self._answers and (answer := await self._answers[call]):
            _logger.warning("repeated the answer of a call that Terraform sent again")
            await _read(receive)
            for message in answer:
                await send(message)
        else:
            await self._remember(call, scope, receive, send)

    async def _remember(self, call: bytes, scope: Message, receive: Receive, send: Send) -> None:
        answer: list[Message] = []
        given = self._answers[call] = asyncio.get_running_loop().create_future()
        while len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)

        async def noted(message: Message) -> None:
            answer.append(message)
            await send(message)

        try:
            await self._application(scope, receive, noted)
        finally:
            given.set_result(answer if _succeeded(answer) else [])


def _call(scope: Message) -> bytes | None:
    """Return the id of a call of Terraform's provider."""
    if scope["type"] != "http":
        return None
    headers = dict(scope["headers"])
    return headers.get(_CALL) if _AGENT in headers.get(b"user-agent", b"") else None


def _succeeded(answer: list[Message]) -> bool:
    started = [it["status"] for it in answer if it["type"] == "http.response.start"]
    return bool(started) and 200 <= started[0] < 300  # noqa: PLR2004 - HTTP's success


async def _read(receive: Receive) -> None:
    """Read a request's body: a connection with unread bytes is closed."""
    while (await receive()).get("more_body"):
        pass

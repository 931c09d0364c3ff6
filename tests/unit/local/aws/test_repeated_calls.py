"""A call that Terraform's provider repeats gets its first answer; every other call is carried out."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from scripts.local.aws.repeated_calls import RepeatedCalls

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
TERRAFORM = b"APN/1.0 HashiCorp/1.0 Terraform/1.11.4 terraform-provider-aws/5.100.0"


class Emulator:
    """Refuses to create a thing twice, after a first answer with a chosen status; 0 breaks the call."""

    def __init__(self, first: int = 200) -> None:
        self.first = first
        self.calls = 0

    async def __call__(self, _scope: Message, _receive: Receive, send: Send) -> None:
        self.calls += 1
        status = self.first if self.calls == 1 else 409
        if not status:
            raise ConnectionError
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"created"})


def call(invocation: bytes = b"1", agent: bytes = TERRAFORM) -> Message:
    return {"type": "http", "headers": [(b"user-agent", agent), (b"amz-sdk-invocation-id", invocation)]}


async def status(application: RepeatedCalls, scope: Message) -> int:
    sent: list[Message] = []
    body = iter([{"type": "http.request", "more_body": True}, {"type": "http.request", "more_body": False}])

    async def receive() -> Message:
        return next(body)

    async def send(message: Message) -> None:
        sent.append(message)

    await application(scope, receive, send)
    assert sent[-1]["body"] == b"created"
    return int(sent[0]["status"])


async def statuses(emulator: Emulator, *scopes: Message) -> list[int]:
    application = RepeatedCalls(emulator)
    return [await status(application, scope) for scope in scopes]


def test_a_repeated_call_gets_the_first_answer() -> None:
    emulator = Emulator()

    assert asyncio.run(statuses(emulator, call(), call(), call())) == [200, 200, 200]
    assert emulator.calls == 1


def test_a_call_that_is_repeated_before_its_answer_waits_for_it() -> None:
    emulator = Emulator()

    async def both() -> list[int]:
        application = RepeatedCalls(emulator)
        return [*await asyncio.gather(status(application, call()), status(application, call()))]

    assert asyncio.run(both()) == [200, 200]
    assert emulator.calls == 1


@pytest.mark.parametrize("other", [call(b"2"), call(agent=b"Boto3/1.40"), {"type": "http", "headers": []}])
def test_another_call_is_carried_out(other: Message) -> None:
    first = call() if (b"user-agent", TERRAFORM) in other["headers"] else other

    assert asyncio.run(statuses(Emulator(), first, other)) == [200, 409]


@pytest.mark.parametrize("error", [400, 429, 500])
def test_a_call_is_carried_out_again_after_an_error(error: int) -> None:
    assert asyncio.run(statuses(Emulator(first=error), call(), call())) == [error, 409]


def test_a_call_is_carried_out_again_after_it_broke() -> None:
    async def twice() -> int:
        application = RepeatedCalls(Emulator(first=0))
        with pytest.raises(ConnectionError):
            await status(application, call())
        return await status(application, call())

    assert asyncio.run(twice()) == 409

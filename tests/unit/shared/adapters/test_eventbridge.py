"""Publishing to EventBridge: ten entries a call, every result checked."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from services.shared.adapters.eventbridge import EventBridgeBus
from services.shared.events import OrderPlaced
from tests.support.builders import no_waiting, placed

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

Answer = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def all_accepted(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"EventId": str(n)} for n, _ in enumerate(entries)]


def refusing(*positions: int) -> Answer:
    def answer(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
            if n in positions
            else {"EventId": "x"}
            for n, _ in enumerate(entries)
        ]

    return answer


class ScriptedEvents:
    """PutEvents that follows a script of answers and errors, then accepts everything."""

    def __init__(self, *script: Answer | Exception) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self._script = list(script)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.calls.append(Entries)
        answer = self._script.pop(0) if self._script else all_accepted
        if isinstance(answer, Exception):
            raise answer
        results = answer(Entries)
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def names(self) -> list[list[str]]:
        return [[json.loads(entry["Detail"])["orderId"] for entry in call] for call in self.calls]


def bus(client: ScriptedEvents, *, attempts: int = 3) -> EventBridgeBus:
    return EventBridgeBus(
        cast("EventBridgeClient", client),
        bus_name="test-pulsequeue",
        source="pulsequeue.order",
        waits=no_waiting(attempts),
    )


def orders(count: int) -> list[OrderPlaced]:
    return [placed(f"order-{n}") for n in range(count)]


def client_error(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "PutEvents",
    )


def test_an_entry_says_who_sends_what_to_which_bus() -> None:
    client = ScriptedEvents()

    left = bus(client).publish([placed()])

    assert left == []
    assert client.calls == [
        [
            {
                "EventBusName": "test-pulsequeue",
                "Source": "pulsequeue.order",
                "DetailType": "OrderPlaced",
                "Detail": placed().wire(),
            }
        ]
    ]


def test_nothing_to_publish_is_no_call() -> None:
    client = ScriptedEvents()

    assert bus(client).publish([]) == []
    assert client.calls == []


def test_events_leave_in_tens() -> None:
    client = ScriptedEvents()

    bus(client).publish(orders(23))

    assert [len(call) for call in client.calls] == [10, 10, 3]


def test_one_call_stays_under_the_bytes_that_the_bus_takes() -> None:
    items = [{"sku": "x" * 120 + str(n), "quantity": 1} for n in range(90)] * 11
    large = [placed(f"order-{n}", items=items) for n in range(4)]
    client = ScriptedEvents()

    bus(client).publish(large)

    assert sum(map(len, client.calls)) == 4
    assert len(client.calls) > 1
    assert all(sum(len(entry["Detail"]) for entry in call) < 256 * 1024 for call in client.calls)


def test_only_the_refused_entries_are_sent_again() -> None:
    client = ScriptedEvents(refusing(0, 2))

    left = bus(client).publish(orders(4))

    assert left == []
    assert client.names() == [["order-0", "order-1", "order-2", "order-3"], ["order-0", "order-2"]]


def test_entries_refused_to_the_end_are_returned() -> None:
    client = ScriptedEvents(*[refusing(0)] * 9)

    left = bus(client, attempts=2).publish(orders(2))

    assert left == [placed("order-0")]
    assert client.names() == [["order-0", "order-1"], ["order-0"], ["order-0"]]


@pytest.mark.parametrize(
    "error",
    [
        client_error("ThrottlingException"),
        client_error("Whatever", 503),
        EndpointConnectionError(endpoint_url="x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_call_that_fails_for_now_is_made_again(error: Exception) -> None:
    client = ScriptedEvents(error)

    assert bus(client).publish(orders(2)) == []
    assert client.names() == [["order-0", "order-1"]] * 2


def test_a_call_that_fails_for_now_to_the_end_returns_its_events() -> None:
    client = ScriptedEvents(*[client_error("InternalException", 500)] * 9)

    assert bus(client, attempts=1).publish(orders(2)) == orders(2)


def test_one_failed_call_does_not_hold_up_the_others() -> None:
    client = ScriptedEvents(client_error("ThrottlingException"))

    left = bus(client, attempts=0).publish(orders(12))

    assert left == orders(10)
    assert client.names()[1] == ["order-10", "order-11"]


def test_a_call_that_can_never_succeed_is_an_error() -> None:
    client = ScriptedEvents(client_error("AccessDeniedException"))

    with pytest.raises(ClientError, match="AccessDenied"):
        bus(client).publish(orders(1))
    assert len(client.calls) == 1

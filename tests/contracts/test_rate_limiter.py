"""What a rate limiter promises, over the fake and over DynamoDB."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from services.shared.adapters.dynamodb_rate_limit import DynamoDBRateLimiter
from services.shared.rate_limit import Rate, RateLimiter
from tests.support.commands import MemoryRateLimiter
from tests.support.console import make_console_table
from tests.support.fakes import ManualClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RATE = Rate(per_second=2, burst=4)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "moto", pytest.param("emulator", marks=pytest.mark.emulator)])
def limiter(request: pytest.FixtureRequest, clock: ManualClock) -> Iterator[RateLimiter]:
    name = f"{uuid4().hex[:8]}-console"
    if request.param == "memory":
        yield MemoryRateLimiter(clock, RATE)
    elif request.param == "moto":
        with mock_aws():
            client = boto3.client("dynamodb", region_name="us-east-1")
            make_console_table(client, name)
            yield DynamoDBRateLimiter(client, name, RATE, lambda: clock().timestamp())
    else:
        client = request.getfixturevalue("emulator").clients.client("dynamodb")
        make_console_table(client, name)
        yield DynamoDBRateLimiter(client, name, RATE, lambda: clock().timestamp())


def test_a_burst_is_let_through_and_no_more(limiter: RateLimiter) -> None:
    assert [limiter.seconds_to_wait("acme", "ann") for _ in range(6)] == [0, 0, 0, 0, 1, 1]


def test_callers_and_tenants_are_counted_apart(limiter: RateLimiter) -> None:
    for _ in range(4):
        limiter.seconds_to_wait("acme", "ann")

    assert limiter.seconds_to_wait("acme", "ben") == 0
    assert limiter.seconds_to_wait("globex", "ann") == 0
    assert limiter.seconds_to_wait("acme", "ann") == 1


def test_as_many_as_the_rate_come_back_each_second(limiter: RateLimiter, clock: ManualClock) -> None:
    for _ in range(4):
        limiter.seconds_to_wait("acme", "ann")

    clock.advance(timedelta(seconds=1))

    assert [limiter.seconds_to_wait("acme", "ann") for _ in range(3)] == [0, 0, 1]


def test_a_rest_does_not_save_up_more_than_a_burst(limiter: RateLimiter, clock: ManualClock) -> None:
    limiter.seconds_to_wait("acme", "ann")

    clock.advance(timedelta(days=2))

    assert [limiter.seconds_to_wait("acme", "ann") for _ in range(5)] == [0, 0, 0, 0, 1]


class Rivals:
    """A DynamoDB client before whose every update another request of the same caller is counted."""

    def __init__(self, client: "DynamoDBClient", rival: RateLimiter) -> None:
        self._client = client
        self._rival = rival

    def update_item(self, **arguments: Any) -> object:  # noqa: ANN401 - boto3's own arguments
        self._rival.seconds_to_wait("acme", "ann")
        return self._client.update_item(**arguments)


def test_requests_at_once_are_not_too_many_until_the_burst_is_used(clock: ManualClock) -> None:
    rate = Rate(per_second=20, burst=100)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        make_console_table(client, "console")
        rival = DynamoDBRateLimiter(client, "console", rate, lambda: clock().timestamp())
        hurried: Any = Rivals(client, rival)
        limiter = DynamoDBRateLimiter(hurried, "console", rate, lambda: clock().timestamp())

        waited = [limiter.seconds_to_wait("acme", "ann") for _ in range(40)]

    # Each request counted two of its rivals beside itself.
    assert waited == [0] * 33 + [1] * 7

"""Orders over HTTP on the running stack: placed, read, refunded; and what ends with a membership."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from scripts.environment.cognito import pool_id, token
from scripts.environment.local_state import StackState
from scripts.local.aws.user_pool import TENANT, User, add_user
from scripts.ops.members.users import Users
from tests.conftest import RunningStack
from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until

Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def state(stack: RunningStack) -> StackState:
    state = StackState.read(stack.home)
    assert state is not None
    return state


@pytest.fixture
def call(state: StackState) -> Call:
    def called(method: str, path: str, bearer: str, body: object = None, key: str = "") -> tuple[int, Any]:
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{state.api_url}/api/{path}",
            None if body is None else json.dumps(body).encode(),
            {
                "Authorization": f"Bearer {bearer}",
                "Content-Type": "application/json",
                **({"Idempotency-Key": key} if key else {}),
            },
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    return called


def test_an_order_is_placed_read_and_refunded_over_http(
    stack: RunningStack, state: StackState, call: Call
) -> None:
    editor = token(stack.environment, "editor", state.users_password)
    sku = PipelineClient(stack.environment).create_sku(5)
    order = {"customerId": "ann", "items": [{"sku": sku, "quantity": 2}]}
    key = uuid4().hex

    status, placed = call("POST", "orders", editor, order, key)
    assert status == 202
    path = f"orders/{placed['data']['orderId']}"
    first, _ = call("GET", path, editor)
    assert first == 200
    assert call("POST", "orders", editor, order, key) == (202, placed)

    def has_status(expected: str) -> bool:
        return bool(call("GET", path, editor)[1]["data"]["status"] == expected)

    wait_until(lambda: has_status("CONFIRMED"), "the order is confirmed")
    part = {"amountMinor": 1, "restock": True}
    for _ in range(2):
        assert call("POST", f"{path}/refund", editor, part, uuid4().hex)[0] == 202

    def refunded() -> int:
        return int(call("GET", path, editor)[1]["data"]["payment"]["refunded"]["amountMinor"])

    wait_until(lambda: refunded() == 2, "two parts of the payment are given back")
    assert has_status("CONFIRMED")
    assert call("POST", f"{path}/refund", editor, {"restock": True})[0] == 202
    wait_until(lambda: has_status("REFUNDED"), "the order is refunded")
    assert PipelineClient(stack.environment).levels(sku) == (5, 0, 5)


def test_writes_end_with_the_membership_though_the_token_lives_on(
    stack: RunningStack, state: StackState, call: Call
) -> None:
    name = f"leaver-{uuid4().hex[:8]}"
    add_user(
        stack.environment,
        pool_id(stack.environment) or "",
        User(name, "editor", TENANT),
        state.users_password,
    )
    signed = token(stack.environment, name, state.users_password)
    order = {"customerId": "ann", "items": [{"sku": "prod-001", "quantity": 1}]}
    assert call("POST", "orders", signed, order, uuid4().hex)[0] == 202

    Users(stack.environment).remove(name, TENANT)

    assert call("POST", "orders", signed, order, uuid4().hex)[0] == 403

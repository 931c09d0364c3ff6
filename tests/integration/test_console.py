"""The one origin of the running stack: pages, API and sign-in at one address."""

import json

import pytest

from scripts.environment.cognito import token
from scripts.environment.local_state import StackState
from tests.conftest import RunningStack
from tests.support.site_client import request

pytestmark = pytest.mark.stack


@pytest.fixture
def state(stack: RunningStack) -> StackState:
    state = StackState.read(stack.home)
    assert state is not None
    return state


@pytest.mark.parametrize("path", ["/api/me", "/api/orders?limit=2"])
def test_a_session_at_the_one_origin_and_a_token_at_the_api_answer_the_same(
    stack: RunningStack, state: StackState, path: str
) -> None:
    signed = token(stack.environment, "editor", state.users_password)

    with_cookie = request(f"{state.console_url}{path}", headers={"Cookie": f"__Host-session={signed}"})
    with_bearer = request(f"{state.api_url}{path}", headers={"Authorization": f"Bearer {signed}"})

    assert with_cookie.status == with_bearer.status == 200
    assert json.loads(with_cookie.body)["data"] == json.loads(with_bearer.body)["data"]


def test_a_session_does_not_help_at_the_api_itself(stack: RunningStack, state: StackState) -> None:
    signed = token(stack.environment, "editor", state.users_password)

    assert request(f"{state.api_url}/api/me", headers={"Cookie": f"__Host-session={signed}"}).status == 401

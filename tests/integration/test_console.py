"""The one origin of the running stack: pages, API and sign-in at one address."""

import json
from pathlib import Path

import pytest

from scripts.environment.cognito import token
from scripts.environment.console_site import find_site
from scripts.environment.local_state import StackState
from scripts.local.console import ConsoleBuild
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


def test_pages_are_published_and_every_path_serves_them(
    stack: RunningStack, state: StackState, tmp_path: Path
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/main-1.js").write_text("1")
    (tmp_path / "index.html").write_text("<p>console</p>")

    assert ConsoleBuild(lambda: tmp_path).publish(stack.environment) is None

    site = find_site(stack.environment)
    release = site.files.record().current
    assert release is not None
    assert site.url == state.console_url
    site.wait_until_served(release)
    assert request(f"{state.console_url}/orders/ord-1").body == b"<p>console</p>"
    assert json.loads(request(f"{state.console_url}/config.json").body) == {"environment": "local"}
    assert json.loads(request(f"{state.console_url}/flags.json").body) == {}

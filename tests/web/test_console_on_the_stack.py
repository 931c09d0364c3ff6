"""The console on a running stack, in a real browser: what people do on each page."""

import json
import mimetypes
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from scripts.environment.cognito import token
from scripts.environment.environment import open_environment
from scripts.environment.lambda_env import LOCAL_ACCOUNT
from scripts.environment.local_state import StackState
from scripts.local import stack as local_stack
from scripts.local import web
from scripts.local.aws import emulator as ministack
from scripts.local.stack import StackOptions
from tests.conftest import RunningStack
from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.stack,
    pytest.mark.xdist_group("console"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack that holds reservations as long as a deployed one: time enough to cancel in a browser."""
    home = tmp_path_factory.mktemp("console-stack")
    local_stack.up(StackOptions(port=ministack.free_port()), home=home)
    try:
        yield RunningStack(home, open_environment("local", home=home))
    finally:
        local_stack.reset(home=home)


@pytest.fixture
def state(stack: RunningStack) -> StackState:
    state = StackState.read(stack.home)
    assert state is not None
    return state


def publish(stack: RunningStack, built: Path) -> None:
    """Upload the build to the bucket behind the one origin."""
    s3 = stack.environment.client("s3")
    (bucket,) = [it["Name"] for it in s3.list_buckets()["Buckets"] if "site" in it["Name"]]
    for path in (it for it in built.rglob("*") if it.is_file() and it.suffix != ".map"):
        kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path)[0]
        s3.put_object(
            Bucket=bucket,
            Key=path.relative_to(built).as_posix(),
            Body=path.read_bytes(),
            ContentType=kind or "application/octet-stream",
        )
    for name in ("config.json", "flags.json"):
        s3.put_object(Bucket=bucket, Key=name, Body=b"{}", ContentType="application/json")


def call(state: StackState, bearer: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - a JSON tree
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{state.api_url}{path}",
        None if body is None else json.dumps(body).encode(),
        {
            "Authorization": f"Bearer {bearer}",
            "Content-Type": "application/json",
            "Idempotency-Key": uuid4().hex,
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def start_subscription(state: StackState, bearer: str) -> None:
    detail = {
        "subscriptionId": f"sub-{uuid4().hex[:8]}",
        "customerId": "console-ann",
        "plan": "pro",
        "interval": "month",
        "amountMinor": 4_900,
        "currency": "USD",
    }
    call(state, bearer, "/api/events", {"type": "SubscriptionStarted", "detail": detail})


def stocked_product(stack: RunningStack, state: StackState, bearer: str) -> str:
    """Return a SKU with stock, once the read side lists it."""
    sku = PipelineClient(stack.environment).create_sku(50)
    call(state, bearer, f"/api/inventory/{sku}/adjust", {"delta": 1})

    def is_listed() -> bool:
        return bool(call(state, bearer, f"/api/inventory?search={sku}")["data"]["products"])

    wait_until(is_listed, "the product is listed")
    return sku


def addresses_of_files(stack: RunningStack) -> list[str]:
    names, endpoint = stack.environment.names, stack.environment.client("s3").meta.endpoint_url
    return [f"{endpoint}/{names.bucket(it, LOCAL_ACCOUNT)}" for it in ("raw-uploads", "processed-data")]


def test_what_people_do_on_each_page(
    stack: RunningStack, state: StackState, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(stack, built)
    admin = token(stack.environment, "admin", state.users_password)
    start_subscription(state, admin)
    monkeypatch.setenv("CONSOLE_SKU", stocked_product(stack, state, admin))
    monkeypatch.setenv("CONSOLE_URL", state.console_url or "")
    monkeypatch.setenv("CONSOLE_BUCKETS", " ".join(addresses_of_files(stack)))
    monkeypatch.setenv("CONSOLE_PASSWORD", state.users_password)
    monkeypatch.setenv("CONSOLE_TOKEN", token(stack.environment, "admin", state.users_password))

    web.script("browser-stack")

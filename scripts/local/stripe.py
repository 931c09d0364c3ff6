"""The local Stripe server, for a stack whose payments go through it."""

from __future__ import annotations

import contextlib
import secrets
import socket
import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from scripts.common.errors import ToolError
from scripts.local import processes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scripts.environment.local_state import ProcessRecord, StackState

STRIPE: Final = "stripe"
_HOST: Final = "127.0.0.1"
_API_KEY: Final = "sk_test_local"
_WAIT_SECONDS: Final = 30.0
_EVENTS: Final = ("payment_intent.succeeded", "payment_intent.payment_failed")


def new_secrets() -> dict[str, str]:
    """Make the secrets of a stack that uses the server."""
    return {
        "stripe-api-key": _API_KEY,
        "stripe-webhook-secret": f"whsec_{secrets.token_hex(16)}",
    }


def variables(url: str) -> Mapping[str, str]:
    """Return the variables that lead payments to the server."""
    return {"PAYMENT_GATEWAY": "stripe", "STRIPE_API_URL": url}


def start(home: Path) -> tuple[ProcessRecord, str]:
    """Start the server on a free port; returns its process and address."""
    if find_spec("localstripe") is None:
        raise ToolError("localstripe is not installed; run `make install`, or use the simulated gateway.")
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-P", "-m", "scripts.local.stripe_server", "--port", str(port)]
    record = processes.start(STRIPE, command, {"PYTHONUNBUFFERED": "1"}, home / "stripe.log")
    deadline = time.monotonic() + _WAIT_SECONDS
    while not _listens(port):
        if processes.find(record) is None or time.monotonic() > deadline:
            processes.stop([record])
            raise ToolError(f"the Stripe server did not start; see {home / 'stripe.log'}.")
        time.sleep(0.05)
    return record, f"http://{_HOST}:{port}"


def stop(state: StackState) -> StackState:
    """Stop the server of a stack that does not use it any more."""
    record = state.process(STRIPE)
    if record is None:
        return state
    processes.stop([record])
    return state.model_copy(update={"processes": tuple(it for it in state.processes if it != record)})


def send_answers(url: str, endpoint: str, secret: str) -> None:
    """Have the server send its answers to an endpoint, signed."""
    form = [("url", endpoint), ("secret", secret), *(("events[]", name) for name in _EVENTS)]
    try:
        with urlopen(f"{url}/_config/webhooks/pulsequeue", urlencode(form).encode(), timeout=10):  # noqa: S310 - ours
            return
    except URLError as error:
        raise ToolError(
            f"the Stripe server does not take the address of the webhook: {error.reason}."
        ) from error


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((_HOST, port), timeout=1):
        return True
    return False

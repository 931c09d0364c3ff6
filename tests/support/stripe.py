"""A Stripe server on the loopback, and a proxy before it that loses, delays and contradicts answers."""

import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import urlsplit

import stripe
from stripe import StripeClient

from services.payment.stripe_gateway import StripeGateway
from tests.support.polling import wait_until

KEY = "sk_test_of_the_tests"


class Fault(Enum):
    """What happens to one request."""

    LOST_BEFORE = auto()
    LOST_AFTER = auto()
    LATE = auto()
    """It is given up, and takes effect when `release` is called."""
    UNAVAILABLE = auto()
    DECLINED = auto()
    """Done, but answered as declined."""
    OPEN = auto()
    """Done, but answered as if nothing were."""


DECLINED = b'{"error": {"type": "card_error", "code": "card_declined", "message": "contradicted"}}'
UNEXPECTED = b'{"error": {"type": "invalid_request_error", "code": "payment_intent_unexpected_state"}}'


@contextmanager
def stripe_server() -> Iterator[str]:
    """Run the server as a process; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-P", "-m", "scripts.local.stripe_server", "--port", str(port)]
    with subprocess.Popen(command, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}) as server:  # noqa: S603
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(address), "the Stripe server answers")
            yield address
        finally:
            server.terminate()


def answers(address: str) -> bool:
    try:
        client(address).v1.refunds.list({"limit": 1})
    except stripe.APIConnectionError:
        return False
    return True


def client(address: str, timeout: float = 30.0) -> StripeClient:
    return StripeClient(
        KEY,
        base_addresses={"api": address},
        http_client=stripe.RequestsClient(timeout=timeout),
        max_network_retries=0,
    )


def gateway(address: str) -> StripeGateway:
    one = client(address)
    return StripeGateway(lambda: one, is_test=lambda: False)


def register_webhook(address: str, url: str, secret: str) -> None:
    data = f"url={url}&secret={secret}".encode()
    urllib.request.urlopen(f"{address}/_config/webhooks/ours", data).close()  # noqa: S310 - the loopback


class Proxy:
    """Passes requests on, unless `strikes` has a fault for them."""

    def __init__(self, target: str) -> None:
        self.strikes: Callable[[str, str], Fault | None] = lambda _method, _path: None
        self.late: list[Callable[[], object]] = []
        self.requests: list[str] = []
        self._target = urlsplit(target).netloc
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                proxy.handle(self)

            def do_POST(self) -> None:
                proxy.handle(self)

            def log_message(self, *_args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def release(self) -> None:
        """Let the requests that were given up take effect."""
        late, self.late = self.late, []
        for pass_on in late:
            pass_on()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        self.requests.append(f"{request.command} {request.path}")

        def pass_on() -> tuple[int, bytes]:
            return self._pass_on(request.command, request.path, dict(request.headers.items()), body)

        match self.strikes(request.command, request.path):
            case Fault.LOST_BEFORE:
                self._hang_up(request)
            case Fault.LOST_AFTER:
                pass_on()
                self._hang_up(request)
            case Fault.LATE:
                self.late.append(pass_on)
                self._hang_up(request)
            case Fault.UNAVAILABLE:
                self._answer(request, 503, b"{}")
            case Fault.DECLINED:
                pass_on()
                self._answer(request, 402, DECLINED)
            case Fault.OPEN:
                pass_on()
                self._answer(request, 400, UNEXPECTED)
            case _:
                self._answer(request, *pass_on())

    def _hang_up(self, request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        cast("socket.socket", request.connection).shutdown(socket.SHUT_RDWR)

    def _answer(self, request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
        request.send_response(status)
        request.send_header("content-type", "application/json")
        request.send_header("content-length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        connection = HTTPConnection(self._target, timeout=60)
        try:
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException):
            return 502, b"{}"
        finally:
            connection.close()

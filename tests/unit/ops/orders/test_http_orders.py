"""Orders placed through the HTTP API, against a server on the loopback."""

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import pytest

from scripts.common.errors import ToolError
from scripts.ops.orders.http_orders import HttpOrders
from scripts.ops.orders.order_input import OrderInput, to_event
from services.commands.domain import order_id
from services.shared.events import Event
from services.shared.ledger import Key
from tests.support.fakes import START

CLAIMS = base64.urlsafe_b64encode(json.dumps({"custom:tenant_id": "acme"}).encode()).decode().rstrip("=")


class Server:
    """Answers with the statuses it was given, then with 202, and keeps the requests."""

    def __init__(self, *statuses: int) -> None:
        self.requests: list[tuple[dict[str, str], Any]] = []
        self._statuses = list(statuses)
        self._lock = Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(server.take({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_header("Retry-After", "7")
                self.end_headers()
                self.wfile.write(json.dumps({"title": "Conflict", "detail": "Send a new key."}).encode())

            def log_message(self, *_: object) -> None: ...

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def take(self, headers: dict[str, str], body: object) -> int:
        with self._lock:
            self.requests.append((headers, body))
            return self._statuses.pop(0) if self._statuses else 202

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for server in started:
        server.close()


def placed(name: str) -> Event:
    detail = {"orderId": name, "customerId": "ann", "items": [{"sku": "a", "quantity": 1}]}
    return to_event(OrderInput(name, detail), START)


def test_an_order_is_sent_with_its_id_as_the_key_and_the_token(servers: list[Server]) -> None:
    servers.append(Server())
    orders = HttpOrders(servers[0].url, lambda: f"head.{CLAIMS}.signature")

    assert orders.publish([placed("o-1")]) == []

    ((headers, body),) = servers[0].requests
    assert headers["idempotency-key"] == "o-1"
    assert headers["authorization"] == f"Bearer head.{CLAIMS}.signature"
    assert body == {"customerId": "ann", "items": [{"sku": "a", "quantity": 1}]}
    assert orders.accepted_as(Key("default", "o-1")) == Key("acme", order_id("acme", "o-1"))


def test_a_busy_api_is_asked_again_after_the_time_it_names(servers: list[Server]) -> None:
    servers.append(Server(429, 503))
    waits: list[float] = []
    orders = HttpOrders(servers[0].url, lambda: f"head.{CLAIMS}.signature", sleep=waits.append)

    assert orders.publish([placed("o-1")]) == []
    assert waits == [7.0, 7.0]


def test_an_order_that_is_never_accepted_is_returned(servers: list[Server]) -> None:
    servers.append(Server(*[503] * 8))
    orders = HttpOrders(servers[0].url, lambda: f"head.{CLAIMS}.signature", sleep=lambda _: None)

    refused = orders.publish([placed("o-1")])

    assert [event.correlation_id for event in refused] == ["o-1"]


def test_a_refusal_is_told_with_its_reason(servers: list[Server]) -> None:
    servers.append(Server(409))
    orders = HttpOrders(servers[0].url, lambda: f"head.{CLAIMS}.signature")

    with pytest.raises(ToolError, match=r"refused order 'o-1': Conflict \(409\). Send a new key."):
        orders.publish([placed("o-1")])


def test_a_token_is_renewed_before_it_ends(servers: list[Server]) -> None:
    servers.append(Server())
    now, signed = [0.0], []

    def sign_in() -> str:
        signed.append(now[0])
        return f"head.{CLAIMS}.signature"

    orders = HttpOrders(servers[0].url, sign_in, now=lambda: now[0])
    for moment in (0.0, 200.0, 250.0):
        now[0] = moment
        orders.publish([placed("o-1")])

    assert signed == [0.0, 250.0]

"""A call ends in time, goes where it was checked to go, and never follows."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from services.webhooks.http_client import PinnedHttpClient
from tests.support.polling import wait_until


class Handler(BaseHTTPRequestHandler):
    status = 200
    received: list[tuple[str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.received.append((self.path, {name.lower(): it for name, it in self.headers.items()}, body))
        self.send_response(self.status)
        self.send_header("location", "http://127.0.0.1:1/inside")
        self.send_header("x-request-id", "r-1")
        self.end_headers()
        self.wfile.write(b"secret answer")

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def server(status: int) -> Iterator[tuple[str, type[Handler]]]:
    handler = type("_Handler", (Handler,), {"status": status, "received": []})
    with HTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://hooks.example:{running.server_port}/in?a=1", handler
        finally:
            running.shutdown()
            thread.join()


def client(timeout: float = 30.0) -> PinnedHttpClient:
    return PinnedHttpClient(allow_local=True, timeout=timeout, resolve=lambda _host, _port: ["127.0.0.1"])


def test_a_body_arrives_as_it_was_sent_at_the_address_that_was_resolved() -> None:
    with server(204) as (url, handler):
        answer = client()(url, {"webhook-id": "msg_1"}, b'{"a":1}')

    assert (answer.http_status, answer.request_id, answer.error) == (204, "r-1", None)
    ((path, headers, body),) = handler.received
    assert (path, body) == ("/in?a=1", b'{"a":1}')
    assert headers["host"].startswith("hooks.example:")
    assert headers["webhook-id"] == "msg_1"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(status: int) -> None:
    with server(status) as (url, handler):
        answer = client()(url, {}, b"{}")

    assert answer.http_status == status
    assert not answer.accepted
    assert len(handler.received) == 1


def test_a_server_that_sends_a_byte_now_and_then_is_given_up_in_time() -> None:
    done = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            while not done.wait(0.05):
                try:
                    connection.send(b"H")
                except OSError:
                    return

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        answer = client(timeout=0.5)(f"http://hooks.example:{listener.getsockname()[1]}/", {}, b"{}")
        done.set()
        thread.join()

    assert (answer.http_status, answer.error) == (None, "timeout")


def test_nothing_is_sent_for_a_call_that_was_given_up() -> None:
    found = threading.Event()

    def slow_once(_host: str, _port: int) -> list[str]:
        found.wait()
        return ["127.0.0.1"]

    calls = PinnedHttpClient(allow_local=True, timeout=0.5, concurrency=1, resolve=slow_once)
    with server(204) as (url, handler):
        try:
            given_up = [calls(url, {"webhook-id": it}, b"{}") for it in ("running", "queued")]
        finally:
            found.set()
        # One thread: it takes this call after those before.
        wait_until(lambda: calls(url, {"webhook-id": "later"}, b"{}").accepted, "the client calls again")

    assert [it.error for it in given_up] == ["timeout", "timeout"]
    assert {headers["webhook-id"] for _, headers, _ in handler.received} == {"later"}


def test_a_closed_port_is_a_result() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]

    assert client()(f"http://hooks.example:{port}/", {}, b"{}").error == "connection"


def test_an_address_inside_is_refused_before_anything_is_sent() -> None:
    with server(200) as (url, handler):
        guarded = PinnedHttpClient(resolve=lambda _host, _port: ["127.0.0.1"])
        answer = guarded(url, {}, b"{}")

    assert answer.error == "address"
    assert handler.received == []


def test_a_name_that_changes_its_address_between_look_ups_is_looked_up_once() -> None:
    requested: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        requested.append(host)
        return ["127.0.0.1"] if len(requested) == 1 else ["10.0.0.1"]

    with server(200) as (url, _):
        answer = PinnedHttpClient(allow_local=True, resolve=rebinding)(url, {}, b"{}")

    assert answer.accepted
    assert requested == ["hooks.example"]


def test_a_name_nobody_knows_is_a_result() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise socket.gaierror

    assert PinnedHttpClient(resolve=unknown)("https://nobody.example/", {}, b"{}").error == "dns"


def test_tls_is_verified() -> None:
    with server(200) as (url, handler):
        answer = client()(url.replace("http://", "https://"), {}, b"{}")

    assert answer.error == "tls"
    assert handler.received == []


def test_what_is_no_http_is_a_result() -> None:
    def answer_nonsense(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"nonsense\r\n\r\n")

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=answer_nonsense, args=(listener,))
        thread.start()
        answer = client()(f"http://hooks.example:{listener.getsockname()[1]}/", {}, b"{}")
        thread.join()

    assert answer.error == "response"

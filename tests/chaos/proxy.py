"""A proxy on loopback between the functions and the emulator, which lets the weather at their requests."""

import socket
import threading
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from tests.chaos.fault_schedule import FaultSchedule
from tests.chaos.faults import Answer, Fault, part, refusal

HOST = "127.0.0.1"
LATE_SECONDS = (0.05, 0.8)
_UPSTREAM_SECONDS = 30.0
_HOP_BY_HOP = frozenset(
    {"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding"}
)


class FaultProxy:
    """Answers on a free port while it is entered."""

    def __init__(self, upstream_port: int, schedule: FaultSchedule) -> None:
        self.schedule = schedule
        self._server = _Server(upstream_port, schedule)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def requests(self) -> int:
        return self._server.requests

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Connections idle in the pools of the functions would otherwise be waited for.
    block_on_close = False
    request_queue_size = 128

    def __init__(self, upstream_port: int, schedule: FaultSchedule) -> None:
        super().__init__((HOST, 0), _Handler)
        self.upstream_port = upstream_port
        self.schedule = schedule
        self.requests = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """A function that was killed has hung up; there is nobody to complain to."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60

    def do_POST(self) -> None:
        operation = self.headers.get("X-Amz-Target", "")
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.requests += 1
        schedule = self.server.schedule
        fault = schedule.strike(operation)
        if fault is None:
            return self._reply(self._ask(body))
        refused = refusal(fault, operation, body, schedule.dice)
        if refused is not None:
            return self._reply(refused)
        match fault:
            case Fault.CUT_BEFORE:
                self._hang_up()
            case Fault.CUT_AFTER:
                self._ask(body)
                self._hang_up()
            case Fault.PARTIAL:
                self._reply(self._ask_in_part(operation, body))
            case _:
                time.sleep(schedule.dice.uniform(*LATE_SECONDS))
                self._reply(self._ask(body))
        return None

    def _ask(self, body: bytes) -> Answer:
        connection = HTTPConnection(HOST, self.server.upstream_port, timeout=_UPSTREAM_SECONDS)
        try:
            connection.request("POST", self.path, body, _without_hops(dict(self.headers.items())))
            answer = connection.getresponse()
            return Answer(answer.status, _without_hops(dict(answer.getheaders())), answer.read())
        finally:
            connection.close()

    def _ask_in_part(self, operation: str, body: bytes) -> Answer:
        through = part(operation, body, self.server.schedule.dice)
        answer = self._ask(through.request) if through.request else Answer(200, {}, b"")
        if answer.status >= 400:
            return answer
        # The checksum was that of the answer to the part.
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "x-amz-crc32"}
        return Answer(answer.status, headers, through.complete(answer.body))

    def _reply(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Say nothing: what happened is counted."""


def _without_hops(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}

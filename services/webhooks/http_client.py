"""Posts one message: to the address that was checked, within a time, without reading what comes back."""

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from services.webhooks.addresses import AddressError, Resolve, pinned, resolve, target_of
from services.webhooks.delivery import Answer, Reason

TIMEOUT_SECONDS: Final = 10.0
_MAX_REQUEST_ID: Final = 128


class PinnedHttpClient:
    """Implements `services.webhooks.delivery.Call`."""

    def __init__(
        self,
        *,
        allow_local: bool = False,
        timeout: float = TIMEOUT_SECONDS,
        concurrency: int = 256,
        resolve: Resolve = resolve,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._allow_local = allow_local
        self._timeout = timeout
        self._resolve = resolve
        self._context = context or ssl.create_default_context()
        self._pool = ThreadPoolExecutor(concurrency)

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        exchange = _Exchange(url, headers, body, self._timeout)
        started = time.monotonic()
        future = self._pool.submit(exchange.run, self._context, self._resolve, allow_local=self._allow_local)
        try:
            # A socket's own time-out starts anew with every byte; this one does not.
            status, request_id = future.result(self._timeout)
        except TimeoutError:
            future.cancel()
            exchange.abort()
            return Answer(time.monotonic() - started, error="timeout")
        except Exception as error:  # noqa: BLE001 - whatever the other side does is a result
            return Answer(time.monotonic() - started, error=_reason(error))
        return Answer(time.monotonic() - started, status, request_id)


class _Exchange:
    """One request and the head of its response."""

    def __init__(self, url: str, headers: Mapping[str, str], body: bytes, timeout: float) -> None:
        self._parts, self._host, self._port = target_of(url)
        self._headers = headers
        self._body = body
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._aborted = False

    def run(self, context: ssl.SSLContext, resolve: Resolve, *, allow_local: bool) -> tuple[int, str | None]:
        address = pinned(self._host, self._port, allow_local=allow_local, resolve=resolve)
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        self._socket = socket.create_connection((address, self._port), timeout=self._timeout)
        try:
            if self._parts.scheme == "https":
                self._socket = context.wrap_socket(self._socket, server_hostname=self._host)
            if self._aborted:  # while there was no socket that `abort` could end
                raise TimeoutError
            connection.sock = self._socket
            connection.request("POST", self._target(), self._body, {**self._headers, "host": self._named()})
            response = connection.getresponse()
            request_id = response.headers.get("x-request-id")
            return response.status, request_id and _printable(request_id)
        finally:
            self._socket.close()

    def abort(self) -> None:
        self._aborted = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _target(self) -> str:
        path = self._parts.path or "/"
        return f"{path}?{self._parts.query}" if self._parts.query else path

    def _named(self) -> str:
        return self._parts.netloc


def _reason(error: Exception) -> Reason:
    match error:
        case AddressError():
            return "address"
        case socket.gaierror():
            return "dns"
        case ssl.SSLError():
            return "tls"
        case TimeoutError():
            return "timeout"
        case OSError():
            return "connection"
        case _:
            return "response"


def _printable(text: str) -> str:
    return "".join(it for it in text if it.isprintable())[:_MAX_REQUEST_ID]

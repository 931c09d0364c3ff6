"""A minimal GET /metrics with bearer token, for a real Prometheus to scrape."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "a-token"
PATH = "/_aws/execute-api/abc/$default/metrics"
TEXT = b"""\
# TYPE orders_total counter
orders_total{outcome="reserved"} 7
# TYPE pulsequeue_info gauge
pulsequeue_info{environment="of-the-page",region="us-east-1"} 1
"""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.headers["Authorization"] == f"Bearer {TOKEN}" and self.path == PATH
        self.send_response(HTTPStatus.OK if known else HTTPStatus.UNAUTHORIZED)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.end_headers()
        if known:
            self.wfile.write(TEXT)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def serving() -> Iterator[str]:
    """Serve on 127.0.0.1 inside the context; yield the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PATH}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
